//! Tables of bytes that spell several weights: `T_c[v] = prod_t h_(c p + t)^(w[d_t])`, `d_t` the digits of `v`.

use core::ops::Range;

use binfer_field::{F128, kernels};

use super::listed::steps;
use super::remembered::{Exponents, Powers};
use super::tables::{BLOCK, Bases};
use crate::threads;

/// Bases, and weights of several a byte.
pub(super) struct Packed<'a> {
    /// One a weight of a row.
    h: Bases<'a>,
    /// What a digit stands for, ascending.
    weights: &'a [i32],
    /// `p`.
    per_byte: usize,
}

impl<'a> Packed<'a> {
    /// The first `n` bases.
    pub(super) fn new(h: Bases<'a>, n: usize, weights: &'a [i32], per_byte: usize) -> Self {
        Self { h: h.of(0..n), weights, per_byte }
    }

    /// The extensions of all columns at a point: sums over a column's digits, one after the other, of many columns at once.
    pub(super) fn at(&self, point: &[F128]) -> Vec<F128> {
        let Self { h, weights, per_byte } = self;
        // What the bytes weigh that spell the same digits.
        let mut of_symbols = vec![F128::ZERO; weights.len().pow(*per_byte as u32)];
        for again in kernels::eq_table(point).chunks(of_symbols.len()) {
            kernels::add_assign(&mut of_symbols[..again.len()], again);
        }
        let weights: Vec<i128> = weights.iter().map(|&weight| weight.into()).collect();
        let exponents = Exponents::new(steps(&weights));
        let of_block = |columns: Range<usize>| -> Vec<F128> {
            let n = columns.len();
            let mut sums = Vec::new();
            let mut left = of_symbols.len();
            for t in 0..*per_byte {
                // Digits beyond the last column stand for nothing.
                let digit = |bases: &[F128]| -> Vec<F128> {
                    let bases = columns.clone().map(|c| bases.get(c * per_byte + t));
                    bases.map(|base| base.copied().unwrap_or(F128::ONE)).collect()
                };
                let [of_h, inverse] = [h.h, h.inverse].map(digit);
                let powers = Powers::new(Bases { h: &of_h, inverse: &inverse }, &exponents);
                let mut power = vec![F128::ONE; n];
                left /= weights.len();
                let mut folded = vec![F128::ZERO; left * n];
                for d in 0..weights.len() {
                    kernels::mul_assign(&mut power, powers.get(d));
                    for (rest, folded) in folded.chunks_mut(n).enumerate() {
                        let at = rest * weights.len() + d;
                        if t == 0 {
                            kernels::add_scaled(folded, &power, of_symbols[at]);
                        } else {
                            kernels::add_products(folded, &sums[at * n..(at + 1) * n], &power);
                        }
                    }
                }
                sums = folded;
            }
            sums
        };
        let n = h.h.len().div_ceil(*per_byte);
        let blocks = (0..n).step_by(BLOCK).map(|first| first..n.min(first + BLOCK));
        threads::map(blocks.collect(), of_block).concat()
    }

    /// All entries of column `c`: grown digit by digit.
    #[cfg(feature = "prover")]
    pub(super) fn fill(&self, c: usize, out: &mut [F128]) {
        let Self { h, weights, per_byte } = self;
        let mut column = vec![F128::ONE];
        // Digits beyond the last column stand for nothing.
        for j in c * per_byte..(c + 1) * per_byte {
            let size = column.len();
            for (d, &weight) in weights.iter().enumerate().rev() {
                let factor = if j < h.h.len() { h.pow(j, i128::from(weight)) } else { F128::ONE };
                if d == 0 {
                    kernels::scale(&mut column[..size], factor);
                } else {
                    column.resize(size * weights.len(), F128::ZERO);
                    let (first, rest) = column.split_at_mut(size);
                    let digit = &mut rest[(d - 1) * size..d * size];
                    kernels::scale_into(digit, first, factor);
                }
            }
        }
        out.iter_mut().zip(column.iter().cycle()).for_each(|(out, &value)| *out = value);
    }
}
