//! From claims on leaves to claims on tables and histograms.
//!
//! Relation, for each claim `L(z_r, z_c) = value` on a view of `2^w`-entry tables:
//! `value + 1 = sum_{c < cols, v} eq(z_c, c) (T_c[v] + 1) M(c, v)`. All claims run in one batched sumcheck
//! of degree 3; index bits are bound first, then the columns, both highest variable first.
//! Messages: the rounds, then for each claim the values of `T + 1` and of `M`, both zero outside the
//! columns. Soundness: the sumcheck's terms.

mod verify;

#[cfg(feature = "prover")]
mod bits;
#[cfg(feature = "prover")]
mod instance;
#[cfg(feature = "prover")]
mod prove;

#[cfg(feature = "prover")]
pub use prove::{Entries, TableInput, histogram, prove};
pub use verify::verify;

use binfer_field::F128;

/// The public side of one claim.
#[derive(Clone, Debug)]
pub struct TableStatement<E> {
    /// Columns of the view.
    pub cols: usize,
    /// Bits of an index.
    pub width: usize,
    /// Column coordinates of the leaf claim.
    pub col_point: Vec<F128>,
    /// The claimed value of the leaf polynomial.
    pub value: E,
}

/// What one claim is reduced to.
#[derive(Clone, Debug)]
pub struct TableClaim<E> {
    /// `sigma_c`, one coordinate a column variable, lowest first.
    pub col_point: Vec<F128>,
    /// `sigma_v`, one coordinate an index bit, lowest first.
    pub index_point: Vec<F128>,
    /// `T + 1` there.
    pub table: E,
    /// `M` there.
    pub histogram: E,
}

/// Splits an instance's challenges into column and index points: index bits come first, then column
/// variables, both highest first.
fn split_challenges(challenges: &[F128], width: usize) -> (Vec<F128>, Vec<F128>) {
    let (bits, cols) = challenges.split_at_checked(width).unwrap_or((challenges, &[]));
    (cols.iter().rev().copied().collect(), bits.iter().rev().copied().collect())
}
