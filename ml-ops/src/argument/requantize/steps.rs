//! What step functions ask of distances: how many bits they have, and what the bits weigh.

use super::{Code, Kind};
use crate::graph::{CodeRanges, Epilogue};

/// The step functions of one node.
pub(crate) struct Steps {
    /// One for all columns, or one for each.
    pub(super) columns: Vec<Column>,
    /// `d`: bits that every `R` has at most.
    pub(super) common_bits: u32,
    /// `t`: bits that every inner range's size exceeds its column's `R` by at most, less one.
    pub(super) spare_bits: u32,
}

/// The step function of one column, or of all.
pub(super) struct Column {
    pub(super) ranges: CodeRanges,
    /// `R`, less than the size of every inner range.
    pub(super) common: u64,
    /// `U = R + 2^t`.
    pub(super) unit: u64,
    /// The reach of the accumulator that lies farthest beyond a threshold.
    pub(super) most_reach: u32,
}

impl Steps {
    /// Those of `epilogue`, which gives codes, for accumulators of size at most `bound`.
    pub(super) fn new(epilogue: &Epilogue, bound: i128) -> Self {
        // A valid graph's requantized accumulators are below 2^62.
        let bound = bound.min((1 << 62) - 1) as i64;
        let (mut inner, mut farthest) = (Vec::new(), Vec::new());
        // What columns have in common is filled in below: their ranges, which are large, stay where they are, and are looked at
        // while they are in the cache.
        let column = |ranges: CodeRanges| {
            inner.push(ranges.inner_sizes());
            farthest.push(farthest_of(&ranges));
            Column { ranges, common: 0, unit: 0, most_reach: 0 }
        };
        let mut columns: Vec<_> = epilogue.thresholds(bound).map(column).collect();
        let known: Vec<_> = inner.iter().copied().flatten().collect();
        // Where every code is an end, bits that need no `s` reach as far as there are accumulators.
        let of_ends = || (bits(farthest.iter().copied().max().unwrap_or(0)), 0);
        let (common_bits, spare_bits) = fewest_bits(&known).unwrap_or_else(of_ends);
        let most = (1 << common_bits) - 1;
        for ((column, inner), farthest) in columns.iter_mut().zip(inner).zip(farthest) {
            column.common = inner.map_or(most, |(least, _)| most.min(least - 1));
            column.unit = column.common + (1 << spare_bits);
            column.most_reach = reach(column.unit, farthest);
        }
        Self { columns, common_bits, spare_bits }
    }

    /// The step function of a column.
    pub(super) fn column(&self, column: usize) -> &Column {
        if self.columns.len() == 1 { &self.columns[0] } else { &self.columns[column] }
    }

    /// Bits of a distance with this reach, in indices of this width.
    pub(super) fn distance_bits(&self, reach: u32, width: u32) -> u32 {
        reach + self.common_bits + self.spare_bits + self.rest_bits(reach.div_ceil(width))
    }

    /// Bits of `s`: those of `2^t (g + 1) - 1`.
    pub(super) fn rest_bits(&self, groups: u32) -> u32 {
        self.spare_bits + bits(groups.into())
    }

    /// The largest reach that accumulators within the bound ask for.
    pub(super) fn most_reach(&self) -> u32 {
        self.columns.iter().map(|column| column.most_reach).max().unwrap_or(0)
    }
}

impl Column {
    /// What is known of a code.
    #[inline]
    pub(super) fn code(&self, code: u8) -> Code {
        let (first, last) = (self.ranges.first(), self.ranges.last());
        let Some((lo, hi)) = self.ranges.range(code) else {
            // Near its neighbours', which keeps the steps between codes few.
            return Code { low: self.ranges.next_least(code), kind: Kind::Never };
        };
        if code == last {
            return Code { low: lo, kind: Kind::Last };
        }
        if code == first {
            return Code { low: hi + 1, kind: Kind::First };
        }
        Code { low: lo, kind: Kind::Inner(lo.abs_diff(hi) - self.common) }
    }

    /// The weight of bit `i` of `u`: those of `0 .. d` have the sums `0 ..= R`.
    pub(super) fn weight(&self, i: u32) -> u64 {
        match (i + 1).cmp(&bits(self.common)) {
            core::cmp::Ordering::Less => 1 << i,
            core::cmp::Ordering::Equal => self.common - ((1 << i) - 1),
            core::cmp::Ordering::Greater => 0,
        }
    }
}

/// The least `m` with `unit 2^m > distance`.
pub(super) fn reach(unit: u64, distance: u64) -> u32 {
    bits(distance / unit)
}

/// The number of bits of an integer.
pub(super) fn bits(x: u64) -> u32 {
    u64::BITS - x.leading_zeros()
}

/// How far an accumulator may lie beyond the threshold of an end.
fn farthest_of(ranges: &CodeRanges) -> u64 {
    let ends = [ranges.first(), ranges.last()].map(|code| ranges.range(code));
    ends.into_iter().flatten().map(|(lo, hi)| lo.abs_diff(hi)).max().unwrap_or(0)
}

/// The `d` and `t` that make `d + 2t` least, given the sizes of inner ranges of each column; `None` where there are none.
fn fewest_bits(sizes: &[(u64, u64)]) -> Option<(u32, u32)> {
    let spread = sizes.iter().map(|(least, most)| bits(most - least)).max()?;
    let widest = sizes.iter().map(|&(_, most)| most).max()?;
    // `R >= most - 2^t` in each column.
    let splits = (spread..=bits(widest - 1)).map(|t| (bits(widest.saturating_sub(1 << t)), t));
    splits.min_by_key(|(d, t)| d + 2 * t)
}
