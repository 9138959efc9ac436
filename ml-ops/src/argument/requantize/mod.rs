//! Requantization in the exponent: which codes and distances prove `acc -> code`.
//!
//! # Relation
//! A step function's codes have ranges `lo[q] ..= hi[q]` that partition `[-B, B]`; output `(i, j)` is the code of the range
//! that `acc_ij` lies in.
//!
//! # Messages
//! For each output the prover commits, besides its code, a *distance*: `m` bits `e`, `d` bits `u`, `t` bits `c` and
//! `t + ceil(log2(g + 1))` bits `s`. `u` has weights such that its sums are exactly `0 ..= R`; the other bits weigh `2^i`. `e` is in `g`
//! groups of as many bits as an index has, `|e|` is the number of groups that are not zero. With independent bases `h_j` and `k_j` for
//! column `j`, row `i` passes iff
//!
//! `prod_j h_j^(acc_ij) = prod_j h_j^(lo*[q] + u + c + U e) k_j^(c + s + 2^t |e| - target[q])`,
//!
//! `U = R + 2^t`. `m`, the *reach*, is declared by the prover: the least that a run needs. All else follows from the step
//! functions.
//!
//! # Soundness
//! All exponents are zero, but for the error of a check in the exponent. Let `S = 2^t (g + 1) - 1`.
//!
//! * *An inner code* that occurs has `lo* = lo`, `target = hi - lo - R`, which is in `[0, 2^t)`. As `2^t |e| <= target`, `e = 0`, and
//!   `c <= target`: so `lo <= acc = lo + u + c <= lo + R + target = hi`.
//! * *The last code* has `lo* = lo`, `target = S`: `acc >= lo`. `acc <= B` holds anyway.
//! * *The first of several codes* has `lo* = hi - (U 2^m - 1)`, `target = S`. As `u + c <= R + 2^t - 1 = U - 1`, the sum is at most
//!   `U 2^m - 1`: `acc <= hi`.
//! * *A code that never occurs* has `target = -1`, which no bits give.
//!
//! That holds for any `m`. And every accumulator has a distance for its code, at the ends if it is less than `U 2^m` from the
//! threshold: `u + c` takes every value of `0 ..= R + c'` with `c <= c'`, and `s` makes up for `c` and `|e|`.
//!
//! # Cost
//! `m + d + 2t + ceil(log2(g + 1))` bits an output. `R` and `t` are those with the fewest: where all inner ranges differ by one
//! in size, as those of a scale do, `t = 1` and `d` is the size of the ranges in bits. Every bit of a distance is one base to
//! the power of the bit, but for `|e|`, so tables of its chunks are products, and one or two have a gate.
//!
//! Bounds are below `2^62`, so that differences of thresholds fit 64 bits.

mod reach;
mod split;
mod steps;
mod tables;
#[cfg(feature = "prover")]
mod witness;

#[cfg(all(test, feature = "prover"))]
mod tests;

#[cfg(all(test, feature = "prover"))]
pub(crate) use tests::saying;

pub use reach::ReachError;
pub(crate) use reach::{Declared, Requantized};
#[cfg(feature = "prover")]
pub(crate) use witness::Distance;

use std::sync::Arc;

use self::steps::{Column, Steps};

/// Bytes that are held of a column's step function, besides what its ranges of codes hold.
#[cfg(feature = "prover")]
pub(crate) const COLUMN_BYTES: usize = size_of::<Column>();

/// The public constants of a requantization whose proof declares a reach.
pub(crate) struct Thresholds {
    steps: Arc<Steps>,
    /// `m`.
    reach: u32,
    /// Bits of an index of a distance, but perhaps the last.
    width: u32,
}

/// What is known of one code of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Code {
    /// `lo*`, of the first of several codes `lo* + U 2^m`.
    low: i64,
    kind: Kind,
}

/// Where a code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// It is the least of several.
    First,
    /// Between the ends, with its target.
    Inner(u64),
    /// It is the largest.
    Last,
    /// It never occurs.
    Never,
}

impl Thresholds {
    fn new(steps: Arc<Steps>, reach: u32) -> Self {
        Self { steps, reach, width: u8::BITS }
    }

    /// The same with distances in indices of `width` bits, at most 8.
    pub(crate) fn in_indices(&self, width: u32) -> Self {
        Self { steps: self.steps.clone(), width, ..*self }
    }

    /// Whether all columns have one step function.
    pub(crate) fn are_shared(&self) -> bool {
        self.steps.columns.len() == 1
    }

    /// Bits of a distance.
    pub(crate) fn distance_bits(&self) -> u32 {
        self.steps.distance_bits(self.reach, self.width)
    }

    /// Bits of an index of a distance.
    pub(crate) fn width(&self) -> u32 {
        self.width
    }

    /// Bits of an index that are bits of `e`, its lowest ones, given the first bit and how many there are.
    pub(crate) fn gated(&self, first: u32, bits: u32) -> u32 {
        self.reach.saturating_sub(first).min(bits)
    }

    /// Bits of a distance in a run whose accumulators lie as far beyond thresholds as any can, in indices of as many bits.
    pub(crate) fn most_distance_bits(&self) -> u32 {
        self.steps.distance_bits(self.steps.most_reach(), self.width)
    }

    /// `g`.
    fn groups(&self) -> u32 {
        self.reach.div_ceil(self.width)
    }

    /// Bits of `s`.
    fn rest_bits(&self) -> u32 {
        self.steps.rest_bits(self.groups())
    }

    /// Bits of `e` that a column uses: those that accumulators within the bound need.
    fn reach_in(&self, column: &Column) -> u32 {
        self.reach.min(column.most_reach)
    }

    /// Bound on the size of any exponent that operands of size `bound` and any committed bits can leave over.
    pub(crate) fn exponent_bound(&self, bound: i128) -> i128 {
        let of_column = |column: &Column| {
            let span = i128::from(column.unit) << self.reach_in(column);
            // `lo*` grows with the code, so that its extremes are the ends'.
            let ends = [column.ranges.first(), column.ranges.last()];
            let lows = ends.map(|code| {
                let Code { low, kind } = column.code(code);
                i128::from(low) - if kind == Kind::First { span } else { 0 }
            });
            let most = |low: i128| low.abs().max((low + span).abs());
            most(lows[0]).max(most(lows[1]))
        };
        let of_h = bound + self.steps.columns.iter().map(of_column).max().unwrap_or(0);
        let Steps { spare_bits, .. } = *self.steps;
        let of_k = ((i128::from(self.groups()) + 1) << spare_bits) + (1 << self.rest_bits());
        of_h.max(of_k)
    }
}
