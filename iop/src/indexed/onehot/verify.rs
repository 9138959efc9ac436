//! The verifier of the one-hot stages.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use binfer_field::F128;

use super::{Digit, OneHotClaim, PlaneClaims, View, split, stages};
use crate::channel::{SoundnessTerm, VerifierChannel, VerifyError};
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
    digits: Vec<(Digit, E)>,
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
            let digits = vec![((0, view.planes.len()), sum)];
            let index_point = claim.index_point.as_slice();
            jobs.push(Job { view, index_point, tile, tile_number, point, digits });
        }
        channel.assert_zero("tile sums", total)?;
    }
    let mut values = Vec::new();
    let width = views.iter().map(|v| v.planes.len()).max().unwrap_or(0);
    let mut point = Vec::new();
    for target in stages(width) {
        let lambda = channel.challenge("digit batching");
        let n_digits = jobs.iter().map(|j| j.digits.len()).max().unwrap_or(0);
        channel.soundness(SoundnessTerm::schwartz_zippel("digit batching", n_digits as f64));
        let zero = C::Elem::from(F128::ZERO);
        let instances: Vec<_> = jobs
            .iter()
            .map(|job| {
                let claim = job.digits.iter().rev().fold(zero, |acc, &(_, v)| acc * lambda + v);
                (claim, Shape { n_vars: job.tile.n_vars(), degree: 3 })
            })
            .collect();
        let reduced = sumcheck::verify(channel, &instances)?;
        point = reduced.challenges.iter().rev().copied().collect::<Vec<_>>();
        if target == 1 {
            for &(rows, cols) in planes {
                values.push(channel.receive_many("plane values", tiles(rows, cols).len())?);
            }
        }
        let mut expected = zero;
        for (job, &weight) in jobs.iter_mut().zip(&reduced.weights) {
            let mut sum = zero;
            let mut power = F128::ONE;
            let mut next = Vec::new();
            for &(digit, _) in &job.digits {
                let mut product = C::Elem::from(F128::ONE);
                for half in split(digit, target) {
                    let value = if target == 1 {
                        bit_value::<C>(job, half, &values)?
                    } else {
                        channel.receive("digit value")?
                    };
                    product = product * value;
                    next.push((half, value));
                }
                sum += product * power;
                power *= lambda;
            }
            let here = point.get(..job.tile.n_vars()).unwrap_or(&point).to_vec();
            expected += sum * (weight * eq(&job.point, &here));
            job.digits = next;
            job.point = here;
        }
        channel.assert_zero("one-hot stage", reduced.claim + expected)?;
    }
    Ok(PlaneClaims { point, values })
}

/// `1 + sigma_s + bit_s` at the shared point, from the plane's claimed value.
fn bit_value<C: VerifierChannel>(
    job: &Job<'_, C::Elem>,
    (bit, _): Digit,
    values: &[Vec<C::Elem>],
) -> Result<C::Elem, VerifyError> {
    let plane = job.view.planes.get(bit).and_then(|&p| values.get(p));
    let value = plane.and_then(|tiles| tiles.get(job.tile_number));
    match (value, job.index_point.get(bit)) {
        (Some(&value), Some(&sigma)) => Ok(value + C::Elem::from(F128::ONE + sigma)),
        _ => Err(VerifyError::CheckFailed { label: "one-hot view" }),
    }
}
