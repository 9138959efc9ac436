//! The prover of a batch of evaluation claims.

use binfer_field::F128;

use super::instance::{EqTerm, InnerProduct};
use super::verify::weights;
use super::{CommonPoint, EvaluationClaim};
use crate::channel::ProverChannel;
use crate::sumcheck::{self, Instance};

/// Reduces true `claims` on `vectors`, multilinears in `n_vars` variables that are zero beyond their
/// length, to claims at one point.
///
/// # Panics
/// Where a vector is longer than `2^n_vars`, or a claim names no vector or has a point of another
/// length.
pub fn prove(
    channel: &mut ProverChannel,
    n_vars: usize,
    vectors: &[&[F128]],
    claims: &[EvaluationClaim<F128>],
) -> CommonPoint<F128> {
    let rho = channel.challenge("claims batching");
    let mut terms: Vec<Vec<EqTerm>> = vec![Vec::new(); vectors.len()];
    let mut sums = vec![F128::ZERO; vectors.len()];
    let weighted = weights(rho, vectors.len(), claims.iter().map(|c| c.vector));
    for (claim, scale) in claims.iter().zip(weighted) {
        sums[claim.vector] += scale * claim.value;
        terms[claim.vector].push(EqTerm { scale, point: claim.point.clone() });
    }
    let mut instances: Vec<InnerProduct> = terms
        .into_iter()
        .zip(vectors)
        .zip(sums)
        .map(|((terms, vector), sum)| InnerProduct::with_eq(terms, vector.to_vec(), n_vars, sum))
        .collect();
    let mut batch: Vec<&mut dyn Instance> =
        instances.iter_mut().map(|i| i as &mut dyn Instance).collect();
    let point = sumcheck::prove(channel, &mut batch);
    let values: Vec<F128> = instances.iter().map(InnerProduct::value).collect();
    channel.send_many("claims values", &values);
    CommonPoint { point, values }
}
