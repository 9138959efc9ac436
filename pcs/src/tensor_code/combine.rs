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

use binfer_field::{F128, Tower128, kernels, transpose_bits};

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

/// Adds to each of eight sums the weights of the rows that have its bit set; byte `i` is that of row `i`.
#[inline]
pub(super) fn add_octet(sums: &mut [F128], table: &Subsets, bytes: u64) {
    for (sum, set) in sums.iter_mut().zip(transpose_bits(bytes).to_le_bytes()) {
        // Every byte is an index of the table.
        if let Some(&weight) = table.get(usize::from(set)) {
            *sum += weight;
        }
    }
}

/// At most eight bytes as a number, the first the lowest.
#[inline]
pub(super) fn number(bytes: &[u8]) -> u64 {
    match bytes.first_chunk() {
        Some(&bytes) => u64::from_le_bytes(bytes),
        None => bytes.iter().rev().fold(0, |x, &byte| x << 8 | u64::from(byte)),
    }
}

/// Byte `j` of word `i` becomes byte `i` of word `j`.
#[cfg(feature = "prover")]
#[inline]
pub(super) fn transpose_bytes(words: [u64; 8]) -> [u64; 8] {
    // Blocks of one, two and four bytes off the diagonal change places.
    let [a, b, c, d, e, f, g, h] = words;
    let ([a, b], [c, d]) = (exchange(a, b, 8), exchange(c, d, 8));
    let ([e, f], [g, h]) = (exchange(e, f, 8), exchange(g, h, 8));
    let ([a, c], [b, d]) = (exchange(a, c, 16), exchange(b, d, 16));
    let ([e, g], [f, h]) = (exchange(e, g, 16), exchange(f, h, 16));
    let ([a, e], [b, f]) = (exchange(a, e, 32), exchange(b, f, 32));
    let ([c, g], [d, h]) = (exchange(c, g, 32), exchange(d, h, 32));
    [a, b, c, d, e, f, g, h]
}

/// The odd blocks of `n` bits of the first word change places with the even ones of the second.
#[cfg(feature = "prover")]
#[inline]
fn exchange(a: u64, b: u64, n: u32) -> [u64; 2] {
    let even = match n {
        8 => 0x00ff_00ff_00ff_00ff,
        16 => 0x0000_ffff_0000_ffff,
        _ => 0x0000_0000_ffff_ffff,
    };
    let swap = ((a >> n) ^ b) & even;
    [a ^ (swap << n), b ^ swap]
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
            add_octet(&mut sums, table, number(bytes));
        }
        for (bit, sum) in sums.into_iter().enumerate() {
            let set = rows.iter().zip(&weights).filter(|(row, _)| *row >> bit & 1 == 1);
            assert_eq!(sum, set.map(|(_, &weight)| weight).sum());
        }
    }

    #[test]
    fn numbers_of_few_bytes() {
        assert_eq!(number(&[]), 0);
        assert_eq!(number(&[1, 2, 3]), 0x03_0201);
        assert_eq!(number(&[1, 2, 3, 4, 5, 6, 7, 8]), 0x0807_0605_0403_0201);
    }

    #[cfg(feature = "prover")]
    #[test]
    fn bytes_change_places() {
        let byte = |i: usize, j: usize| (8 * i + j) as u64 * 0x9d % 251;
        let word = |i: usize| (0..8).map(|j| byte(i, j) << (8 * j)).sum();
        let transposed = transpose_bytes(core::array::from_fn(word));
        for (j, word) in transposed.into_iter().enumerate() {
            assert_eq!(word, (0..8).map(|i| byte(i, j) << (8 * i)).sum::<u64>());
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
