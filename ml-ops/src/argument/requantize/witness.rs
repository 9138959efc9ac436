//! The distances that show codes to be right.

use super::steps::{Column, Steps, bits};
use super::{Code, Kind, Thresholds};

/// What distances of one column are made of.
pub(crate) struct Distances<'a> {
    column: &'a Column,
    /// `g`, of the bits of `e` that the column uses.
    groups: u32,
    /// `t`.
    spare: u32,
    /// Bits of a group of `e`, and as many ones.
    width: u32,
    group: u64,
    /// Where `u`, `c` and `s` start.
    starts: [u32; 3],
    /// The bits of `e`, `u`, `c` and `s`.
    masks: [u64; 4],
    /// `target` of an end, modulo `2^64`.
    end: u64,
    /// `U 2^m`.
    span: u64,
    /// `1 / U`.
    inverse: f64,
    /// The highest bit of `u`, and its weight.
    half: u64,
    half_weight: u64,
}

/// A distance from `lo*` below which floats are exact enough to divide.
const USUAL: u64 = 1 << 48;

/// Distances as the prover holds them.
pub(crate) trait Distance: Copy + Default + Send {
    /// The one of `e`, `u`, `c` and `s`, given where all but the first start.
    fn join(parts: [u64; 4], starts: [u32; 3]) -> Self;
}

impl Thresholds {
    /// Those of a column.
    pub(crate) fn distances(&self, column: usize) -> Distances<'_> {
        let Steps { common_bits, spare_bits: spare, .. } = *self.steps;
        let column = self.steps.column(column);
        let reach = self.reach_in(column);
        let masks = [reach, common_bits, spare, self.rest_bits()].map(low_bits);
        let first = self.reach;
        let starts = [first, first + common_bits, first + common_bits + spare];
        let end = ((u64::from(self.groups()) + 1) << spare).wrapping_sub(1);
        let (width, span) = (self.width, column.unit << reach);
        // No sum of weights is so large where there are none.
        let half = bits(column.common).checked_sub(1).map_or(u64::MAX, |top| 1 << top);
        Distances {
            column,
            groups: reach.div_ceil(width),
            spare,
            width,
            group: low_bits(width),
            starts,
            masks,
            end,
            span,
            inverse: 1.0 / column.unit as f64,
            half,
            half_weight: column.common.wrapping_sub(half.wrapping_sub(1)),
        }
    }
}

impl Distance for u128 {
    #[inline]
    fn join([e, u, c, s]: [u64; 4], [of_u, of_c, of_s]: [u32; 3]) -> Self {
        let [e, u, c, s] = [e, u, c, s].map(Self::from);
        e | u << of_u | c << of_c | s << of_s
    }
}

impl Distance for u64 {
    #[inline]
    fn join([e, u, c, s]: [u64; 4], [of_u, of_c, of_s]: [u32; 3]) -> Self {
        // A part that would start at bit 64 has no bits.
        e | u.wrapping_shl(of_u) | c.wrapping_shl(of_c) | s.wrapping_shl(of_s)
    }
}

impl Distance for u32 {
    #[inline]
    fn join(parts: [u64; 4], starts: [u32; 3]) -> Self {
        u64::join(parts, starts) as Self
    }
}

