//! Where claims lie: the rows of all oracles stacked, and each claim cut at row boundaries.

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
use binfer_iop::channel::VerifyError;

use crate::{ClaimGroup, Params, code::MAX_LOG_LENGTH};

/// The most rows of all oracles of an opening together.
const MAX_ROWS: usize = 1 << 20;

/// The size of an oracle: `n_rows` rows of `2^log_row` words, a word being one [`F128`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Logarithm of the words in a row.
    pub log_row: u32,
    /// Rows; any number.
    pub n_rows: usize,
}

impl Shape {
    /// The shape that holds `n_words` words in rows of `2^log_row`.
    pub fn for_words(log_row: u32, n_words: usize) -> Self {
        let row = 1usize.checked_shl(log_row).unwrap_or(usize::MAX);
        Self { log_row, n_rows: n_words.div_ceil(row) }
    }

    /// Words in all rows.
    pub fn n_words(&self) -> usize {
        self.n_rows.checked_shl(self.log_row).unwrap_or(usize::MAX)
    }
}

/// The rows of an opening's oracles, stacked in order.
pub(crate) struct Layout {
    /// Logarithm of the words in a row.
    pub(crate) log_row: u32,
    /// Rows of each oracle.
    pub(crate) n_rows: Vec<usize>,
    /// Rows of all of them.
    pub(crate) total_rows: usize,
}

/// The part of a claim that lies in one row: `weight * eq(point, y)` on the `2^n_vars` words that
/// start at `offset`, a multiple of their number.
#[derive(Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) row: usize,
    pub(crate) offset: usize,
    pub(crate) n_vars: u32,
    pub(crate) weight: F128,
}

const fn invalid(label: &'static str) -> VerifyError {
    VerifyError::CheckFailed { label }
}

impl Layout {
    /// Stacks oracles of these shapes.
    ///
    /// # Errors
    /// Where the parameters are invalid, rows differ in length, or there are too many.
    pub(crate) fn new(params: &Params, shapes: &[Shape]) -> Result<Self, VerifyError> {
        params.validate().map_err(|_| invalid("commitment parameters"))?;
        let log_row = shapes.first().map_or(0, |shape| shape.log_row);
        if shapes.iter().any(|shape| shape.log_row != log_row) {
            return Err(invalid("oracles of one opening have rows of one length"));
        }
        if log_row.saturating_add(params.log_inv_rate) > MAX_LOG_LENGTH {
            return Err(invalid("row length"));
        }
        let n_rows: Vec<usize> = shapes.iter().map(|shape| shape.n_rows).collect();
        let total_rows = n_rows.iter().fold(0, |sum: usize, &n| sum.saturating_add(n));
        if total_rows > MAX_ROWS {
            return Err(invalid("number of rows"));
        }
        Ok(Self { log_row, n_rows, total_rows })
    }

    /// Variables of a row's index in the stack.
    pub(crate) fn row_vars(&self) -> u32 {
        self.total_rows.max(1).next_power_of_two().ilog2()
    }

    /// Cuts a group's claims into pieces, those of claim `j` weighted by `weights[j]` besides their own weights. Parts in rows that do
    /// not exist are left out: the words there are zero.
    ///
    /// # Errors
    /// Where a claim names no oracle, is narrower than a word, longer than the point or misaligned.
    pub(crate) fn pieces<E>(
        &self,
        group: &ClaimGroup<E>,
        weights: &[F128],
    ) -> Result<Vec<Piece>, VerifyError> {
        let log_word = group.width.log_coefficients();
        let mut pieces = Vec::with_capacity(group.claims.len());
        let weighted = group.claims.iter().zip(weights);
        let parts = weighted
            .flat_map(|(claim, &weight)| claim.parts.iter().map(move |p| (p, weight * p.weight)));
        for (part, weight) in parts {
            let &n_rows = self.n_rows.get(part.oracle).ok_or(invalid("claim on no oracle"))?;
            let first: usize = self.n_rows.iter().take(part.oracle).sum();
            let n_vars = part.n_vars.checked_sub(log_word).ok_or(invalid("claim below a word"))?;
            if n_vars as usize > group.point.len() {
                return Err(invalid("claim longer than its point"));
            }
            if n_vars >= MAX_LOG_LENGTH || low_bits(part.offset, n_vars) != 0 {
                return Err(invalid("claim's alignment"));
            }
            let row = part.offset >> self.log_row;
            let Some(rows_left @ 1..) = n_rows.checked_sub(row) else {
                continue;
            };
            let Some(row_vars @ 1..) = n_vars.checked_sub(self.log_row) else {
                let offset = low_bits(part.offset, self.log_row);
                pieces.push(Piece { row: first.saturating_add(row), offset, n_vars, weight });
                continue;
            };
            // Rows beyond the last are zero, so high variables may have a factor for zero only.
            let row_point = group.point.get(self.log_row as usize..n_vars as usize).unwrap_or(&[]);
            let present = row_vars.min(rows_left.next_power_of_two().ilog2());
            let (low, absent) = row_point.split_at_checked(present as usize).unwrap_or_default();
            let scale = absent.iter().fold(weight, |product, &p| product * (F128::ONE + p));
            let piece = |(i, eq)| Piece {
                row: first.saturating_add(row).saturating_add(i),
                offset: 0,
                n_vars: self.log_row,
                weight: scale * eq,
            };
            let table = kernels::eq_table(low);
            pieces.extend(table.into_iter().take(rows_left).enumerate().map(piece));
        }
        Ok(pieces)
    }
}

/// `x` modulo `2^n`, `n` below 64.
pub(crate) const fn low_bits(x: usize, n: u32) -> usize {
    x & !(usize::MAX << n)
}

/// The powers `1, x, x^2, ..` of a batching challenge.
pub(crate) fn powers(x: F128) -> impl Iterator<Item = F128> {
    core::iter::successors(Some(F128::ONE), move |&power| Some(power * x))
}

/// The powers of `alpha`, one a claim, claims numbered through all groups.
pub(crate) fn claim_weights<E>(groups: &[ClaimGroup<E>], alpha: F128) -> Vec<Vec<F128>> {
    let mut all = powers(alpha);
    groups.iter().map(|group| all.by_ref().take(group.claims.len()).collect()).collect()
}
