//! Requantization in the exponent: which codes, distances and flags prove `acc -> code`.
//!
//! A step function's codes have ranges `lo[q] ..= hi[q]` that partition `[-B, B]`. For each output the
//! prover commits a *distance* `z` of `2d` bits and a flag `f`; with independent bases `h_j` and `k_j` for
//! column `j`, row `i` passes iff
//! `prod_j h_j^(acc_ij) = prod_j h_j^(lo*[q] + (f ? z : z mod 2^d)) k_j^(e_ij - W)`, where
//! `e = W - width[q] + (f ? 0 : 1 + z mod 2^d + z div 2^d)`.
//!
//! * An inner code has `width = hi - lo + 1 >= 1`, so its `k`-exponent vanishes only with `f = 0` and
//!   `u + v + 1 = hi - lo + 1`, `u` and `v` the halves of `z`: then `lo <= acc = lo + u <= hi`.
//! * The two end codes have `width = 0` and need `f = 1`; `z` is then one wide field. The top code has
//!   `lo* = lo`, and `z >= 0` says `acc >= lo`. The bottom code has `lo* = hi - (2^(2d) - 1)`, and
//!   `z < 2^(2d)` says `acc <= hi`.
//! * A code that never occurs has `width = -1`: its exponent is positive whatever `f` and `z` are.
//!
//! So an output takes `8 + 1 + 2d` committed bits, 33 to 35 in common networks, and no table of a
//! distance has more than 8 index bits.

use core::ops::Range;

use binfer_field::{F128, kernels};

use super::tables::{Bases, powers, powers_at};
use crate::graph::Requantize;

/// What is known of one code of one step.
#[derive(Clone, Copy)]
struct Code {
    /// `lo*`.
    low: i64,
    /// `hi - lo + 1`, 0 at the ends, -1 where the code never occurs.
    width: i64,
}

/// The public constants of a requantization.
pub(crate) struct Thresholds {
    /// One list of 256 codes for all columns, or one for each.
    codes: Vec<[Code; 256]>,
    /// Bits of half a distance, `d`.
    half: u32,
    /// `W`: at least every width.
    most: i64,
}

impl Thresholds {
    /// Those of `requantize` for accumulators of size at most `bound`.
    pub(crate) fn new(requantize: &Requantize, bound: i64) -> Self {
        let ranges: Vec<_> = requantize.steps.iter().map(|s| s.thresholds(bound)).collect();
        let mut inner = 1i64;
        let mut wide = 1i64;
        for table in &ranges {
            let present: Vec<(i64, i64)> = table.iter().flatten().copied().collect();
            if let (Some(bottom), Some(top)) = (present.first(), present.last()) {
                wide = wide.max(bottom.1 + bound).max(bound - top.0);
            }
            for (lo, hi) in present.iter().skip(1).rev().skip(1) {
                inner = inner.max(hi - lo);
            }
        }
        let bits = |x: i64| i64::BITS - x.leading_zeros();
        let half = bits(inner).max(bits(wide).div_ceil(2));
        let codes = ranges.iter().map(|table| codes(table, half)).collect();
        Self { codes, half, most: inner + 1 }
    }

    /// Whether all columns have one step function.
    pub(crate) fn are_shared(&self) -> bool {
        self.codes.len() == 1
    }

    /// Bits of a distance, `2d`.
    pub(crate) fn distance_bits(&self) -> u32 {
        2 * self.half
    }

    /// Bits of half a distance, `d`.
    pub(crate) fn half_bits(&self) -> u32 {
        self.half
    }

    /// `W`, by which every row's `k`-exponent exceeds zero.
    pub(crate) fn surplus(&self) -> u128 {
        self.most.unsigned_abs().into()
    }

    /// Bound on the size of any exponent of `h_j` that operands of size `bound` and any committed bits
    /// can leave over.
    pub(crate) fn exponent_bound(&self, bound: i128) -> i128 {
        let lows = self.codes.iter().flatten().map(|c| i128::from(c.low));
        let reach = 1i128 << self.distance_bits();
        let most = lows.map(|low| low.abs().max((low + reach).abs())).max().unwrap_or(0);
        (bound + most).max(i128::from(self.most) + 2 + reach)
    }

    /// Distance and flag, `z + 2^(2d) f`, that prove `code` for `acc` in `column`; for a wrong code some
    /// that do not.
    #[cfg(feature = "prover")]
    pub(crate) fn witness(&self, acc: i64, code: u8, column: usize) -> u64 {
        let Code { low, width } = self.of(column)[usize::from(code)];
        let flag = 1u64 << self.distance_bits();
        let below = acc - low;
        if width == 0 {
            return below as u64 & (flag - 1) | flag;
        }
        let above = width - 1 - below;
        let half = (1i64 << self.half) - 1;
        (below & half | (above & half) << self.half) as u64
    }

    fn of(&self, column: usize) -> &[Code; 256] {
        if self.codes.len() == 1 { &self.codes[0] } else { &self.codes[column] }
    }

