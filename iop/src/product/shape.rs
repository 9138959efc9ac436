//! The public shape of a product tree and the claims at its two ends.

use binfer_field::F128;
use binfer_field::kernels::eq_table;

use crate::multilinear::{log2_ceil, powers};

/// Rows from which columns are worth a call each.
pub(super) const LONG: usize = 16;

/// Columns that are argued as the factors of one.
pub(super) const FOUR: usize = 4;

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

    /// Variables that index the columns, which is the number of levels down to the leaves.
    pub fn col_vars(&self) -> usize {
        log2_ceil(self.cols)
    }

    /// Whether four columns at a time are argued as the factors of one leaf: those of one factor, more than four of 16 rows and
    /// more.
    pub(super) fn is_in_fours(&self) -> bool {
        self.fan_in == 1 && self.cols > FOUR && self.rows >= LONG
    }

    /// The box that is argued. The last columns may be fewer than four; what is beyond them is one.
    pub(super) fn argued(self) -> Self {
        if self.is_in_fours() {
            Self { rows: self.rows, cols: self.cols.div_ceil(FOUR), fan_in: FOUR }
        } else {
            self
        }
    }
}

/// [`BoxShape::argued`] of each.
pub(super) fn argued(shapes: &[BoxShape]) -> Vec<BoxShape> {
    shapes.iter().map(|shape| shape.argued()).collect()
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

/// What values for the factors of leaves weigh, for each number of factors: powers of `gamma`. Four factors have one power together, times
/// `eq(place, .)`, so that those of a box in fours add up to a claim on its columns.
pub(super) fn factor_weights(
    fan_ins: &[usize],
    has_single: bool,
    gamma: F128,
    place: &[F128],
) -> Vec<Vec<F128>> {
    let mut gammas = powers(gamma).skip(usize::from(has_single));
    let of_fan_in = |&fan_in: &usize| match fan_in {
        FOUR => {
            let gamma = gammas.next().unwrap_or_default();
            eq_table(place).into_iter().map(|eq| gamma * eq).collect()
        }
        _ => gammas.by_ref().take(fan_in).collect(),
    };
    fan_ins.iter().map(of_fan_in).collect()
}

impl<E> LeafClaim<E> {
    /// The claim on leaves from that on the factors of a box in fours, combined at `place`; its value is `value`.
    pub(super) fn out_of_fours(&mut self, place: &[F128], value: E) {
        self.col_point.splice(..0, place.iter().copied());
        self.weights = vec![self.weights.iter().copied().sum()];
        self.values = vec![value];
    }
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