impl Distances<'_> {
    /// The distance that proves `code` for `acc`; for a wrong code one that does not.
    pub(crate) fn of<T: Distance>(&self, acc: i64, code: u8) -> T {
        let column = self.column;
        let Code { low, kind } = column.code(code);
        let (span, target) = match kind {
            Kind::Inner(target) => (0, target),
            Kind::Never => (0, u64::MAX),
            Kind::Last => (0, self.end),
            Kind::First => (self.span, self.end),
        };
        let beyond = (acc.wrapping_sub(low) as u64).wrapping_add(span);
        self.beyond(beyond / column.unit, beyond % column.unit, target)
    }

    /// The distances of outputs.
    pub(crate) fn fill<T: Distance>(&self, accumulators: &[i64], codes: &[u8], out: &mut [T]) {
        let outputs = accumulators.iter().zip(codes);
        let mut is_usual = self.column.unit < USUAL;
        if is_usual {
            for (out, (&acc, &code)) in out.iter_mut().zip(outputs.clone()) {
                let (distance, usual) = self.usual(acc, code);
                *out = distance;
                is_usual &= usual;
            }
        }
        if !is_usual {
            out.iter_mut().zip(outputs).for_each(|(out, (&acc, &code))| *out = self.of(acc, code));
        }
    }

    /// [`Self::of`] a code that occurs, for an accumulator that is not far from its own range, and whether it is so: without a
    /// branch, since no one could foresee which codes are ends.
    #[inline]
    fn usual<T: Distance>(&self, acc: i64, code: u8) -> (T, bool) {
        let Column { ranges, common, unit, .. } = self.column;
        let (first, last) = (ranges.first(), ranges.last());
        let is_last = code == last;
        let is_first = (code == first) & !is_last;
        let is_end = is_first | is_last;
        let low = ranges.next_least(code);
        let size = ranges.least_after(code).wrapping_sub(low);
        let inner = (size as u64).wrapping_sub(common + 1);
        let target = if is_end { self.end } else { inner };
        let span = if is_first { self.span } else { 0 };
        let beyond = (acc.wrapping_sub(low) as u64).wrapping_add(span);
        // Floats from 2^52 on are integers; the nearest to the quotient is it or one more.
        const INTEGERS: f64 = (1u64 << 52) as f64;
        let near = (beyond as i64 as f64 * self.inverse + INTEGERS).to_bits();
        let near = near.wrapping_sub(INTEGERS.to_bits());
        let is_more = near.wrapping_mul(*unit) > beyond;
        let units = near.wrapping_sub(is_more.into());
        let below = beyond.wrapping_sub(units.wrapping_mul(*unit));
        let occurs = (code >= first) & (code <= last) & (is_end | (size > 0));
        (self.beyond(units, below, target), occurs & (beyond < USUAL))
    }

    /// What proves an accumulator that is so many units and so much more beyond `lo*`, for a code with this target. Inner codes have
    /// less than a unit.
    #[inline]
    fn beyond<T: Distance>(&self, units: u64, below: u64, target: u64) -> T {
        let [of_units, of_common, of_spare, of_rest] = self.masks;
        let units = units & of_units;
        let spare = below.saturating_sub(self.column.common) & of_spare;
        let common = self.spelled(below.wrapping_sub(spare)) & of_common;
        let mut counted = 0;
        for group in 0..self.groups {
            counted += u64::from(units >> (group * self.width) & self.group != 0);
        }
        let rest = target.wrapping_sub(spare).wrapping_sub(counted << self.spare) & of_rest;
        T::join([units, common, spare, rest], self.starts)
    }

    /// The bits of `u` whose weights have the sum `x <= R`.
    #[inline]
    fn spelled(&self, x: u64) -> u64 {
        if x < self.half { x } else { x.wrapping_sub(self.half_weight) | self.half }
    }
}

impl Steps {
    /// The reach that the accumulators `[column][row]` of a run need, given the rows.
    pub(super) fn reach_of(&self, accumulators: &[i64], rows: usize) -> u32 {
        use rayon::prelude::*;
        let of_column = |(column, accumulators): (usize, &[i64])| {
            let column = self.column(column);
            let extremes = (i64::MAX, i64::MIN);
            let (least, most) = accumulators
                .iter()
                .fold(extremes, |(least, most), &acc| (least.min(acc), most.max(acc)));
            if accumulators.is_empty() {
                0
            } else {
                column.reach_of(least).max(column.reach_of(most))
            }
        };
        let columns = accumulators.par_chunks(rows.max(1)).enumerate();
        columns.map(of_column).max().unwrap_or(0)
    }
}

impl Column {
    /// The reach that an accumulator needs.
    fn reach_of(&self, acc: i64) -> u32 {
        let (first, last) = (self.ranges.first(), self.ranges.last());
        let beyond = match (self.ranges.range(first), self.ranges.range(last)) {
            (_, Some((lo, _))) if acc >= lo => acc.abs_diff(lo),
            (Some((_, hi)), _) if acc <= hi => acc.abs_diff(hi),
            _ => 0,
        };
        super::steps::reach(self.unit, beyond)
    }
}

/// Ones in the `n` lowest bits.
#[inline]
fn low_bits(n: u32) -> u64 {
    1u64.checked_shl(n).map_or(u64::MAX, |bit| bit - 1)
}
