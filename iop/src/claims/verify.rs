//! The verifier of a batch of evaluation claims.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use binfer_field::F128;

use crate::channel::{SoundnessTerm, VerifierChannel, VerifyError};
use crate::multilinear::eq;
use crate::sumcheck::{self, Shape};

/// A claim `f_vector(point) = value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvaluationClaim<E> {
    /// Which vector.
    pub vector: usize,
    /// One coordinate a variable, variable 0 (the lowest index bit) first.
    pub point: Vec<F128>,
    /// The claimed value.
    pub value: E,
}

/// What a batch becomes: `f_j(point) = values[j]` for all `j`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommonPoint<E> {
    /// One coordinate a variable, variable 0 first.
    pub point: Vec<F128>,
    /// One value a vector.
    pub values: Vec<E>,
}

/// Reduces `claims` on `n_vectors` multilinears in `n_vars` variables to claims at one point.
///
/// # Errors
/// Those of the channel, and [`VerifyError::CheckFailed`] where the values do not fit or a claim's
/// point or vector is not one of the statement's.
pub fn verify<C: VerifierChannel>(
    channel: &mut C,
    n_vars: usize,
    n_vectors: usize,
    claims: &[EvaluationClaim<C::Elem>],
) -> Result<CommonPoint<C::Elem>, VerifyError> {
    if claims.iter().any(|c| c.vector >= n_vectors || c.point.len() != n_vars) {
        return Err(VerifyError::CheckFailed { label: "claims shape" });
    }
    let rho = channel.challenge("claims batching");
    let weighted = weights(rho, n_vectors, claims.iter().map(|c| c.vector));
    let count = |j| claims.iter().filter(|c| c.vector == j).count();
    let degree = (0..n_vectors).map(count).max().unwrap_or(0).saturating_sub(1);
    if degree > 0 {
        channel.soundness(SoundnessTerm::schwartz_zippel("claims batching", degree as f64));
    }
    let zero = C::Elem::from(F128::ZERO);
    let mut batch = vec![(zero, Shape { n_vars, degree: 2 }); n_vectors];
    for (claim, &weight) in claims.iter().zip(&weighted) {
        if let Some((sum, _)) = batch.get_mut(claim.vector) {
            *sum += claim.value * weight;
        }
    }
    let reduced = sumcheck::verify(channel, &batch)?;
    let values = channel.receive_many("claims values", n_vectors)?;
    let mut expected = zero;
    for (claim, &weight) in claims.iter().zip(&weighted) {
        let of_vector = reduced.weights.get(claim.vector).zip(values.get(claim.vector));
        if let Some((&batch_weight, &value)) = of_vector {
            expected += value * (batch_weight * weight * eq(&claim.point, &reduced.challenges));
        }
    }
    channel.assert_zero("claims values", reduced.claim + expected)?;
    Ok(CommonPoint { point: reduced.challenges, values })
}

/// `rho^i` for the `i`-th claim on each vector.
pub(super) fn weights(
    rho: F128,
    n_vectors: usize,
    vectors: impl Iterator<Item = usize>,
) -> Vec<F128> {
    let mut next = vec![F128::ONE; n_vectors];
    let weight = |j: usize| {
        next.get_mut(j).map_or(F128::ZERO, |power| core::mem::replace(power, *power * rho))
    };
    vectors.map(weight).collect()
}
