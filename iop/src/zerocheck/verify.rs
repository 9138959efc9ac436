//! The zerocheck verifier.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use binfer_field::F128;

use super::claim::{TileTerms, ZerocheckClaim};
use super::domain;
use super::quadratic::Quadratic;
use crate::channel::{Element, SoundnessTerm, VerifierChannel, VerifyError};
use crate::multilinear::{eq, powers, word_weights};
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

impl Constraint {
    fn names_planes_below(&self, n: usize) -> bool {
        self.products.iter().all(|&(a, b)| a.max(b) < n) && self.linear.iter().all(|&p| p < n)
    }
}

/// Constraints that hold at every position of some tiles.
#[derive(Clone, Debug)]
pub struct System<'a> {
    /// Constraints on planes below `n_planes`.
    pub constraints: &'a [Constraint],
    /// Planes of each tile.
    pub n_planes: usize,
    /// The variables of each tile, at least 7.
    pub tile_vars: Vec<usize>,
}

/// Verifies all systems up to one claim on their planes.
///
/// # Errors
/// Those of the channel, and [`VerifyError::CheckFailed`] where a system is not as [`System`] says.
pub fn verify<C: VerifierChannel>(
    channel: &mut C,
    systems: &[System<'_>],
) -> Result<ZerocheckClaim<C::Elem>, VerifyError> {
    let all_vars = || systems.iter().flat_map(|system| &system.tile_vars);
    let Some(&n_vars) = all_vars().max() else {
        return Ok(ZerocheckClaim::empty(systems.len()));
    };
    if all_vars().any(|&n| n <= domain::LOG_SIZE) {
        return Err(VerifyError::CheckFailed { label: "zerocheck tile size" });
    }
    let are_named = |s: &System<'_>| s.constraints.iter().all(|c| c.names_planes_below(s.n_planes));
    if !systems.iter().all(are_named) {
        return Err(VerifyError::CheckFailed { label: "zerocheck plane index" });
    }
    let n_tiles = all_vars().count();
    let n_constraints = systems.iter().map(|s| s.constraints.len()).max().unwrap_or(0);
    let n_high = n_vars.saturating_sub(domain::LOG_SIZE);
    let n_drawn = n_high.saturating_sub(domain::N_FIXED);

    let alpha = channel.challenge("zerocheck constraints");
    term(channel, "zerocheck constraints", n_constraints.saturating_sub(1));
    let beta = channel.challenge("zerocheck tiles");
    term(channel, "zerocheck tiles", n_tiles.saturating_sub(1));
    let mut zeta = domain::fixed_point().to_vec();
    zeta.extend(channel.challenges("zerocheck point", n_drawn));
    term(channel, "zerocheck point", n_drawn);

    let round = channel.receive_many("zerocheck univariate round", domain::SIZE)?;
    let z = channel.challenge("zerocheck univariate challenge");
    term(channel, "zerocheck univariate round", domain::DEGREE);
    let claim = weighted(&round, &domain::coset_weights(z));

    let quadratics: Vec<_> = systems.iter().map(|s| Quadratic::new(s.constraints, alpha)).collect();
    let mut tiles = Vec::with_capacity(n_tiles);
    for (system, quadratic) in systems.iter().zip(&quadratics) {
        let shape = |&n: &usize| Shape {
            n_vars: n.saturating_sub(domain::LOG_SIZE),
            degree: quadratic.degree(),
        };
        tiles.extend(system.tile_vars.iter().map(shape).map(|shape| (system, quadratic, shape)));
    }
    let shapes: Vec<Shape> = tiles.iter().map(|&(.., shape)| shape).collect();
    let reduced =
        sumcheck::verify_weighted(channel, claim, &shapes, powers(beta).take(n_tiles).collect())?;
    let y: Vec<F128> = reduced.challenges.iter().rev().copied().collect();

    // What products and constants leave of the claim is the sum of the linear parts.
    let n_factors =
        tiles.iter().fold(0usize, |n, (_, quadratic, _)| n.saturating_add(quadratic.n_factors()));
    let factors = channel.receive_many("zerocheck factors", n_factors)?;
    let delta = channel.challenge("zerocheck values batching");
    term(channel, "zerocheck values batching", n_factors);
    let delta_powers: Vec<F128> = powers(delta).skip(1).take(n_factors).collect();
    let mut value = reduced.claim + weighted(&factors, &delta_powers);
    let mut delta_powers = delta_powers.into_iter();
    let mut rest = factors.as_slice();
    let mut tile_weights = Vec::with_capacity(n_tiles);
    for (&(system, quadratic, shape), &weight) in tiles.iter().zip(&reduced.weights) {
        let scale = weight * eq(&zeta, y.get(..shape.n_vars).unwrap_or(&y));
        let (own, others) = rest.split_at_checked(quadratic.n_factors()).unwrap_or((rest, &[]));
        rest = others;
        let products = own.as_chunks::<2>().0.iter().map(|&[a, b]| a * b);
        let known = products.fold(C::Elem::from(quadratic.constant), |sum, product| sum + product);
        value += known * scale;
        let terms = TileTerms { quadratic, n_planes: system.n_planes, scale };
        tile_weights.push(terms.weights(&mut delta_powers));
    }
    let mut tile_weights = tile_weights.into_iter();
    let of_system = |s: &System<'_>| tile_weights.by_ref().take(s.tile_vars.len()).collect();
    let weights = systems.iter().map(of_system).collect();
    let (bit_weights, point) = word_weights(&domain::lagrange(z), &y);
    Ok(ZerocheckClaim { bit_weights, point, weights, value })
}

fn term<C: VerifierChannel>(channel: &mut C, label: &'static str, degree: usize) {
    if degree > 0 {
        channel.soundness(SoundnessTerm::schwartz_zippel(label, degree as f64));
    }
}

fn weighted<E: Element>(values: &[E], weights: &[F128]) -> E {
    values.iter().zip(weights).fold(E::from(F128::ZERO), |sum, (&v, &w)| sum + v * w)
}
