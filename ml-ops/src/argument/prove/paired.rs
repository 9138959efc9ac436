//! The prover's side of claims on indices that are made of two matrices.

use binfer_field::{F128, kernels};
use binfer_iop::buffer::Buffer;
use binfer_iop::channel::ProverChannel;
use binfer_iop::product::{self, BoxProduct, BoxShape, LeafClaim};
use rayon::prelude::*;

use super::LEAF;
use crate::argument::indices::Indices;
use crate::argument::verify::paired::PairedClaim;
use crate::argument::verify::step::IndexClaims;

/// Takes the claims on products of two apart.
pub(super) fn prove(
    channel: &mut ProverChannel,
    indices: &Indices<'_>,
    indexed: &mut IndexClaims<F128>,
) {
    let claims = core::mem::take(&mut indexed.paired);
    if claims.is_empty() {
        return;
    }
    let part = claims.iter().map(|claim| claim.weight * claim.value).sum();
    channel.send("part of histograms", part);
    let shapes: Vec<BoxShape> = claims.iter().map(PairedClaim::shape).collect();
    let leaves: Vec<LeafClaim<F128>> = claims.iter().map(PairedClaim::leaf).collect();
    let instance = |(claim, leaf)| Some(product(claim, leaf, indices));
    let instances = claims.iter().zip(&leaves).map(instance).collect();
    let leaves = product::prove_factors(channel, &shapes, leaves, instances);
    let scale = channel.challenge("histogram batching");
    for (claim, leaf) in claims.iter().zip(&leaves) {
        let both = claim.split(&indexed.wirings, leaf, scale).expect(LEAF);
        indexed.append(both);
    }
}

/// The sumcheck over leaves whose factors are the one-hot polynomials of both matrices.
fn product(
    claim: &PairedClaim<F128>,
    leaf: &LeafClaim<F128>,
    indices: &Indices<'_>,
) -> BoxProduct<'static> {
    let shape = claim.shape();
    let operands = claim.factor.operands().expect("a factor of two matrices");
    let (low, high) = claim.index_point.split_at(claim.factor.chunk.width());
    let mut leaves = Buffer::unspecified(2 * shape.rows);
    leaves.fill(F128::ONE);
    let halves = leaves.chunks_mut(shape.rows).zip(operands.iter().zip([low, high]));
    for (leaves, (operand, index_point)) in halves {
        let table = kernels::eq_table(index_point);
        let columns = indices.columns(operand);
        let column = shape.rows / columns.len();
        leaves.par_chunks_mut(column).zip(columns).for_each(|(leaves, column)| {
            kernels::gather(&mut leaves[..column.bytes.len()], &table, column.bytes);
        });
    }
    BoxProduct::new(shape, leaves, leaf)
}
