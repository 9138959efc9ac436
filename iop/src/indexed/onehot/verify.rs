//! The verifier of the one-hot stages.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use binfer_field::{F128, kernels};

use super::domain::{self, LOG_SIZE, POINTS, SIZE};
use super::{
    DEGREE, NIBBLE, OneHotClaim, PlaneClaims, View, nibble_weight, of_nibbles, plane_weights,
};
use crate::channel::{Blank, SoundnessTerm, VerifierChannel, VerifyError};
use crate::indexed::{Tile, tiles};
use crate::join::{self, Combined, Term};
use crate::multilinear::eq;
use crate::sumcheck::{self, Shape};

const MALFORMED: VerifyError = VerifyError::CheckFailed { label: "one-hot view" };

/// One claim's share of one tile.
struct Job<'a> {
    view: &'a View,
    index_point: &'a [F128],
    tile: Tile,
    tile_number: usize,
    point: Vec<F128>,
    /// What its value is multiplied by in the sum of all jobs.
    weight: F128,
}

impl Job<'_> {
    fn n_nibbles(&self) -> usize {
        self.view.planes.len().div_ceil(NIBBLE)
    }
}

/// Reduces a claim on a weighted sum of one-hot polynomials to one on a weighted sum of the tiles of planes.
///
/// `planes` are the shapes `(rows, cols)` of all planes; views must agree with theirs.
///
/// # Errors
/// Those of the channel, and a failed check where a stage does not close.
pub fn verify<C: VerifierChannel>(
    channel: &mut C,
    planes: &[(usize, usize)],
    views: &[View],
    hot: &Combined<OneHotClaim<Blank>, C::Elem>,
) -> Result<PlaneClaims<C::Elem>, VerifyError> {
    let mut jobs = Vec::new();
    for claim in &hot.claims {
        let view = views.get(claim.view).ok_or(MALFORMED)?;
        let index_point = claim.index_point.as_slice();
        for (tile_number, tile) in tiles(view.rows, view.cols).into_iter().enumerate() {
            let (scale, point) = tile.restrict(&claim.row_point, &claim.col_point);
            let weight = claim.weight * scale;
            jobs.push(Job { view, index_point, tile, tile_number, point, weight });
        }
    }
    let (point, nibbles) = verify_nibbles(channel, &mut jobs, hot.value)?;
    verify_bits(channel, planes, &jobs, &point, nibbles)
}

