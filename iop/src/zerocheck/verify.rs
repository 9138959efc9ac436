//! The zerocheck verifier.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use binfer_field::{F128, kernels};

use super::domain;
use crate::channel::{Element, SoundnessTerm, VerifierChannel, VerifyError};
use crate::multilinear::eq;
use crate::sumcheck::{self, Shape};

/// A polynomial over GF(2) in the planes at one position, required to be zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Constraint {
    /// Products of two planes; a plane may be multiplied by itself.
    pub products: Vec<(usize, usize)>,
    /// Single planes.
    pub linear: Vec<usize>,
    /// The constant term.
    pub constant: bool,
}

/// Evaluation claims on every plane of every tile, left to the commitment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZerocheckClaims<E> {
    /// As many coordinates as the largest tile has variables, variable 0 (the lowest bit of the
    /// position) first. A tile of `n` variables is evaluated at the first `n`.
    pub point: Vec<F128>,
    /// `values[tile][plane]`, of the multilinear extensions.
    pub values: Vec<Vec<E>>,
}

/// Verifies that `constraints` hold at every position of tiles with `tile_vars` variables each.
///
/// Preconditions on the statement: every tile has at least 7 variables, every constraint names
/// planes below `n_planes`.
///
/// # Errors
/// Those of the channel, and [`VerifyError::CheckFailed`] where an equation or a precondition fails.
pub fn verify<C: VerifierChannel>(
    channel: &mut C,
    constraints: &[Constraint],
    n_planes: usize,
    tile_vars: &[usize],
) -> Result<ZerocheckClaims<C::Elem>, VerifyError> {
    let Some(&n_vars) = tile_vars.iter().max() else {
        return Ok(ZerocheckClaims { point: Vec::new(), values: Vec::new() });
    };
    if tile_vars.iter().any(|&n| n <= domain::LOG_SIZE) {
        return Err(VerifyError::CheckFailed { label: "zerocheck tile size" });
    }
    let zero = C::Elem::from(F128::ZERO);
    let n_high = n_vars.saturating_sub(domain::LOG_SIZE);
    let n_drawn = n_high.saturating_sub(domain::N_FIXED);

    let alpha = channel.challenge("zerocheck constraints");
    term(channel, "zerocheck constraints", constraints.len().saturating_sub(1));
    let beta = channel.challenge("zerocheck tiles");
    term(channel, "zerocheck tiles", tile_vars.len().saturating_sub(1));
    let mut zeta = domain::fixed_point().to_vec();
    zeta.extend(channel.challenges("zerocheck point", n_drawn));
    term(channel, "zerocheck point", n_drawn);

    let round = channel.receive_many("zerocheck univariate round", domain::SIZE)?;
    let z = channel.challenge("zerocheck univariate challenge");
    term(channel, "zerocheck univariate round", domain::DEGREE);
    let claim = weighted(&round, &domain::coset_weights(z), zero);
    let sums = channel.receive_many("zerocheck tile sums", tile_vars.len())?;
    channel.assert_zero(
        "zerocheck tile sums",
        claim + weighted(&sums, &powers(beta, sums.len()), zero),
    )?;

    let linear = constraints.iter().all(|c| c.products.is_empty());
    let shape = |&n: &usize| Shape {
        n_vars: n.saturating_sub(domain::LOG_SIZE),
        degree: if linear { 2 } else { 3 },
    };
    let batch: Vec<_> = sums.into_iter().zip(tile_vars.iter().map(shape)).collect();
    let reduced = sumcheck::verify(channel, &batch)?;
    let mut expected = zero;
    let mut skipped = Vec::with_capacity(tile_vars.len());
    for (&(_, shape), &weight) in batch.iter().zip(&reduced.weights) {
        let values = channel.receive_many("zerocheck plane values", n_planes)?;
        let high: Vec<F128> = reduced.point(shape.n_vars).iter().rev().copied().collect();
        expected += evaluate(constraints, alpha, &values)? * (weight * eq(&zeta, &high));
        skipped.extend(values);
    }
    channel.assert_zero("zerocheck constraints", reduced.claim + expected)?;

    let delta = channel.challenge("zerocheck values batching");
    term(channel, "zerocheck values batching", skipped.len().saturating_sub(1));
    let weights = powers(delta, skipped.len());
    let last = Shape { n_vars: domain::LOG_SIZE, degree: 2 };
    let reduced_low = sumcheck::verify(channel, &[(weighted(&skipped, &weights, zero), last)])?;
    let mut values = Vec::with_capacity(tile_vars.len());
    for _ in tile_vars {
        values.push(channel.receive_many("zerocheck evaluations", n_planes)?);
    }
    let low = reduced_low.challenges;
    let lagrange = kernels::inner_product(&domain::lagrange(z), &kernels::eq_table(&low));
    let batched = weighted(&values.concat(), &weights, zero);
    channel.assert_zero("zerocheck evaluations", reduced_low.claim + batched * lagrange)?;

    let mut point = low;
    point.extend(reduced.challenges.iter().rev());
    Ok(ZerocheckClaims { point, values })
}

/// `1, x, ..., x^(n - 1)`.
pub(super) fn powers(x: F128, n: usize) -> Vec<F128> {
    let mut power = F128::ONE;
    let step = |_| {
        let next = power * x;
        core::mem::replace(&mut power, next)
    };
    (0..n).map(step).collect()
}

fn term<C: VerifierChannel>(channel: &mut C, label: &'static str, degree: usize) {
    if degree > 0 {
        channel.soundness(SoundnessTerm::schwartz_zippel(label, degree as f64));
    }
}

fn weighted<E: Element>(values: &[E], weights: &[F128], zero: E) -> E {
    values.iter().zip(weights).fold(zero, |sum, (&v, &w)| sum + v * w)
}

/// `sum_c alpha^c C_c(values)`.
fn evaluate<E: Element>(
    constraints: &[Constraint],
    alpha: F128,
    values: &[E],
) -> Result<E, VerifyError> {
    let missing = VerifyError::CheckFailed { label: "zerocheck plane index" };
    let plane = |i: usize| values.get(i).copied();
    let mut total = E::from(F128::ZERO);
    for (constraint, weight) in constraints.iter().zip(powers(alpha, constraints.len())) {
        let mut sum = E::from(if constraint.constant { F128::ONE } else { F128::ZERO });
        for &(a, b) in &constraint.products {
            let (Some(a), Some(b)) = (plane(a), plane(b)) else {
                return Err(missing);
            };
            sum += a * b;
        }
        for &a in &constraint.linear {
            let Some(a) = plane(a) else {
                return Err(missing);
            };
            sum += a;
        }
        total += sum * weight;
    }
    Ok(total)
}
