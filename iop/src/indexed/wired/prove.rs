//! The prover of claims with public weights.

use binfer_field::{F128, kernels};
use rayon::prelude::*;

use super::WiredClaim;
use super::verify::{batches, same};
use crate::buffer::Buffer;
use crate::channel::ProverChannel;
use crate::indexed::onehot::OneHotClaim;
use crate::join::{self, Product};
use crate::multilinear::log2_ceil;
use crate::sumcheck::{self, Instance, Shape};

/// Elements a parallel task should have at least.
const TASK: usize = 1 << 12;

/// Weights that a prover writes down.
pub trait AddWeights: Sync {
    /// Adds `scale` times the weight of every element to `out`, `[column][row]`.
    fn add_to(&self, scale: F128, out: &mut [F128]);
}

/// One true claim with its prover data.
pub struct WiredInput<'a, W> {
    /// The claim.
    pub claim: WiredClaim<F128, W>,
    /// The view's indices, `[column][row]`.
    pub indices: &'a [u8],
}

/// Reduces claims with public weights to claims at points, one for each view and `sigma`.
///
/// # Panics
/// Where a view has not as many indices as elements.
pub fn prove<W: AddWeights>(
    channel: &mut ProverChannel,
    inputs: &[WiredInput<'_, W>],
) -> Vec<OneHotClaim<F128>> {
    let batches = batches(inputs, |a, b| same(&a.claim, &b.claim));
    let mut instances: Vec<WiredProduct> =
        batches.par_iter().map(|batch| WiredProduct::new(batch)).collect();
    let mut batch: Vec<&mut dyn Instance> =
        instances.iter_mut().map(|i| i as &mut dyn Instance).collect();
    let ones = vec![F128::ONE; batch.len()];
    let (challenges, mut weights) = sumcheck::prove_weighted(channel, &mut batch, ones);
    let claim = |((batch, instance), weight): ((&Vec<&WiredInput<'_, W>>, _), &mut F128)| {
        let (first, instance): (_, &WiredProduct) = (&batch[0].claim, instance);
        *weight *= instance.weights[0];
        let own = &challenges[challenges.len() - first.shape().n_vars..];
        first.at(own, F128::ZERO, instance.one_hot[0])
    };
    let of_batches = batches.iter().zip(&instances).zip(&mut weights);
    let mut hot: Vec<OneHotClaim<F128>> = of_batches.map(claim).collect();
    let values = hot.iter().map(|claim| claim.value).collect();
    let joined =
        join::prove(channel, "wired values", vec![Product { weights, factors: vec![values] }]);
    for (claim, weight) in hot.iter_mut().zip(joined.weights) {
        claim.weight = weight;
    }
    hot
}

/// `sum_x w(x) O(x)`, both `[column][row]` and zero beyond their length, bound from the highest variable
/// down, columns first.
struct WiredProduct {
    rows: usize,
    row_vars: usize,
    /// Variables that are left.
    left: usize,
    weights: Buffer,
    one_hot: Buffer,
    claim: F128,
    /// The round polynomial, constant first, between a round and its binding.
    round: [F128; 3],
}

impl WiredProduct {
    fn new<W: AddWeights>(batch: &[&WiredInput<'_, W>]) -> Self {
        let WiredInput { claim, indices } = batch[0];
        assert_eq!(indices.len(), claim.rows * claim.cols);
        let mut weights = Buffer::zeroed(indices.len());
        let mut value = F128::ZERO;
        for WiredInput { claim, .. } in batch {
            claim.weights.add_to(claim.weight, &mut weights);
            value += claim.weight * claim.value;
        }
        let table = kernels::eq_table(&claim.index_point);
        let mut one_hot = Buffer::unspecified(indices.len());
        let chunks = one_hot.par_chunks_mut(TASK).zip(indices.par_chunks(TASK));
        chunks.for_each(|(out, indices)| kernels::gather(out, &table, indices));
        Self {
            rows: claim.rows,
            row_vars: log2_ceil(claim.rows),
            left: claim.shape().n_vars,
            weights,
            one_hot,
            claim: value,
            round: [F128::ZERO; 3],
        }
    }

    /// Elements of the lower half of the variable to be bound next, as far as there are any.
    fn half(&self) -> usize {
        let half = match (self.left - 1).checked_sub(self.row_vars) {
            Some(cols) => self.rows << cols,
            None => 1 << (self.left - 1),
        };
        half.min(self.weights.len())
    }
}

impl Instance for WiredProduct {
    fn shape(&self) -> Shape {
        Shape { n_vars: self.left, degree: 2 }
    }

    fn round(&mut self) -> Vec<F128> {
        let half = self.half();
        let (w_lo, w_hi) = self.weights.split_at(half);
        let (o_lo, o_hi) = self.one_hot.split_at(half);
        // Where there is an upper half: the sums of both; elsewhere the lower is all.
        let paired = w_hi.len();
        let chunks = w_lo[..paired].par_chunks(TASK).zip(o_lo[..paired].par_chunks(TASK));
        let chunks = chunks.zip(w_hi.par_chunks(TASK).zip(o_hi.par_chunks(TASK)));
        let sums = chunks.map(|((w_lo, o_lo), (w_hi, o_hi))| {
            let (mut w, mut o) = (w_lo.to_vec(), o_lo.to_vec());
            kernels::add_assign(&mut w, w_hi);
            kernels::add_assign(&mut o, o_hi);
            (kernels::inner_product(w_lo, o_lo), kernels::inner_product(&w, &o))
        });
        let sums = sums.reduce(|| (F128::ZERO, F128::ZERO), |a, b| (a.0 + b.0, a.1 + b.1));
        let single = w_lo[paired..].par_chunks(TASK).zip(o_lo[paired..].par_chunks(TASK));
        let single: F128 = single.map(|(w, o)| kernels::inner_product(w, o)).sum();
        let (at_zero, leading) = (sums.0 + single, sums.1 + single);
        // s(0) + s(1) is the sum of all coefficients but the constant.
        self.round = [at_zero, self.claim + leading, leading];
        self.round.to_vec()
    }

    fn bind(&mut self, r: F128) {
        let half = self.half();
        for vector in [&mut self.weights, &mut self.one_hot] {
            let (lo, hi) = vector.split_at_mut(half);
            let (paired, single) = lo.split_at_mut(hi.len());
            let chunks = paired.par_chunks_mut(TASK).zip(hi.par_chunks(TASK));
            chunks.for_each(|(lo, hi)| kernels::fold(lo, hi, r));
            kernels::scale(single, F128::ONE + r);
            vector.truncate(half);
        }
        let [constant, linear, leading] = self.round;
        self.claim = constant + r * (linear + r * leading);
        self.left -= 1;
    }
}