/// Stage 1: the shared point, and the weighted sums of low nibbles, high nibbles and single ones.
fn verify_nibbles<C: VerifierChannel>(
    channel: &mut C,
    jobs: &mut [Job<'_>],
    claim: C::Elem,
) -> Result<(Vec<F128>, [C::Elem; 3]), VerifyError> {
    let shape =
        |job: &Job<'_>| Shape { n_vars: job.tile.n_vars(), degree: job.n_nibbles().min(2) + 1 };
    let shapes: Vec<Shape> = jobs.iter().map(shape).collect();
    let weights = jobs.iter().map(|job| job.weight).collect();
    let reduced = sumcheck::verify_weighted(channel, claim, &shapes, weights)?;
    let point: Vec<F128> = reduced.challenges.iter().rev().copied().collect();
    let mut terms = [2, 1].map(|factors| Term { weights: Vec::new(), factors });
    for (job, &weight) in jobs.iter().zip(&reduced.weights) {
        let own = of_nibbles(weight * eq(&job.point, &point), job.n_nibbles());
        terms.iter_mut().zip(own).for_each(|(term, weight)| term.weights.push(weight));
    }
    let joined = join::verify(channel, "nibble values", reduced.claim, &terms)?;
    for (job, weight) in jobs.iter_mut().zip(joined.weights) {
        job.weight = weight;
    }
    match joined.values.concat()[..] {
        [low, high, single] => Ok((point, [low, high, single])),
        _ => Err(MALFORMED),
    }
}

/// Stage 2: from the sums of nibbles' values at `point` to one of planes' values.
fn verify_bits<C: VerifierChannel>(
    channel: &mut C,
    planes: &[(usize, usize)],
    jobs: &[Job<'_>],
    point: &[F128],
    nibbles: [C::Elem; 3],
) -> Result<PlaneClaims<C::Elem>, VerifyError> {
    let zero = C::Elem::from(F128::ZERO);
    let mu = channel.challenge("nibble batching");
    channel.soundness(SoundnessTerm::schwartz_zippel("nibble batching", 2.0));
    let round = channel.receive_many("one-hot univariate round", POINTS)?;
    let z = channel.challenge("one-hot univariate challenge");
    let degree = (POINTS - 1) as f64;
    channel.soundness(SoundnessTerm::schwartz_zippel("one-hot univariate round", degree));

    let (low, high) = point.split_at_checked(LOG_SIZE).unwrap_or((point, &[]));
    let claimed = nibbles.iter().rev().fold(zero, |sum, &value| sum * mu + value);
    let on_domain = round.iter().take(SIZE).zip(kernels::eq_table(low));
    let total = on_domain.fold(claimed, |sum, (&value, weight)| sum + value * weight);
    channel.assert_zero("one-hot univariate round", total)?;

    let at_z = round.iter().zip(domain::lagrange(POINTS, z));
    let at_z = at_z.fold(zero, |sum, (&value, weight)| sum + value * weight);
    let shape = |job: &Job<'_>| Shape {
        n_vars: job.tile.n_vars().saturating_sub(LOG_SIZE),
        degree: DEGREE,
    };
    let shapes: Vec<Shape> = jobs.iter().map(shape).collect();
    let weights = jobs.iter().map(|job| nibble_weight(job.weight, job.n_nibbles(), mu)).collect();
    let reduced = sumcheck::verify_weighted(channel, at_z, &shapes, weights)?;
    let blocks: Vec<F128> = reduced.challenges.iter().rev().copied().collect();

    let mut terms = [(); 2].map(|()| Term { weights: Vec::new(), factors: NIBBLE });
    for ((job, shape), &weight) in jobs.iter().zip(&shapes).zip(&reduced.weights) {
        let (here, there) = (high.get(..shape.n_vars), blocks.get(..shape.n_vars));
        let weight = weight * eq(here.unwrap_or(high), there.unwrap_or(&blocks));
        let second = if job.n_nibbles() > 1 { weight * mu } else { F128::ZERO };
        let own = [weight, second];
        terms.iter_mut().zip(own).for_each(|(term, weight)| term.weights.push(weight));
    }
    let joined = join::verify(channel, "plane values", reduced.claim, &terms)?;
    let theta = channel.challenge("plane batching");
    let degree = (2 * NIBBLE - 1) as f64;
    channel.soundness(SoundnessTerm::schwartz_zippel("plane batching", degree));
    let mut value = zero;
    let mut weights: Vec<Vec<F128>> =
        planes.iter().map(|&(rows, cols)| vec![F128::ZERO; tiles(rows, cols).len()]).collect();
    let mut power = F128::ONE;
    for (s, &sum) in joined.values.iter().flatten().enumerate() {
        // A bit that an index does not have is one.
        let mut known = F128::ZERO;
        for (job, &weight) in jobs.iter().zip(&joined.weights) {
            let sigma = job.index_point.get(s).copied();
            known += weight * (F128::ONE + sigma.unwrap_or(F128::ZERO));
            if let Some(&plane) = job.view.planes.get(s) {
                let of_tile = weights.get_mut(plane).and_then(|w| w.get_mut(job.tile_number));
                *of_tile.ok_or(MALFORMED)? += power * weight;
            }
        }
        value += (sum + C::Elem::from(known)) * power;
        power *= theta;
    }
    let (bit_weights, point) = plane_weights(z, &blocks);
    Ok(PlaneClaims { bit_weights, point, weights, value })
}