    /// `h^(lo*[q]) k^(W - width[q])` code by code, for all columns of `columns` that share their codes:
    /// calls `each(q, first column, values)` with one value a column.
    ///
    /// Neighbouring codes differ by few distinct amounts, so most rows take two products a column.
    pub(crate) fn code_rows(
        &self,
        h: Bases<'_>,
        k: &[F128],
        columns: Range<usize>,
        mut each: impl FnMut(usize, usize, &[F128]),
    ) {
        let run = if self.codes.len() == 1 { columns.len().max(1) } else { 1 };
        for start in columns.clone().step_by(run) {
            let range = start..columns.end.min(start + run);
            let mut of_h = Powers::new(&h.h[range.clone()], &h.inverse[range.clone()]);
            let mut of_k = Powers::new(&k[range], &[]);
            let mut low = 0;
            let mut power = of_h.get(0).to_vec();
            let mut row = power.clone();
            for (q, code) in self.of(start).iter().enumerate() {
                if code.low != low {
                    kernels::mul_assign(&mut power, of_h.get(code.low - low));
                    low = code.low;
                }
                kernels::mul(&mut row, &power, of_k.get(self.most - code.width));
                each(q, start, &row);
            }
        }
    }

    /// The exponents of `h` and `k`, as `(shift or none, shift)`, that bit 0 of a run of distance bits
    /// from `first` has where the flag is off; runs never cross the middle.
    fn inner_shifts(&self, first: u32) -> (Option<u32>, u32) {
        if first < self.half { (Some(first), first) } else { (None, first - self.half) }
    }

    fn inner_base(&self, h: F128, k: F128, first: u32) -> F128 {
        let (in_h, in_k) = self.inner_shifts(first);
        k.frobenius(in_k) * in_h.map_or(F128::ONE, |s| h.frobenius(s))
    }

    /// What the flag, off, adds: `k^1`, once a distance.
    fn constant(k: F128, first: u32) -> F128 {
        if first == 0 { k } else { F128::ONE }
    }

    /// Table of distance bits `first .. first + bits` with the flag as the highest index bit.
    pub(crate) fn distance_column(&self, h: F128, k: F128, first: u32, bits: u32) -> Vec<F128> {
        let mut column = powers(self.inner_base(h, k, first), bits as usize);
        kernels::scale(&mut column, Self::constant(k, first));
        column.extend(powers(h.frobenius(first), bits as usize));
        column
    }

    /// The extension of [`Self::distance_column`] at a point.
    pub(crate) fn distance_at(
        &self,
        h: F128,
        k: F128,
        first: u32,
        bits: u32,
        point: &[F128],
    ) -> F128 {
        let (low, flag) = point.split_at(bits as usize);
        let off = Self::constant(k, first) * powers_at(self.inner_base(h, k, first), low);
        off + flag[0] * (off + powers_at(h.frobenius(first), low))
    }
}

/// Powers of a slice of bases, the recent ones remembered.
struct Powers<'a> {
    bases: &'a [F128],
    inverses: &'a [F128],
    known: Vec<(i64, Vec<F128>)>,
}

/// Exponents to remember: a uniform step function has two steps and two widths between its ends.
const REMEMBERED: usize = 8;

impl<'a> Powers<'a> {
    fn new(bases: &'a [F128], inverses: &'a [F128]) -> Self {
        Self { bases, inverses, known: Vec::new() }
    }

    fn get(&mut self, exponent: i64) -> &[F128] {
        if let Some(i) = self.known.iter().position(|(e, _)| *e == exponent) {
            return &self.known[i].1;
        }
        if self.known.len() == REMEMBERED {
            self.known.remove(0);
        }
        let bases = if exponent < 0 { self.inverses } else { self.bases };
        let mut power = vec![F128::ONE; bases.len()];
        let exponent_bits = exponent.unsigned_abs();
        for i in (0..u64::BITS - exponent_bits.leading_zeros()).rev() {
            power.iter_mut().for_each(|p| *p = p.square());
            if exponent_bits >> i & 1 == 1 {
                kernels::mul_assign(&mut power, bases);
            }
        }
        self.known.push((exponent, power));
        &self.known[self.known.len() - 1].1
    }
}

/// The codes of one step; `half` is `d`.
fn codes(table: &[Option<(i64, i64)>], half: u32) -> [Code; 256] {
    let first = table.iter().position(Option::is_some).unwrap_or(0);
    let last = table.iter().rposition(Option::is_some).unwrap_or(0);
    let reach = (1i64 << (2 * half)) - 1;
    // Codes that never occur repeat their neighbour's `lo`, which keeps table steps short.
    let mut low = 0;
    core::array::from_fn(|q| match table.get(q).copied().flatten() {
        None => Code { low, width: -1 },
        Some((lo, hi)) => {
            let end = q == first || q == last;
            // The bottom code; where it is the top one too, `lo` is the least accumulator.
            low = if q == first && first != last { hi - reach } else { lo };
            Code { low, width: if end { 0 } else { hi - lo + 1 } }
        }
    })
}
