//! The prover of the one-hot stages.

use binfer_field::{F128, kernels::eq_table, kernels::inner_product};

use super::digits::DigitProduct;
use super::{Digit, OneHotClaim, PlaneClaims, View, stages};
use crate::channel::ProverChannel;
use crate::indexed::{Tile, tiles};
use crate::sumcheck::{self, Instance};

struct Job<'a> {
    bytes: &'a [u8],
    tile: Tile,
    index_point: &'a [F128],
    point: Vec<F128>,
    digits: Vec<(Digit, F128)>,
    /// Memory that the stages work in, one after the other.
    room: Vec<F128>,
}

/// Reduces claims on one-hot polynomials to claims on the tiles of planes.
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
    let tiled: Vec<Vec<(Tile, Vec<u8>)>> = views
        .iter()
        .zip(indices)
        .map(|(view, bytes)| {
            assert_eq!(bytes.len(), view.rows * view.cols);
            let gather = |tile: Tile| (tile, tile.gather(bytes, view.rows));
            tiles(view.rows, view.cols).into_iter().map(gather).collect()
        })
        .collect();
    let mut jobs = Vec::new();
    for claim in claims {
        let (view, tiles) = (&views[claim.view], &tiled[claim.view]);
        let first = jobs.len();
        for (tile, bytes) in tiles {
            let (_, point) = tile.restrict(&claim.row_point, &claim.col_point);
            let whole = (0, view.planes.len());
            let sum = if tiles.len() == 1 {
                claim.value
            } else {
                one_hot_sum(bytes, &point, &claim.index_point)
            };
            let index_point = claim.index_point.as_slice();
            // As much as the last stage takes: all digits of a quarter of the positions.
            let room = vec![F128::ZERO; whole.1 << (tile.n_vars() - 2)];
            let digits = vec![(whole, sum)];
            jobs.push(Job { bytes, tile: *tile, index_point, point, digits, room });
        }
        let sums: Vec<F128> = jobs[first..].iter().map(|job| job.digits[0].1).collect();
        channel.send_many("tile sums", &sums);
    }
    let width = views.iter().map(|v| v.planes.len()).max().unwrap_or(0);
    let mut shared = Vec::new();
    for target in stages(width) {
        let lambda = channel.challenge("digit batching");
        let mut instances: Vec<DigitProduct> = jobs
            .iter_mut()
            .map(|job| {
                let (point, room) =
                    (core::mem::take(&mut job.point), core::mem::take(&mut job.room));
                let (sigma, digits) = (job.index_point, &job.digits);
                DigitProduct::new(job.bytes, point, sigma, digits, target, lambda, room)
            })
            .collect();
        let mut batch: Vec<&mut dyn Instance> =
            instances.iter_mut().map(|i| i as &mut dyn Instance).collect();
        shared = sumcheck::prove(channel, &mut batch);
        shared.reverse();
        for (job, instance) in jobs.iter_mut().zip(instances) {
            (job.digits, job.room) = instance.finish();
            job.point = shared[..job.tile.n_vars()].to_vec();
            if target > 1 {
                for &(_, value) in &job.digits {
                    channel.send("digit value", value);
                }
            }
        }
    }
    let values = plane_values(planes, views, claims, &jobs);
    for plane in &values {
        channel.send_many("plane values", plane);
    }
    PlaneClaims { point: shared, values }
}

/// The planes' values, read off the last stage's digits.
fn plane_values(
    planes: &[(usize, usize)],
    views: &[View],
    claims: &[OneHotClaim<F128>],
    jobs: &[Job<'_>],
) -> Vec<Vec<F128>> {
    let mut values: Vec<Vec<F128>> =
        planes.iter().map(|&(rows, cols)| vec![F128::ZERO; tiles(rows, cols).len()]).collect();
    let mut jobs = jobs.iter();
    for claim in claims {
        let view = &views[claim.view];
        for tile_number in 0..tiles(view.rows, view.cols).len() {
            let Some(job) = jobs.next() else {
                return values;
            };
            for &((bit, _), value) in &job.digits {
                let plane = &mut values[view.planes[bit]];
                plane[tile_number] = value + F128::ONE + claim.index_point[bit];
            }
        }
    }
    values
}

/// `sum_x eq(point, x) prod_s (1 + sigma_s + bit_s(bytes[x]))` over the tile's own entries: those that
/// pad it have weight zero.
fn one_hot_sum(bytes: &[u8], point: &[F128], sigma: &[F128]) -> F128 {
    let mut bins = [F128::ZERO; 256];
    let split = point.len().min(10);
    let inner = eq_table(&point[..split]);
    for (chunk, &weight) in bytes.chunks(1 << split).zip(&eq_table(&point[split..])) {
        let mut local = [F128::ZERO; 256];
        binfer_field::kernels::histogram(&mut local, chunk, &inner);
        binfer_field::kernels::add_scaled(&mut bins, &local, weight);
    }
    inner_product(&bins[..1 << sigma.len()], &eq_table(sigma))
}
