//! The verifier of the one-hot stages.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use binfer_field::{F128, kernels};

use super::domain::{self, LOG_SIZE, POINTS, SIZE};
use super::{DEGREE, NIBBLE, OneHotClaim, PlaneClaims, View, plane_weights};
use crate::channel::{Element, SoundnessTerm, VerifierChannel, VerifyError};
use crate::indexed::{Tile, tiles};
use crate::multilinear::eq;
use crate::sumcheck::{self, Shape};

/// One claim's share of one tile.
struct Job<'a, E> {
    view: &'a View,
    index_point: &'a [F128],
    tile: Tile,
    tile_number: usize,
    point: Vec<F128>,
    sum: E,
    /// The values of its nibbles, one or two.
    nibbles: Vec<E>,
}

/// Reduces claims on one-hot polynomials to claims on the tiles of planes.
///
/// `planes` are the shapes `(rows, cols)` of all planes; views must agree with theirs.
///
/// # Errors
/// Those of the channel, and a failed check where tile sums or a stage do not close.
pub fn verify<C: VerifierChannel>(
    channel: &mut C,
    planes: &[(usize, usize)],
    views: &[View],
    claims: &[OneHotClaim<C::Elem>],
) -> Result<PlaneClaims<C::Elem>, VerifyError> {
    let mut jobs = Vec::new();
    for claim in claims {
        let malformed = VerifyError::CheckFailed { label: "one-hot view" };
        let view = views.get(claim.view).ok_or(malformed)?;
        let tiles = tiles(view.rows, view.cols);
        let sums = channel.receive_many("tile sums", tiles.len())?;
        let mut total = claim.value;
        for (tile_number, (tile, sum)) in tiles.into_iter().zip(sums).enumerate() {
            let (scale, point) = tile.restrict(&claim.row_point, &claim.col_point);
            total += sum * scale;
            let index_point = claim.index_point.as_slice();
            let nibbles = Vec::new();
            jobs.push(Job { view, index_point, tile, tile_number, point, sum, nibbles });
        }
        channel.assert_zero("tile sums", total)?;
    }
    let point = verify_nibbles(channel, &mut jobs)?;
    verify_bits(channel, planes, &jobs, &point)
}

/// Stage 1: the nibbles' values at a shared point, which is returned.
fn verify_nibbles<C: VerifierChannel>(
    channel: &mut C,
    jobs: &mut [Job<'_, C::Elem>],
) -> Result<Vec<F128>, VerifyError> {
    let instance = |job: &Job<'_, C::Elem>| {
        let degree = if job.view.planes.len() > NIBBLE { 3 } else { 2 };
        (job.sum, Shape { n_vars: job.tile.n_vars(), degree })
    };
    let instances: Vec<_> = jobs.iter().map(instance).collect();
    let reduced = sumcheck::verify(channel, &instances)?;
    let point: Vec<F128> = reduced.challenges.iter().rev().copied().collect();
    let one = C::Elem::from(F128::ONE);
    let mut expected = C::Elem::from(F128::ZERO);
    for (job, &weight) in jobs.iter_mut().zip(&reduced.weights) {
        job.nibbles =
            channel.receive_many("nibble values", job.view.planes.len().div_ceil(NIBBLE))?;
        let product = job.nibbles.iter().fold(one, |product, &value| product * value);
        expected += product * (weight * eq(&job.point, &point));
    }
    channel.assert_zero("nibbles", reduced.claim + expected)?;
    Ok(point)
}

/// Stage 2: from the nibbles' values at `point` to the planes' values.
fn verify_bits<C: VerifierChannel>(
    channel: &mut C,
    planes: &[(usize, usize)],
    jobs: &[Job<'_, C::Elem>],
    point: &[F128],
) -> Result<PlaneClaims<C::Elem>, VerifyError> {
    let zero = C::Elem::from(F128::ZERO);
    let mu = channel.challenge("nibble batching");
    let n_nibbles = jobs.len().saturating_mul(2);
    channel.soundness(SoundnessTerm::schwartz_zippel("nibble batching", n_nibbles as f64));
    let round = channel.receive_many("one-hot univariate round", POINTS)?;
    let z = channel.challenge("one-hot univariate challenge");
    let degree = (POINTS - 1) as f64;
    channel.soundness(SoundnessTerm::schwartz_zippel("one-hot univariate round", degree));

    let (low, high) = point.split_at_checked(LOG_SIZE).unwrap_or((point, &[]));
    let claimed = weighted(
        jobs.iter().map(|job| weighted(job.nibbles.iter().copied(), mu, zero)),
        mu * mu,
        zero,
    );
    let on_domain = round.iter().take(SIZE).zip(kernels::eq_table(low));
    let total = on_domain.fold(claimed, |sum, (&value, weight)| sum + value * weight);
    channel.assert_zero("one-hot univariate round", total)?;

    let parts = channel.receive_many("tile parts", jobs.len())?;
    let at_z = round.iter().zip(domain::lagrange(POINTS, z));
    let at_z = at_z.fold(zero, |sum, (&value, weight)| sum + value * weight);
    channel.assert_zero("tile parts", at_z + weighted(parts.iter().copied(), mu * mu, zero))?;

    let shape = |job: &Job<'_, C::Elem>| Shape {
        n_vars: job.tile.n_vars().saturating_sub(LOG_SIZE),
        degree: DEGREE,
    };
    let instances: Vec<_> = parts.into_iter().zip(jobs.iter().map(shape)).collect();
    let reduced = sumcheck::verify(channel, &instances)?;
    let blocks: Vec<F128> = reduced.challenges.iter().rev().copied().collect();
    let mut values = Vec::with_capacity(planes.len());
    for &(rows, cols) in planes {
        values.push(channel.receive_many("plane values", tiles(rows, cols).len())?);
    }
    let mut expected = zero;
    for (job, (&weight, &(_, shape))) in jobs.iter().zip(reduced.weights.iter().zip(&instances)) {
        let (here, there) = (high.get(..shape.n_vars), blocks.get(..shape.n_vars));
        let eq = eq(here.unwrap_or(high), there.unwrap_or(&blocks));
        expected += nibbles::<C>(job, &values, mu)? * (weight * eq);
    }
    channel.assert_zero("one-hot bits", reduced.claim + expected)?;
    let (bit_weights, point) = plane_weights(z, &blocks);
    Ok(PlaneClaims { bit_weights, point, values })
}

/// `sum_i values_i x^i`.
fn weighted<E: Element>(values: impl DoubleEndedIterator<Item = E>, x: F128, zero: E) -> E {
    values.rev().fold(zero, |sum, value| sum * x + value)
}

/// The nibbles' polynomials from the planes' claimed values, nibble `t` weighted by `mu^t`.
fn nibbles<C: VerifierChannel>(
    job: &Job<'_, C::Elem>,
    values: &[Vec<C::Elem>],
    mu: F128,
) -> Result<C::Elem, VerifyError> {
    let mut total = C::Elem::from(F128::ZERO);
    let mut power = F128::ONE;
    let mut index_point = job.index_point.iter();
    for nibble in job.view.planes.chunks(NIBBLE) {
        let mut product = C::Elem::from(F128::ONE);
        for &plane in nibble {
            let value = values.get(plane).and_then(|tiles| tiles.get(job.tile_number));
            let (Some(&value), Some(&sigma)) = (value, index_point.next()) else {
                return Err(VerifyError::CheckFailed { label: "one-hot view" });
            };
            product = product * (value + C::Elem::from(F128::ONE + sigma));
        }
        total += product * power;
        power *= mu;
    }
    Ok(total)
}
