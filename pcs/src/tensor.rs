//! The tensor algebra `F (x) F` over GF(2), in which ring switching happens (DP24, section 2.5).
//!
//! An element is `sum_u v_u (x) x^u`: 128 field elements, the right factor written in the basis
//! `x^u` of the GHASH representation.

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::panic,
        clippy::expect_used,
        clippy::arithmetic_side_effects
    )
)]

use binfer_field::{F128, kernels};

use crate::layout::Piece;

/// An element of `F (x) F`.
pub(crate) struct Tensor([F128; 128]);

impl Tensor {
    /// Adds `sum left (x) right` over `terms`. Each left factor is added once a nibble of its right factor,
    /// to the sum of those that share the nibble: no branch depends on a bit.
    fn add_pure(&mut self, terms: impl Iterator<Item = (F128, F128)>) {
        let mut by_nibble = [[F128::ZERO; 16]; 32];
        for (left, right) in terms {
            let mut bits = right.to_bits();
            for sums in &mut by_nibble {
                if let Some(sum) = sums.get_mut((bits & 15) as usize) {
                    *sum += left;
                }
                bits >>= 4;
            }
        }
        for (values, sums) in self.0.as_chunks_mut::<4>().0.iter_mut().zip(&by_nibble) {
            for (bit, v) in values.iter_mut().enumerate() {
                for (_, &sum) in
                    sums.iter().enumerate().filter(|(nibble, _)| nibble >> bit & 1 == 1)
                {
                    *v += sum;
                }
            }
        }
    }

    /// Multiplies by `1 + z (x) 1 + 1 (x) p`, the sum over a bit of `eq(z, bit) (x) eq(p, bit)`.
    fn bind(&mut self, z: F128, p: F128) {
        let mut right = self.0;
        kernels::transpose(&mut right);
        kernels::scale(&mut right, p);
        kernels::transpose(&mut right);
        kernels::scale(&mut self.0, F128::ONE + z);
        kernels::add_assign(&mut self.0, &right);
    }

    /// `sum_u v_u images[u]`: the image under `id (x) L`, multiplied out, where the linear map `L`
    /// sends `x^u` to `images[u]`.
    pub(crate) fn apply(&self, images: &[F128; 128]) -> F128 {
        kernels::inner_product(&self.0, images)
    }
}

/// The tensor `sum over pieces of weight-carrying eq tensors`: with `w(row, y)` the sum over the
/// pieces of `weight * eq(point, y - offset)` on the piece's words,
///
/// `sum_{row, y} eq(z_row, row) eq(z, y) (x) w(row, y)`.
///
/// `row_table[row]` is `eq(z_row, row)`; `z` has one coordinate a variable of a row, and `point` at
/// least as many as the longest piece. The scheme is Horner's from the highest variable down, so it
/// costs 256 products a variable, and 32 additions and a product for each eight variables of its offset a
/// piece, however long.
pub(crate) fn weight_tensor(
    pieces: &[Piece],
    row_table: &[F128],
    z: &[F128],
    point: &[F128],
) -> Tensor {
    let mut tensor = Tensor([F128::ZERO; 128]);
    let add = |tensor: &mut Tensor, n_vars: usize| {
        let mut pieces = pieces.iter().filter(|piece| piece.n_vars as usize == n_vars).peekable();
        if pieces.peek().is_none() {
            return;
        }
        let high: Vec<Vec<F128>> =
            z.get(n_vars..).unwrap_or(&[]).chunks(8).map(kernels::eq_table).collect();
        tensor.add_pure(pieces.map(|piece| {
            let row = row_table.get(piece.row).copied().unwrap_or(F128::ZERO);
            let mut bits = piece.offset >> n_vars;
            let left = high.iter().fold(row, |product, eq| {
                let factor = eq.get(bits % 256).copied().unwrap_or(F128::ZERO);
                bits >>= 8;
                product * factor
            });
            (left, piece.weight)
        }));
    };
    add(&mut tensor, z.len());
    for (i, &z_i) in z.iter().enumerate().rev() {
        tensor.bind(z_i, point.get(i).copied().unwrap_or(F128::ZERO));
        add(&mut tensor, i);
    }
    tensor
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    fn random<const N: usize>(rng: &mut StdRng) -> [F128; N] {
        core::array::from_fn(|_| F128::random(rng))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn weights_are_evaluated(seed: u64, n_pieces in 0usize..40) {
            let mut rng = StdRng::seed_from_u64(seed);
            let rows: [F128; 3] = random(&mut rng);
            let z: [F128; 9] = random(&mut rng);
            let point: [F128; 10] = random(&mut rng);
            let images: [F128; 128] = random(&mut rng);
            let pieces: Vec<Piece> = (0..n_pieces)
                .map(|i| {
                    let n_vars = (seed as u32).wrapping_add(i as u32) % 10;
                    let offset = ((seed as usize >> i) % (512 >> n_vars)) << n_vars;
                    Piece { row: i % 3, offset, n_vars, weight: F128::random(&mut rng) }
                })
                .collect();
            let map = binfer_field::LinearMap::new(&images);
            let z_table = kernels::eq_table(&z);
            let mut expected = F128::ZERO;
            for p in &pieces {
                let eq = kernels::eq_table(&point[..p.n_vars as usize]);
                for (&z, &eq) in z_table[p.offset..].iter().zip(&eq) {
                    expected += rows[p.row] * z * map.apply(p.weight * eq);
                }
            }
            prop_assert_eq!(weight_tensor(&pieces, &rows, &z, &point).apply(&images), expected);
        }
    }
}
