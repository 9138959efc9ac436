//! Requantization in the exponent: which codes, distances and flags prove `acc -> code`.
//!
//! A step function's codes have ranges `lo[q] ..= hi[q]` that partition `[-B, B]`. For each output the
//! prover commits a *distance* `z` of `2d` bits and a flag `f`; with independent bases `h_j` and `k_j` for
//! column `j`, row `i` passes iff
//! `prod_j h_j^(acc_ij) = prod_j h_j^(lo*[q] + (f ? z mod 2^r : z mod 2^d)) k_j^(e_ij - W)`, where
//! `e = W - width[q] + (f ? 0 : 1 + z mod 2^d + z div 2^d)`, and `2^r` exceeds every end's size, `r <= 2d`.
//!
//! * An inner code has `width = hi - lo + 1 >= 1`, so its `k`-exponent vanishes only with `f = 0` and
//!   `u + v + 1 = hi - lo + 1`, `u` and `v` the halves of `z`: then `lo <= acc = lo + u <= hi`.
//! * The two end codes have `width = 0` and need `f = 1`; the low `r` bits of `z` are then one wide field. The
//!   top code has `lo* = lo`, and `z >= 0` says `acc >= lo`. The bottom code has `lo* = hi - (2^r - 1)`, and
//!   `z mod 2^r < 2^r` says `acc <= hi`.
//! * A code that never occurs has `width = -1`: its exponent is positive whatever `f` and `z` are.
//!
//! So an output takes `8 + 1 + 2d` committed bits, 33 to 35 in common networks, and no table of a
//! distance has more than 8 index bits. Bounds are below `2^62`, so that differences of thresholds fit 64 bits.

use core::ops::Range;

use binfer_field::{F128, kernels};

use super::remembered::Powers;
use super::tables::{Bases, all_powers_at, powers};
use crate::graph::{CodeRanges, Epilogue};

/// What is known of one code of one step.
#[derive(Clone, Copy)]
struct Code {
    /// `lo*`, of the bottom code `lo* + 2^r`.
    low: i64,
    /// `hi - lo + 1`, 0 at the ends, -1 where the code never occurs.
    width: i64,
}

/// The public constants of a requantization.
pub(crate) struct Thresholds {
    /// One step's for all columns, or one for each.
    ranges: Vec<CodeRanges>,
    /// Bits of half a distance, `d`.
    half: u32,
    /// Bits of a distance from an end's threshold, `r`.
    reach: u32,
    /// `W`: at least every width.
    most: i64,
}

impl Thresholds {
    /// Those of `epilogue`, which gives codes, for accumulators of size at most `bound`.
    pub(crate) fn new(epilogue: &Epilogue, bound: i128) -> Self {
        // A valid graph's requantized accumulators are below 2^62.
        let bound = bound.min((1 << 62) - 1) as i64;
        let ranges = epilogue.thresholds(bound);
        let mut inner = 1i64;
        let mut wide = 1i64;
        for ranges in &ranges {
            let size = |(lo, hi): (i64, i64)| hi - lo;
            let ends = [ranges.first(), ranges.last()];
            let of_ends = ends.into_iter().filter_map(|code| ranges.range(code)).map(size);
            wide = of_ends.fold(wide, i64::max);
            let codes = ranges.first().saturating_add(1)..ranges.last();
            inner = codes.filter_map(|code| ranges.range(code)).map(size).fold(inner, i64::max);
        }
        let bits = |x: i64| i64::BITS - x.leading_zeros();
        let half = bits(inner).max(bits(wide).div_ceil(2));
        Self { ranges, half, reach: bits(wide), most: inner + 1 }
    }

    /// Whether all columns have one step function.
    pub(crate) fn are_shared(&self) -> bool {
        self.ranges.len() == 1
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
        // `lo*` grows with the code, so that its extremes are the ends'.
        let ends = self.ranges.iter().flat_map(|r| [(r, r.first()), (r, r.last())]);
        let lows = ends.map(|(ranges, code)| {
            let low = i128::from(self.code(ranges, code).low);
            if is_bottom(ranges, code) { low - (1 << self.reach) } else { low }
        });
        let reach = 1i128 << self.reach.max(self.half);
        let most = lows.map(|low| low.abs().max((low + reach).abs())).max().unwrap_or(0);
        (bound + most).max(i128::from(self.most) + 2 + (2 << self.half))
    }

    /// The halves of the distance, and the flag, that prove `code` for `acc` in `column`; for a wrong code some
    /// that do not.
    #[cfg(feature = "prover")]
    #[inline]
    pub(crate) fn witness(&self, acc: i64, code: u8, column: usize) -> ([u64; 2], bool) {
        let ranges = if self.are_shared() { &self.ranges[0] } else { &self.ranges[column] };
        let Code { low, width } = self.code(ranges, code);
        let half = (1u64 << self.half) - 1;
        // The bottom's is 2^r less, which is none of the low bits.
        let below = acc.wrapping_sub(low) as u64;
        if width == 0 {
            let below = below & ((1 << self.reach) - 1);
            return ([below & half, below >> self.half], true);
        }
        let above = (width as u64).wrapping_sub(1).wrapping_sub(below);
        ([below & half, above & half], false)
    }

