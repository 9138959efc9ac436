//! The distances that show codes to be right.

use super::steps::{Column, Steps, bits};
use super::{Code, Kind, Thresholds};

/// What distances of one column are made of.
pub(crate) struct Distances<'a> {
    column: &'a Column,
    /// Bits of `e` that the column uses.
    reach: u32,
    /// `t`.
    spare: u32,
    /// Bits of a group of `e`.
    width: u32,
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
        let inverse = 1.0 / column.unit as f64;
        Distances { column, reach, spare, width, starts, masks, end, span, inverse }
    }
}

impl Distances<'_> {
    /// The distance that proves `code` for `acc`; for a wrong code one that does not.
    #[inline]
    pub(crate) fn of(&self, acc: i64, code: u8) -> u128 {
        self.parts(acc, code, |parts, starts| {
            let shifted = parts[1..].iter().zip(starts).map(|(&part, n)| u128::from(part) << n);
            shifted.fold(parts[0].into(), |all, part| all | part)
        })
    }

    /// The same where a distance has at most 64 bits.
    #[inline]
    pub(crate) fn short(&self, acc: i64, code: u8) -> u64 {
        self.parts(acc, code, |parts, starts| {
            let shifted = parts[1..].iter().zip(starts);
            // A part that would start at bit 64 has no bits.
            shifted.fold(parts[0], |all, (&part, n)| all | part.wrapping_shl(n))
        })
    }

    /// What `join` makes of `e`, `u`, `c` and `s`, and where all but the first start.
    #[inline]
    fn parts<T>(&self, acc: i64, code: u8, join: impl Fn([u64; 4], [u32; 3]) -> T) -> T {
        let column = self.column;
        let Code { low, kind } = column.code(code);
        let (span, target) = match kind {
            Kind::Inner(target) => (0, target),
            Kind::Never => (0, u64::MAX),
            Kind::Last => (0, self.end),
            Kind::First => (self.span, self.end),
        };
        // What is beyond `lo*`; inner codes have less than a unit.
        let (units, below) = self.split((acc.wrapping_sub(low) as u64).wrapping_add(span));
        let [of_units, of_common, of_spare, of_rest] = self.masks;
        let units = units & of_units;
        let spare = below.saturating_sub(column.common) & of_spare;
        let common = spelled(column, below.wrapping_sub(spare)) & of_common;
        let counted = self.groups(units) << self.spare;
        let rest = target.wrapping_sub(spare).wrapping_sub(counted) & of_rest;
        join([units, common, spare, rest], self.starts)
    }

    /// How many groups of bits of `e` are not zero.
    #[inline]
    fn groups(&self, mut units: u64) -> u64 {
        if self.reach <= self.width {
            return u64::from(units != 0);
        }
        let (mut groups, mask) = (0, low_bits(self.width));
        while units != 0 {
            groups += u64::from(units & mask != 0);
            units >>= self.width;
        }
        groups
    }

    /// Quotient and remainder by `U`.
    #[inline]
    fn split(&self, x: u64) -> (u64, u64) {
        let unit = self.column.unit;
        // As floats these are exact, and the quotient is at most one off.
        if (x | unit) >> 52 != 0 {
            return (x / unit, x % unit);
        }
        let quotient = (x as i64 as f64 * self.inverse) as i64 as u64;
        let rest = x.wrapping_sub(quotient.wrapping_mul(unit)) as i64;
        let more = i64::from(rest >= unit as i64) - i64::from(rest < 0);
        let rest = rest.wrapping_sub(more.wrapping_mul(unit as i64));
        (quotient.wrapping_add_signed(more), rest as u64)
    }
}

impl Steps {
    /// The reach that the accumulators `[column][row]` of a run need, given the rows.
    pub(super) fn reach_of(&self, accumulators: &[i64], rows: usize) -> u32 {
        use rayon::prelude::*;
        let of_column = |(column, accumulators): (usize, &[i64])| {
            let column = self.column(column);
            let [least, most] = [accumulators.iter().min(), accumulators.iter().max()];
            let reach_of = |acc: Option<&i64>| acc.map_or(0, |&acc| column.reach_of(acc));
            reach_of(least).max(reach_of(most))
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

/// The bits of `u` whose weights have the sum `x <= R`.
#[inline]
fn spelled(column: &Column, x: u64) -> u64 {
    let Some(top) = bits(column.common).checked_sub(1) else { return 0 };
    let half = 1 << top;
    if x < half { x } else { x.wrapping_sub(column.common - (half - 1)) | half }
}
