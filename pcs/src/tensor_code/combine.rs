//! Combinations of bytes with weights in GF(2^128), bit by bit, and the fields between.

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::panic,
        clippy::expect_used,
        clippy::arithmetic_side_effects
    )
)]

use binfer_field::{F128, Tower128, kernels};

/// The sums of all subsets of eight weights.
type Subsets = [F128; 256];

/// A weight a row, ready to be summed over the rows that have a bit set.
pub(super) struct RowWeights(Vec<Subsets>);

impl RowWeights {
    /// The subset sums of each eight weights, the last ones padded with zeros.
    pub(super) fn new(weights: &[F128]) -> Self {
        let subsets = |weights: &[F128]| {
            let mut table = [F128::ZERO; 256];
            let mut filled = 1usize;
            for &weight in weights {
                let (lo, rest) = table.split_at_mut(filled);
                for (sum, &below) in rest.iter_mut().zip(lo.iter()) {
                    *sum = below + weight;
                }
                filled = filled.saturating_mul(2);
            }
            table
        };
        Self(weights.chunks(8).map(subsets).collect())
    }

    /// Octets of rows.
    pub(super) fn tables(&self) -> impl Iterator<Item = &Subsets> {
        self.0.iter()
    }
}

/// Adds to each of eight sums the weights of the rows that have its bit set in their byte.
#[inline]
pub(super) fn add_octet(sums: &mut [F128], table: &Subsets, bytes: [u8; 8]) {
    for (sum, set) in sums.iter_mut().zip(transpose(bytes)) {
        // Every byte is an index of the table.
        if let Some(&weight) = table.get(usize::from(set)) {
            *sum += weight;
        }
    }
}

/// Bit `j` of byte `i` becomes bit `i` of byte `j`.
#[inline]
fn transpose(bytes: [u8; 8]) -> [u8; 8] {
    let mut x = u64::from_le_bytes(bytes);
    for (shift, mask) in
        [(7, 0x00aa_00aa_00aa_00aa), (14, 0x0000_cccc_0000_cccc), (28, 0x0000_0000_f0f0_f0f0)]
    {
        let swap = (x ^ (x >> shift)) & mask;
        x ^= swap ^ (swap << shift);
    }
    x.to_le_bytes()
}

/// The basis of a coefficient over GF(2), in GF(2^128).
pub(super) fn coefficient_basis(log_coefficient: u32) -> Vec<F128> {
    (0..1u32 << log_coefficient).map(|i| F128::from(Tower128::new(1 << i))).collect()
}

/// From sums over bits to sums over coefficients: each `basis.len()` neighbours become one element.
pub(super) fn fold_bits(sums: &[F128], basis: &[F128]) -> Vec<F128> {
    let fold = |bits: &[F128]| kernels::inner_product(bits, basis);
    sums.chunks_exact(basis.len()).map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_add_the_weights_of_set_bits() {
        let weights: Vec<F128> = (1..=11).map(|i| F128::new(i * i * 0x1234_5678)).collect();
        let rows: Vec<u8> = (0..11).map(|i| (i * 77 + 5) as u8).collect();
        let mut sums = [F128::ZERO; 8];
        for (table, bytes) in RowWeights::new(&weights).tables().zip(rows.chunks(8)) {
            let mut octet = [0; 8];
            octet[..bytes.len()].copy_from_slice(bytes);
            add_octet(&mut sums, table, octet);
        }
        for (bit, sum) in sums.into_iter().enumerate() {
            let set = rows.iter().zip(&weights).filter(|(row, _)| *row >> bit & 1 == 1);
            assert_eq!(sum, set.map(|(_, &weight)| weight).sum());
        }
    }

    #[test]
    fn bits_make_coefficients() {
        let c = 0xa7u8;
        let x = F128::new(0x1234_5678_9abc);
        let bits: Vec<F128> =
            (0..8).map(|i| if c >> i & 1 == 1 { x } else { F128::ZERO }).collect();
        let expected = x * F128::from(binfer_field::Tower8::new(c));
        assert_eq!(fold_bits(&bits, &coefficient_basis(3)), [expected]);
    }
}
