//! The verifier of claims with public weights.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use binfer_field::F128;

use super::split_challenges;
use crate::channel::{Blank, VerifierChannel, VerifyError};
use crate::indexed::onehot::OneHotClaim;
use crate::join::{self, Combined, Term};
use crate::multilinear::log2_ceil;
use crate::sumcheck::{self, Shape};

/// Public weights of the elements of a view.
pub trait Weights {
    /// Their multilinear extension, zero outside the view's box, at a point.
    fn evaluate(&self, row_point: &[F128], col_point: &[F128]) -> F128;
}

/// A claim on `sum_{r, c} w(r, c) prod_s (1 + sigma_s + bit_s(r, c))` of a view, one of those whose weighted sum is
/// known.
#[derive(Clone, Debug)]
pub struct WiredClaim<E, W> {
    /// Which view.
    pub view: usize,
    /// Its rows.
    pub rows: usize,
    /// Its columns.
    pub cols: usize,
    /// `sigma`, one coordinate an index bit, lowest first.
    pub index_point: Vec<F128>,
    /// `w`.
    pub weights: W,
    /// What the value is multiplied by in the sum of all claims.
    pub weight: F128,
    /// The value; blank for a verifier.
    pub value: E,
}

impl<E, W> WiredClaim<E, W> {
    /// Variables that index the columns.
    pub(super) fn col_vars(&self) -> usize {
        log2_ceil(self.cols)
    }

    /// The shape of the claim's sumcheck.
    pub(super) fn shape(&self) -> Shape {
        Shape { n_vars: log2_ceil(self.rows).saturating_add(self.col_vars()), degree: 2 }
    }

    /// The claim that is left at the end of the sumcheck, whose challenges these are.
    pub(super) fn at<V>(&self, challenges: &[F128], weight: F128, value: V) -> OneHotClaim<V> {
        let (row_point, col_point) = split_challenges(challenges, self.col_vars());
        let index_point = self.index_point.clone();
        OneHotClaim { view: self.view, row_point, col_point, index_point, weight, value }
    }
}

/// The claims on each one-hot polynomial, in the order of the first of each.
pub(super) fn batches<T>(
    claims: impl IntoIterator<Item = T>,
    same: impl Fn(&T, &T) -> bool,
) -> Vec<Vec<T>> {
    let mut batches: Vec<Vec<T>> = Vec::new();
    for claim in claims {
        let is_same = |batch: &&mut Vec<T>| batch.first().is_some_and(|first| same(first, &claim));
        match batches.iter_mut().find(is_same) {
            Some(batch) => batch.push(claim),
            None => batches.push(vec![claim]),
        }
    }
    batches
}

/// Whether two claims are on one polynomial.
pub(super) fn same<E, W>(a: &WiredClaim<E, W>, b: &WiredClaim<E, W>) -> bool {
    let shape = |claim: &WiredClaim<E, W>| (claim.view, claim.rows, claim.cols);
    shape(a) == shape(b) && a.index_point == b.index_point
}

/// Reduces claims with public weights to claims at points, one for each view and `sigma`; `value` is the weighted sum of the
/// claims.
///
/// # Errors
/// Those of the channel, and a failed check where the sumcheck does not close.
pub fn verify<C: VerifierChannel, W: Weights>(
    channel: &mut C,
    claims: &[WiredClaim<Blank, W>],
    value: C::Elem,
) -> Result<Combined<OneHotClaim<Blank>, C::Elem>, VerifyError> {
    let batches = batches(claims, |a, b| same(a, b));
    let of_batch = |batch: &Vec<&WiredClaim<Blank, W>>| {
        batch.first().map_or(Shape { n_vars: 0, degree: 2 }, |claim| claim.shape())
    };
    let shapes: Vec<Shape> = batches.iter().map(of_batch).collect();
    let ones = vec![F128::ONE; shapes.len()];
    let reduced = sumcheck::verify_weighted(channel, value, &shapes, ones)?;
    let (mut hot, mut weights) = (Vec::new(), Vec::new());
    for ((batch, shape), &weight) in batches.iter().zip(&shapes).zip(&reduced.weights) {
        let Some(first) = batch.first() else { continue };
        let claim = first.at(reduced.point(shape.n_vars), weight, Blank);
        let at = |claim: &WiredClaim<Blank, W>, hot: &OneHotClaim<Blank>| {
            claim.weight * claim.weights.evaluate(&hot.row_point, &hot.col_point)
        };
        let sum: F128 = batch.iter().map(|wired| at(wired, &claim)).sum();
        weights.push(weight * sum);
        hot.push(claim);
    }
    let joined =
        join::verify(channel, "wired values", reduced.claim, &[Term { weights, factors: 1 }])?;
    for (claim, weight) in hot.iter_mut().zip(joined.weights) {
        claim.weight = weight;
    }
    let malformed = VerifyError::CheckFailed { label: "wired values" };
    let &value = joined.values.first().and_then(|values| values.first()).ok_or(malformed)?;
    Ok(Combined { claims: hot, value })
}
