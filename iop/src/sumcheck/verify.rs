//! The one sumcheck verifier.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use binfer_field::F128;

use crate::channel::{Element, SoundnessTerm, VerifierChannel, VerifyError};
use crate::multilinear::powers;

/// What the verifier knows of one instance: how many variables and which degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Number of variables.
    pub n_vars: usize,
    /// Degree of the summand in each variable.
    pub degree: usize,
}

/// What is left of a batch: `sum_i weights[i] * f_i(last n_i challenges) = claim`, to be checked.
#[derive(Clone, Debug)]
pub struct Reduced<E> {
    /// One challenge a round, in the order drawn.
    pub challenges: Vec<F128>,
    /// One an instance: a power of the batching challenge, times the challenges before the instance joined.
    pub weights: Vec<F128>,
    /// The value the batch must have.
    pub claim: E,
}

impl<E> Reduced<E> {
    /// The challenges of an instance with `n_vars` variables, in the order drawn.
    pub fn point(&self, n_vars: usize) -> &[F128] {
        let start = self.challenges.len().saturating_sub(n_vars);
        self.challenges.get(start..).unwrap_or(&[])
    }
}

/// The polynomial with these coefficients, constant first, at `x`.
pub fn univariate<E: Element>(coefficients: &[E], x: F128) -> E {
    coefficients.iter().rev().fold(E::from(F128::ZERO), |acc, &c| acc * x + c)
}

/// One round: receives `s`, checks it against `claim`, draws `r`; returns `r` and `s(r)`.
///
/// # Errors
/// Those of the channel.
pub fn verify_round<C: VerifierChannel>(
    channel: &mut C,
    claim: C::Elem,
    degree: usize,
) -> Result<(F128, C::Elem), VerifyError> {
    let sent = channel.receive_many("sumcheck round", degree)?;
    let r = channel.challenge("sumcheck challenge");
    let Some((&constant, high)) = sent.split_first() else {
        return Ok((r, claim));
    };
    let linear = high.iter().fold(claim, |sum, &c| sum + c);
    let tail = univariate(high, r) * r + linear;
    channel.soundness(SoundnessTerm::schwartz_zippel("sumcheck round", degree as f64));
    Ok((r, tail * r + constant))
}

/// Verifies a batch of `(claim, shape)` instances up to the final evaluation.
///
/// # Errors
/// Those of the channel.
pub fn verify<C: VerifierChannel>(
    channel: &mut C,
    instances: &[(C::Elem, Shape)],
) -> Result<Reduced<C::Elem>, VerifyError> {
    let beta = channel.challenge("sumcheck batching");
    channel.soundness(SoundnessTerm::schwartz_zippel("sumcheck batching", instances.len() as f64));
    let weights: Vec<F128> = powers(beta).take(instances.len()).collect();
    let zero = C::Elem::from(F128::ZERO);
    let claim = instances.iter().zip(&weights).fold(zero, |sum, (&(c, _), &w)| sum + c * w);
    let shapes: Vec<Shape> = instances.iter().map(|&(_, shape)| shape).collect();
    verify_weighted(channel, claim, &shapes, weights)
}

/// Verifies that the instances' sums, each times its weight, add up to `claim`, up to the final evaluation.
///
/// # Errors
/// Those of the channel.
pub fn verify_weighted<C: VerifierChannel>(
    channel: &mut C,
    mut claim: C::Elem,
    shapes: &[Shape],
    mut weights: Vec<F128>,
) -> Result<Reduced<C::Elem>, VerifyError> {
    let n_rounds = shapes.iter().map(|shape| shape.n_vars).max().unwrap_or(0);
    let mut challenges = Vec::with_capacity(n_rounds);
    for left in (1..=n_rounds).rev() {
        let active = shapes.iter().filter(|shape| shape.n_vars >= left);
        let degree = active.map(|shape| shape.degree).max().unwrap_or(1);
        let (r, next) = verify_round(channel, claim, degree)?;
        challenges.push(r);
        claim = next;
        for (shape, weight) in shapes.iter().zip(&mut weights) {
            if shape.n_vars < left {
                *weight *= r;
            }
        }
    }
    Ok(Reduced { challenges, weights, claim })
}
