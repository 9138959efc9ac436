//! The one sumcheck prover: drives instances that compute their own round polynomials.

use binfer_field::F128;
use rayon::prelude::*;

use crate::channel::ProverChannel;
use crate::multilinear::powers;

use super::Shape;

/// Instances that a parallel task should have at least while they are small.
const TASK: usize = 4;

/// Variables left from which an instance is a task of its own.
const LARGE: usize = 8;

/// A summand in the middle of a sumcheck.
pub trait Instance: Send {
    /// Variables and degree at the start.
    fn shape(&self) -> Shape;

    /// The round polynomial's coefficients, constant first, at most `degree + 1` of them.
    fn round(&mut self) -> Vec<F128>;

    /// Binds the round's variable.
    fn bind(&mut self, r: F128);
}

/// Sends a round polynomial of `degree` given by its coefficients (short ones are padded).
pub fn send_round(channel: &mut ProverChannel, coefficients: &[F128], degree: usize) -> F128 {
    let sent: Vec<F128> = (0..=degree)
        .filter(|&i| i != 1)
        .map(|i| coefficients.get(i).copied().unwrap_or(F128::ZERO))
        .collect();
    channel.send_many("sumcheck round", &sent);
    channel.challenge("sumcheck challenge")
}

/// Proves a batch; returns the challenges in the order drawn. The instances end fully bound.
pub fn prove(channel: &mut ProverChannel, instances: &mut [&mut dyn Instance]) -> Vec<F128> {
    let beta = channel.challenge("sumcheck batching");
    let weights = powers(beta).take(instances.len()).collect();
    prove_weighted(channel, instances, weights).0
}

/// Proves the sum of the instances' sums, each times its weight; returns the challenges in the order drawn and the weights,
/// those of instances that waited times the challenges before. The instances end fully bound.
pub fn prove_weighted(
    channel: &mut ProverChannel,
    instances: &mut [&mut dyn Instance],
    mut weights: Vec<F128>,
) -> (Vec<F128>, Vec<F128>) {
    let shapes: Vec<Shape> = instances.iter().map(|i| i.shape()).collect();
    let n_rounds = shapes.iter().map(|s| s.n_vars).max().unwrap_or(0);
    let mut challenges = Vec::with_capacity(n_rounds);
    for left in (1..=n_rounds).rev() {
        let active = shapes.iter().filter(|s| s.n_vars >= left);
        let degree = active.map(|s| s.degree).max().unwrap_or(1);
        let mut total = vec![F128::ZERO; degree + 1];
        let joined = |shape: &Shape| shape.n_vars >= left;
        let task = if left < LARGE { TASK } else { 1 };
        let rounds = instances.par_iter_mut().zip(&shapes).with_min_len(task);
        let rounds: Vec<Vec<F128>> =
            rounds.map(|(i, s)| if joined(s) { i.round() } else { Vec::new() }).collect();
        // What the others add is a multiple of X, whose coefficient is not sent.
        for (round, &weight) in rounds.into_iter().zip(&weights) {
            for (t, c) in total.iter_mut().zip(round) {
                *t += weight * c;
            }
        }
        let r = send_round(channel, &total, degree);
        let binding = instances.par_iter_mut().zip(&shapes).with_min_len(task);
        binding.filter(|(_, s)| joined(s)).for_each(|(instance, _)| instance.bind(r));
        let waiting = weights.iter_mut().zip(&shapes).filter(|(_, s)| !joined(s));
        waiting.for_each(|(weight, _)| *weight *= r);
        challenges.push(r);
    }
    (challenges, weights)
}
