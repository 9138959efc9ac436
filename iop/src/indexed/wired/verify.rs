//! The verifier of claims with public weights.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use binfer_field::F128;

use super::split_challenges;
use crate::channel::{VerifierChannel, VerifyError};
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

    /// The claim that is left at the end of the sumcheck.
    pub(super) fn at(
        &self,
        (row_point, col_point): (Vec<F128>, Vec<F128>),
        value: E,
    ) -> OneHotClaim<E> {
        let index_point = self.index_point.clone();
        OneHotClaim { view: self.view, row_point, col_point, index_point, value }
    }
}

/// Reduces claims with public weights to claims at points, in their order. Without claims nothing is
/// received or drawn.
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
    let batch: Vec<_> = claims.iter().map(|claim| (claim.value, claim.shape())).collect();
    let reduced = sumcheck::verify(channel, &batch)?;
    let values = channel.receive_many("wired values", claims.len())?;
    let mut left = reduced.claim;
    let mut hot = Vec::with_capacity(claims.len());
    for ((claim, value), &weight) in claims.iter().zip(values).zip(&reduced.weights) {
        let own = reduced.point(claim.shape().n_vars);
        let point = split_challenges(own, claim.col_vars());
        left += value * (weight * claim.weights.evaluate(&point.0, &point.1));
        hot.push(claim.at(point, value));
    }
    channel.assert_zero("wired values", left)?;
    Ok(hot)
}
