//! The public shape of a product tree and the claims at its two ends.

use binfer_field::F128;

use crate::multilinear::log2_ceil;

/// The box of a tree's leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoxShape {
    /// Rows: one product each. At least 1.
    pub rows: usize,
    /// Leaves a row. At least 1.
    pub cols: usize,
    /// Factors a leaf. At least 1.
    pub fan_in: usize,
}

impl BoxShape {
    /// Variables that index the rows.
    pub fn row_vars(&self) -> usize {
        log2_ceil(self.rows)
    }

    /// Variables that index the columns, which is the number of binary levels.
    pub fn col_vars(&self) -> usize {
        log2_ceil(self.cols)
    }
}

/// A claim on a tree's outputs: `P(row_point) = value`.
#[derive(Clone, Debug)]
pub struct RootClaim<E> {
    /// `row_vars` coordinates, lowest first.
    pub row_point: Vec<F128>,
    /// The claimed value of the extension that is one outside the rows.
    pub value: E,
}

/// Claims on a tree's factors at one point, part of a [`Combined`](crate::join::Combined) claim: known is the sum of
/// `weights[g] (L_g(row_point, col_point) + 1)` over the factors of all trees.
#[derive(Clone, Debug)]
pub struct LeafClaim<E> {
    /// `row_vars` coordinates, lowest first.
    pub row_point: Vec<F128>,
    /// `col_vars` coordinates, lowest first.
    pub col_point: Vec<F128>,
    /// One a factor.
    pub weights: Vec<F128>,
    /// One value a factor, of the extensions that are one outside the box; blank for a verifier.
    pub values: Vec<E>,
}

/// Splits an instance's challenges into row and column points: columns are bound first and lowest
/// first, then rows, highest first.
pub(super) fn split_challenges(challenges: &[F128], n_cols: usize) -> (Vec<F128>, Vec<F128>) {
    let (cols, rows) = challenges.split_at_checked(n_cols).unwrap_or((challenges, &[]));
    // A level's own coordinate is put in front.
    let mut col_point = Vec::with_capacity(cols.len().saturating_add(1));
    col_point.extend_from_slice(cols);
    (rows.iter().rev().copied().collect(), col_point)
}