    /// What is known of a code of one step.
    #[inline]
    fn code(&self, ranges: &CodeRanges, code: u8) -> Code {
        let Some((lo, hi)) = ranges.range(code) else {
            // Near its neighbours', which keeps the steps between codes few.
            return Code { low: ranges.next_least(code), width: -1 };
        };
        if is_bottom(ranges, code) {
            return Code { low: hi + 1, width: 0 };
        }
        Code { low: lo, width: if code == ranges.last() { 0 } else { hi - lo + 1 } }
    }

    /// `h^(lo*[q]) k^(W - width[q])` code by code: calls `each(q, values)` with one value a column of
    /// `columns`.
    ///
    /// Neighbouring codes differ by few distinct amounts, so most rows take two products a column.
    pub(crate) fn code_rows(
        &self,
        h: Bases<'_>,
        k: &[F128],
        columns: Range<usize>,
        mut each: impl FnMut(usize, &[F128]),
    ) {
        let h = Bases { h: &h.h[columns.clone()], inverse: &h.inverse[columns.clone()] };
        let k = Bases { h: &k[columns.clone()], inverse: &[] };
        let ranges = if self.are_shared() { &self.ranges[..] } else { &self.ranges[columns] };
        let mut reach = h.inverse.to_vec();
        kernels::frobenius(&mut reach, self.reach);
        let (mut of_h, mut of_k) = (Powers::new(h, ranges.len()), Powers::new(k, ranges.len()));
        let mut power = vec![F128::ONE; h.h.len()];
        let mut row = power.clone();
        let mut lows = vec![0; ranges.len()];
        for q in 0..=255 {
            let codes: Vec<Code> = ranges.iter().map(|r| self.code(r, q)).collect();
            kernels::mul_assign(&mut power, of_h.get(|c| codes[c].low - lows[c]));
            kernels::mul(&mut row, &power, of_k.get(|c| self.most - codes[c].width));
            lows.iter_mut().zip(&codes).for_each(|(low, code)| *low = code.low);
            match ranges {
                [all] if is_bottom(all, q) => kernels::mul_assign(&mut row, &reach),
                [_] => {}
                ranges => {
                    let columns = row.iter_mut().zip(&reach).zip(ranges);
                    columns
                        .filter(|(_, ranges)| is_bottom(ranges, q))
                        .for_each(|((value, &reach), _)| *value *= reach);
                }
            }
            each(q.into(), &row);
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

    /// Of bits `first .. first + bits`, how many are of the one wide field.
    fn field_bits(&self, first: u32, bits: u32) -> usize {
        self.reach.saturating_sub(first).min(bits) as usize
    }

    /// What the flag, off, adds: `k^1`, once a distance.
    fn constant(k: F128, first: u32) -> F128 {
        if first == 0 { k } else { F128::ONE }
    }

    /// Table of distance bits `first .. first + bits` with the flag as the highest index bit.
    pub(crate) fn distance_column(&self, h: F128, k: F128, first: u32, bits: u32) -> Vec<F128> {
        let mut column = powers(self.inner_base(h, k, first), bits as usize);
        kernels::scale(&mut column, Self::constant(k, first));
        let field = powers(h.frobenius(first), self.field_bits(first, bits));
        let copies = column.len() / field.len();
        column.extend(field.repeat(copies));
        column
    }

    /// The extensions of [`Self::distance_column`] for all bases at a point.
    pub(crate) fn distances_at(
        &self,
        h: &[F128],
        k: &[F128],
        first: u32,
        bits: u32,
        point: &[F128],
    ) -> Vec<F128> {
        let (low, flag) = point.split_at(bits as usize);
        let (in_h, in_k) = self.inner_shifts(first);
        let mut inner = k.to_vec();
        kernels::frobenius(&mut inner, in_k);
        if let Some(shift) = in_h {
            let mut of_h = h.to_vec();
            kernels::frobenius(&mut of_h, shift);
            kernels::mul_assign(&mut inner, &of_h);
        }
        let mut off = all_powers_at(&inner, 0, low);
        if first == 0 {
            kernels::mul_assign(&mut off, k);
        }
        let field = &low[..self.field_bits(first, bits)];
        let mut on = all_powers_at(h, first, field);
        // off + flag (off + on)
        kernels::scale(&mut on, flag[0]);
        kernels::scale(&mut off, F128::ONE + flag[0]);
        kernels::add_assign(&mut on, &off);
        on
    }
}

/// Whether `code` is the least of several.
#[inline]
fn is_bottom(ranges: &CodeRanges, code: u8) -> bool {
    code == ranges.first() && ranges.first() != ranges.last()
}
