//! The prover of the one-hot stages.

use binfer_field::{F128, kernels};
use rayon::prelude::*;

use super::bits::{BitProduct, BlockBits, Extension};
use super::domain::LOG_SIZE;
use super::halves::NibbleProduct;
use super::skip::{Round, TileBits};
use super::{NIBBLE, OneHotClaim, PlaneClaims, View, nibble_weight, of_nibbles, plane_weights};
use crate::buffer::{self, Buffer};
use crate::channel::ProverChannel;
use crate::indexed::{Tile, TileBytes, tiles};
use crate::join::{self, Product};
use crate::multilinear::eq;
use crate::sumcheck::{self, Instance};

/// A tile's indices, and of each of their bits the packed plane.
pub(super) struct TileData<'a> {
    tile: Tile,
    bytes: TileBytes<'a>,
    n_planes: usize,
    /// Eight planes, [`buffer::pitch`] apart.
    planes: Buffer,
}

impl<'a> TileData<'a> {
    pub(super) fn new(tile: Tile, view: &View, bytes: &'a [u8]) -> Self {
        let bytes = TileBytes::new(&tile, bytes, view.rows);
        let pitch = buffer::pitch(tile.words());
        let mut planes = Buffer::unspecified(8 * pitch);
        let mut each = planes.chunks_mut(pitch).map(|plane| &mut plane[..tile.words()]);
        kernels::pack_planes([(); 8].map(|()| each.next().unwrap_or_default()), &bytes);
        Self { tile, bytes, n_planes: view.planes.len(), planes }
    }

    pub(super) fn bits(&self) -> TileBits<'_> {
        let words = self.tile.words();
        let planes = self.planes.chunks(buffer::pitch(words)).take(self.n_planes);
        let planes = planes.map(|plane| bytemuck::cast_slice(&plane[..words]));
        TileBits { bytes: &self.bytes, planes: planes.collect() }
    }

    /// The instance of stage 2.
    pub(super) fn bit_product<'b>(
        &'b self,
        sigma: &[F128],
        extension: &'b Extension,
        mu: F128,
        w: Vec<F128>,
    ) -> BitProduct<'b> {
        let constants = sigma.iter().map(|&sigma| F128::ONE + sigma).collect();
        let planes = self.bits().planes;
        BitProduct::new(BlockBits { planes, constants, extension }, mu, w)
    }
}

/// One claim's share of one tile.
struct Job<'a> {
    data: &'a TileData<'a>,
    tile_number: usize,
    view: &'a View,
    index_point: &'a [F128],
    point: Vec<F128>,
    /// What the sum is multiplied by in the sum of all jobs.
    weight: F128,
}

impl<'a> Job<'a> {
    fn n_nibbles(&self) -> usize {
        self.view.planes.len().div_ceil(NIBBLE)
    }

    /// The instance of stage 1.
    fn nibble_product(&self) -> NibbleProduct<'a> {
        NibbleProduct::new(&self.data.bytes, self.point.clone(), self.index_point)
    }
}

/// Reduces claims on one-hot polynomials to one on a weighted sum of the tiles of planes.
///
/// `indices[v]` holds view `v`'s indices `[column][row]`; `planes` are the shapes of all planes, each a
/// plane of some view.
pub fn prove(
    channel: &mut ProverChannel,
    planes: &[(usize, usize)],
    views: &[View],
    indices: &[&[u8]],
    claims: &[OneHotClaim<F128>],
) -> PlaneClaims<F128> {
    let tiled: Vec<Vec<TileData<'_>>> = views
        .par_iter()
        .zip(indices)
        .map(|(view, bytes)| {
            assert_eq!(bytes.len(), view.rows * view.cols);
            let tiles = tiles(view.rows, view.cols).into_par_iter();
            tiles.map(|tile| TileData::new(tile, view, bytes)).collect()
        })
        .collect();
    let of_claim = |claim| jobs_of(claim, &views[claim.view], &tiled[claim.view]);
    let mut jobs: Vec<_> = claims.par_iter().flat_map_iter(of_claim).collect();
    let claimed = claims.iter().map(|claim| claim.weight * claim.value).sum();
    let point = prove_nibbles(channel, &mut jobs, claimed);
    prove_bits(channel, planes, &jobs, &point)
}

/// A claim's shares of the tiles of its view.
fn jobs_of<'a>(
    claim: &'a OneHotClaim<F128>,
    view: &'a View,
    tiles: &'a [TileData<'a>],
) -> impl Iterator<Item = Job<'a>> {
    tiles.iter().enumerate().map(move |(tile_number, data)| {
        let (scale, point) = data.tile.restrict(&claim.row_point, &claim.col_point);
        let index_point = claim.index_point.as_slice();
        Job { data, tile_number, view, index_point, point, weight: claim.weight * scale }
    })
}

