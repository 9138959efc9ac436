//! The zerocheck prover.

use binfer_field::{F128, kernels, subset_sums};
use rayon::prelude::*;

use super::Constraint;
use super::accumulate::block;
use super::claim::{TileTerms, ZerocheckClaim};
use super::domain::{self, SIZE};
use super::instance::TileSum;
use super::quadratic::Quadratic;
use super::skip::Skip;
use crate::channel::ProverChannel;
use crate::multilinear::{eq, powers, word_weights};
use crate::sumcheck::{self, Instance};

/// Constraints, and the tiles at whose positions they hold.
#[derive(Clone, Debug)]
pub struct SystemTiles<'a> {
    /// Constraints on the planes of a tile.
    pub constraints: &'a [Constraint],
    /// `tiles[i][p]` is plane `p` of tile `i`: 128 positions a word, position 0 in bit 0 of the first;
    /// all planes of a tile have the same power-of-two number of words, all tiles the same planes.
    pub tiles: Vec<Vec<&'a [F128]>>,
}

/// A tile in the middle of the proof.
struct Job<'a> {
    planes: &'a [&'a [F128]],
    skip: &'a Skip<'a>,
    quadratic: &'a Quadratic,
    /// Variables above the sixth.
    n_high: usize,
}

/// Proves that the constraints of all systems hold at every position of their tiles.
///
/// Where a constraint does not hold the claim is false.
///
/// # Panics
/// Where the shapes are not as [`SystemTiles`] says or a constraint names a plane that is not there.
pub fn prove(channel: &mut ProverChannel, systems: &[SystemTiles<'_>]) -> ZerocheckClaim<F128> {
    let tiles = systems.iter().flat_map(|system| &system.tiles);
    let Some(n_high) = tiles.map(|tile| high_variables(tile)).max() else {
        return ZerocheckClaim::empty(systems.len());
    };

    let alpha = channel.challenge("zerocheck constraints");
    let beta = channel.challenge("zerocheck tiles");
    let mut zeta = domain::fixed_point().to_vec();
    let n_drawn = n_high.saturating_sub(domain::N_FIXED);
    zeta.extend(channel.challenges("zerocheck point", n_drawn));

    let constraints = systems.iter().map(|system| system.constraints);
    let prepared: Vec<(Skip<'_>, Quadratic)> =
        constraints.map(|c| (Skip::new(c, alpha), Quadratic::new(c, alpha))).collect();
    let mut jobs = Vec::new();
    for (system, (skip, quadratic)) in systems.iter().zip(&prepared) {
        let n_planes = system.tiles.first().map_or(0, Vec::len);
        for planes in &system.tiles {
            assert_eq!(planes.len(), n_planes, "planes of all tiles");
            jobs.push(Job { planes, skip, quadratic, n_high: high_variables(planes) });
        }
    }
    let weights: Vec<F128> = powers(beta).take(jobs.len()).collect();
    let rounds: Vec<[F128; SIZE]> =
        jobs.par_iter().map(|job| job.skip.round(job.planes, &zeta[..job.n_high])).collect();
    let mut round = [F128::ZERO; SIZE];
    for (values, &weight) in rounds.iter().zip(&weights) {
        kernels::add_scaled(&mut round, values, weight);
    }
    channel.send_many("zerocheck univariate round", &round);
    let z = channel.challenge("zerocheck univariate challenge");
    let coset_weights = domain::coset_weights(z);
    let lagrange = domain::lagrange(z);
    let instance = |(job, values): (&Job<'_>, &[F128; SIZE])| {
        let sum = kernels::inner_product(values, &coset_weights);
        tile_sum(job, &lagrange, &zeta[..job.n_high], sum)
    };
    let mut instances: Vec<TileSum> = jobs.par_iter().zip(&rounds).map(instance).collect();
    let mut batch: Vec<&mut dyn Instance> =
        instances.iter_mut().map(|i| i as &mut dyn Instance).collect();
    let (mut y, weights) = sumcheck::prove_weighted(channel, &mut batch, weights);
    y.reverse();

    let values = instances.iter().flat_map(|i| i.products.iter().flat_map(|(a, b)| [a[0], b[0]]));
    let factors: Vec<F128> = values.collect();
    channel.send_many("zerocheck factors", &factors);
    let delta = channel.challenge("zerocheck values batching");
    let delta_powers: Vec<F128> = powers(delta).skip(1).take(factors.len()).collect();
    let mut value = kernels::inner_product(&factors, &delta_powers);
    let mut delta_powers = delta_powers.into_iter();
    let mut tile_weights = Vec::with_capacity(jobs.len());
    for ((job, instance), weight) in jobs.iter().zip(&instances).zip(weights) {
        let scale = weight * eq(&zeta[..job.n_high], &y[..job.n_high]);
        value += scale * (instance.linear[0] + job.quadratic.constant);
        let terms = TileTerms { quadratic: job.quadratic, n_planes: job.planes.len(), scale };
        tile_weights.push(terms.weights(&mut delta_powers));
    }
    let mut tile_weights = tile_weights.into_iter();
    let of_system = |s: &SystemTiles<'_>| tile_weights.by_ref().take(s.tiles.len()).collect();
    let weights = systems.iter().map(of_system).collect();
    let (bit_weights, point) = word_weights(&lagrange, &y);
    ZerocheckClaim { bit_weights, point, weights, value }
}

/// The variables of a tile above the sixth.
fn high_variables(tile: &[&[F128]]) -> usize {
    let n_words = tile.first().map_or(0, |plane| plane.len());
    assert!(n_words.is_power_of_two(), "a plane of {n_words} words");
    assert!(tile.iter().all(|plane| plane.len() == n_words), "words of all planes");
    n_words.trailing_zeros() as usize + 1
}

fn tile_sum(job: &Job<'_>, lagrange: &[F128; SIZE], zeta: &[F128], sum: F128) -> TileSum {
    let quadratic = job.quadratic;
    let combine = |combination: &[(usize, F128)], constant: F128| {
        let mut values = vec![constant; 1 << zeta.len()];
        for &(plane, coefficient) in combination {
            add_bound(&mut values, job.planes[plane], &lagrange.map(|l| l * coefficient));
        }
        values
    };
    let product = |(hub, other): &(usize, Vec<(usize, F128)>)| {
        (combine(&[(*hub, F128::ONE)], F128::ZERO), combine(other, F128::ZERO))
    };
    let products = quadratic.products.iter().map(product).collect();
    let linear = combine(&quadratic.linear, quadratic.constant);
    TileSum::new(products, linear, zeta.to_vec(), sum)
}

/// `values[y] += sum_d weights[d] * bit_d(block y)`.
fn add_bound(values: &mut [F128], plane: &[F128], weights: &[F128; SIZE]) {
    const TASK: usize = 1 << 12;
    let tables: Vec<[F128; 256]> = weights.chunks_exact(8).map(subset_sums).collect();
    values.par_chunks_mut(TASK).enumerate().for_each(|(task, values)| {
        for (i, value) in values.iter_mut().enumerate() {
            let bytes = block(plane, task * TASK + i).to_le_bytes();
            *value += tables.iter().zip(bytes).map(|(t, byte)| t[usize::from(byte)]).sum();
        }
    });
}
