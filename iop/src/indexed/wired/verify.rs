//! The verifier of claims with public weights.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use binfer_field::F128;

use super::split_challenges;
use crate::channel::{SoundnessTerm, VerifierChannel, VerifyError};
use crate::indexed::onehot::OneHotClaim;
use crate::multilinear::log2_ceil;
use crate::sumcheck::{self, Shape};

/// Public weights of the elements of a view.
pub trait Weights {
    /// Their multilinear extension, zero outside the view's box, at a point.
    fn evaluate(&self, row_point: &[F128], col_point: &[F128]) -> F128;
}

/// A claim `sum_{r, c} w(r, c) prod_s (1 + sigma_s + bit_s(r, c)) = value` on a view.
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
    /// The claimed sum.
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
    pub(super) fn at<V>(&self, challenges: &[F128], value: V) -> OneHotClaim<V> {
        let (row_point, col_point) = split_challenges(challenges, self.col_vars());
        let index_point = self.index_point.clone();
        OneHotClaim { view: self.view, row_point, col_point, index_point, value }
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

/// Reduces claims with public weights to claims at points, one for each view and `sigma`. Without claims nothing
/// is received or drawn.
///
/// # Errors
/// Those of the channel, and a failed check where the sumcheck does not close.
pub fn verify<C: VerifierChannel, W: Weights>(
    channel: &mut C,
    claims: &[WiredClaim<C::Elem, W>],
) -> Result<Vec<OneHotClaim<C::Elem>>, VerifyError> {
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let batches = batches(claims, |a, b| same(a, b));
    let rho = channel.challenge("wired batching");
    let degree = batches.iter().map(Vec::len).max().unwrap_or(0).saturating_sub(1);
    if degree > 0 {
        channel.soundness(SoundnessTerm::schwartz_zippel("wired batching", degree as f64));
    }
    let zero = C::Elem::from(F128::ZERO);
    let mut instances = Vec::with_capacity(batches.len());
    for batch in &batches {
        // Horner's rule, from the last.
        let value = batch.iter().rev().fold(zero, |sum, claim| sum * rho + claim.value);
        let shape = batch.first().map_or(Shape { n_vars: 0, degree: 2 }, |claim| claim.shape());
        instances.push((value, shape));
    }
    let reduced = sumcheck::verify(channel, &instances)?;
    let values = channel.receive_many("wired values", batches.len())?;
    let mut left = reduced.claim;
    let mut hot = Vec::with_capacity(batches.len());
    let ends = instances.iter().zip(values).zip(&reduced.weights);
    for (batch, ((&(_, shape), value), &weight)) in batches.iter().zip(ends) {
        let Some(first) = batch.first() else { continue };
        let claim = first.at(reduced.point(shape.n_vars), value);
        let (rows, cols) = (&claim.row_point, &claim.col_point);
        let weights = batch
            .iter()
            .rev()
            .fold(F128::ZERO, |sum, claim| sum * rho + claim.weights.evaluate(rows, cols));
        left += value * (weight * weights);
        hot.push(claim);
    }
    channel.assert_zero("wired values", left)?;
    Ok(hot)
}