/// Stage 1 of jobs whose weighted sum is `claimed`: their new weights and the shared point, which is returned.
fn prove_nibbles(channel: &mut ProverChannel, jobs: &mut [Job<'_>], claimed: F128) -> Vec<F128> {
    let mut instances: Vec<NibbleProduct<'_>> = jobs.par_iter().map(Job::nibble_product).collect();
    let weights: Vec<F128> = jobs.iter().map(|job| job.weight).collect();
    debug_assert_eq!(
        claimed,
        weights.iter().zip(&instances).map(|(&weight, x)| weight * x.sum()).sum(),
        "the claims' weighted sum is that of the tiles"
    );
    let (mut point, weights) =
        sumcheck::prove_weighted(channel, &mut as_batch(&mut instances), weights);
    point.reverse();
    let mut terms = [2, 1].map(|n| Product { weights: vec![], factors: vec![vec![]; n] });
    for ((job, instance), weight) in jobs.iter().zip(&instances).zip(weights) {
        let own = of_nibbles(weight * eq(&job.point, &point), job.n_nibbles());
        let values = instance.values();
        for (term, weight) in terms.iter_mut().zip(own) {
            term.weights.push(weight);
            // Those of another number of nibbles count as zero.
            let is_own = term.factors.len() == values.len();
            for (h, factor) in term.factors.iter_mut().enumerate() {
                factor.push(if is_own { values[h] } else { F128::ZERO });
            }
        }
    }
    let joined = join::prove(channel, "nibble values", terms.into());
    for (job, weight) in jobs.iter_mut().zip(joined.weights) {
        job.weight = weight;
    }
    point
}

/// Stage 2: from the sums of nibbles' values at `point` to one of planes' values.
fn prove_bits(
    channel: &mut ProverChannel,
    planes: &[(usize, usize)],
    jobs: &[Job<'_>],
    point: &[F128],
) -> PlaneClaims<F128> {
    let mu = channel.challenge("nibble batching");
    let weights: Vec<F128> =
        jobs.iter().map(|job| nibble_weight(job.weight, job.n_nibbles(), mu)).collect();
    let mut weighted: Vec<_> = jobs.iter().zip(&weights).collect();
    weighted.sort_by_key(|(job, _)| job.index_point);
    let of_points: Vec<_> =
        weighted.chunk_by(|(a, _), (b, _)| a.index_point == b.index_point).collect();
    let rounds = of_points.par_iter().fold(Round::new, |mut round, jobs| {
        let tiles = jobs.par_iter().map(|&(job, &weight)| {
            job.data.bits().weighted(&point[LOG_SIZE..job.data.tile.n_vars()], weight)
        });
        round.add(jobs[0].0.index_point, &tiles.collect::<Vec<_>>(), mu);
        round
    });
    let round = rounds.reduce_with(|a, b| a.join(&b)).unwrap_or_else(Round::new);
    channel.send_many("one-hot univariate round", &round.finish());
    let z = channel.challenge("one-hot univariate challenge");
    let extension = Extension::to(z);
    let instances = jobs.par_iter().map(|job| {
        let w = point[LOG_SIZE..job.data.tile.n_vars()].to_vec();
        job.data.bit_product(job.index_point, &extension, mu, w)
    });
    let mut instances: Vec<BitProduct<'_>> = instances.collect();
    let (mut blocks, weights) =
        sumcheck::prove_weighted(channel, &mut as_batch(&mut instances), weights);
    blocks.reverse();

    let mut terms = [(); 2].map(|()| Product { weights: vec![], factors: vec![vec![]; NIBBLE] });
    for ((job, instance), weight) in jobs.iter().zip(&instances).zip(weights) {
        let high = &point[LOG_SIZE..job.data.tile.n_vars()];
        let weight = weight * eq(high, &blocks[..high.len()]);
        let second = if job.n_nibbles() > 1 { weight * mu } else { F128::ZERO };
        let mut values = instance.values();
        for (term, weight) in terms.iter_mut().zip([weight, second]) {
            term.weights.push(weight);
            // A bit that an index does not have is one.
            for factor in &mut term.factors {
                factor.push(values.next().unwrap_or(F128::ONE));
            }
        }
    }
    let joined = join::prove(channel, "plane values", terms.into());
    let theta = channel.challenge("plane batching");
    let mut value = F128::ZERO;
    let mut weights: Vec<Vec<F128>> =
        planes.iter().map(|&(rows, cols)| vec![F128::ZERO; tiles(rows, cols).len()]).collect();
    for ((job, instance), &weight) in jobs.iter().zip(&instances).zip(&joined.weights) {
        let mut weight = weight;
        let bits = job.view.planes.iter().zip(job.index_point).zip(instance.values());
        for ((&plane, &sigma), factor) in bits {
            weights[plane][job.tile_number] += weight;
            value += weight * (factor + F128::ONE + sigma);
            weight *= theta;
        }
    }
    let (bit_weights, point) = plane_weights(z, &blocks);
    PlaneClaims { bit_weights, point, weights, value }
}

fn as_batch<I: Instance>(instances: &mut [I]) -> Vec<&mut dyn Instance> {
    instances.iter_mut().map(|i| i as &mut dyn Instance).collect()
}
