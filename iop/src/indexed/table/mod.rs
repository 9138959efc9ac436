//! From claims on leaves to claims on tables and histograms.
//!
//! Relation, for a weighted sum of claims on views of `2^w`-entry tables, each
//! `L(z_r, z_c) + 1 = sum_{c < cols, v} eq(z_c, c) (T_c[v] + 1) M(c, v)`. All claims run in one batched sumcheck
//! of degree 3, which starts with their weights; index bits are bound first, then the columns, both highest variable first. It
//! ends in a sum of products of `T + 1` and `M`, both zero outside the columns, which is [joined](crate::join): what is left
//! is a weighted sum of all `T + 1` and one of all `M`.
//!
//! Where `taps > 1` columns on end share a table, `T_c = T_j` for `j = c div taps`, the sum is one over tables,
//! `sum_{j, v} (T_j[v] + 1) M'(j, v)` with `M'(j, v) = sum_u eq(z_c, j taps + u) M(j taps + u, v)`. It has no `eq`, its column variables
//! number tables, and it ends in claims on `T + 1` and `M'`.
//! Messages: the rounds and those of the joining. Soundness: their terms.

mod verify;

#[cfg(feature = "prover")]
mod bits;
#[cfg(feature = "prover")]
mod gated;
#[cfg(feature = "prover")]
mod histogram;
#[cfg(feature = "prover")]
mod instance;
#[cfg(feature = "prover")]
mod prove;
#[cfg(all(test, feature = "prover"))]
mod tests;

#[cfg(feature = "prover")]
pub use histogram::{Histogram, histogram};
#[cfg(feature = "prover")]
pub use prove::{Entries, Few, HistogramAt, TableInput, prove};
pub use verify::verify;

use binfer_field::F128;

use crate::channel::Blank;

/// The public side of one claim.
#[derive(Clone, Debug)]
pub struct TableStatement {
    /// Tables.
    pub cols: usize,
    /// Columns of the view, one after the other, that share a table.
    pub taps: usize,
    /// Bits of an index.
    pub width: usize,
    /// Column coordinates of the leaf claim, on all `cols * taps` columns.
    pub col_point: Vec<F128>,
    /// What the leaf polynomial's value, plus one, is multiplied by in the sum.
    pub weight: F128,
}

/// What one claim is reduced to.
#[derive(Clone, Debug)]
pub struct TableClaim<E> {
    /// `sigma_c`, one coordinate a variable of the tables' numbers, lowest first.
    pub col_point: Vec<F128>,
    /// `sigma_v`, one coordinate an index bit, lowest first.
    pub index_point: Vec<F128>,
    /// What both values are multiplied by in their sums.
    pub weight: F128,
    /// `T + 1` there; blank for a verifier.
    pub table: E,
    /// `M`, or `M'`, there; blank for a verifier.
    pub histogram: E,
}

/// What a verifier knows of the claims of one step.
#[derive(Clone, Debug)]
pub struct TableClaims<E> {
    /// The claims.
    pub claims: Vec<TableClaim<Blank>>,
    /// The weighted sum of their tables.
    pub table: E,
    /// The weighted sum of their histograms.
    pub histogram: E,
}

/// Splits an instance's challenges into column and index points: index bits come first, then column
/// variables, both highest first.
fn split_challenges(challenges: &[F128], width: usize) -> (Vec<F128>, Vec<F128>) {
    let (bits, cols) = challenges.split_at_checked(width).unwrap_or((challenges, &[]));
    (cols.iter().rev().copied().collect(), bits.iter().rev().copied().collect())
}
