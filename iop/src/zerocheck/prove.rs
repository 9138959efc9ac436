//! The zerocheck prover.

use binfer_field::{F128, kernels};
use rayon::prelude::*;

use super::accumulate::{accumulate, block, subset_sums};
use super::domain::{self, LOG_SIZE, SIZE};
use super::instance::TileSum;
use super::quadratic::Quadratic;
use super::skip::Skip;
use super::verify::powers;
use super::{Constraint, ZerocheckClaims};
use crate::channel::ProverChannel;
use crate::claims::InnerProduct;
use crate::sumcheck::{self, Instance};

/// Proves that `constraints` hold at every position of every tile.
///
/// `tiles[i][p]` is plane `p` of tile `i`: 128 positions a word, position 0 in bit 0 of the first;
/// all planes of a tile have the same power-of-two number of words, all tiles the same planes.
/// Where a constraint does not hold the proof is rejected.
///
/// # Panics
/// Where these shapes are violated or a constraint names a plane that is not there.
pub fn prove(
    channel: &mut ProverChannel,
    constraints: &[Constraint],
    tiles: &[Vec<&[F128]>],
) -> ZerocheckClaims<F128> {
    let Some(n_planes) = tiles.first().map(Vec::len) else {
        return ZerocheckClaims { point: Vec::new(), values: Vec::new() };
    };
    let n_high: Vec<usize> = tiles.iter().map(|tile| high_variables(tile, n_planes)).collect();
    let n_drawn = n_high.iter().map(|&n| n.saturating_sub(domain::N_FIXED)).max().unwrap_or(0);

    let alpha = channel.challenge("zerocheck constraints");
    let alphas = powers(alpha, constraints.len());
    let beta = channel.challenge("zerocheck tiles");
    let mut zeta = domain::fixed_point().to_vec();
    zeta.extend(channel.challenges("zerocheck point", n_drawn));

    let skip = Skip::new(constraints);
    let rounds: Vec<[F128; SIZE]> =
        tiles.iter().zip(&n_high).map(|(tile, &n)| skip.round(tile, &zeta[..n], &alphas)).collect();
    let mut round = [F128::ZERO; SIZE];
    for (values, weight) in rounds.iter().zip(powers(beta, tiles.len())) {
        kernels::add_scaled(&mut round, values, weight);
    }
    channel.send_many("zerocheck univariate round", &round);
    let z = channel.challenge("zerocheck univariate challenge");
    let coset_weights = domain::coset_weights(z);
    let sums: Vec<F128> =
        rounds.iter().map(|values| kernels::inner_product(values, &coset_weights)).collect();
    channel.send_many("zerocheck tile sums", &sums);

    let lagrange = domain::lagrange(z);
    let quadratic = Quadratic::new(constraints, &alphas);
    let instance = |((tile, &n), &sum): ((&Vec<&[F128]>, &usize), &F128)| {
        tile_sum(&quadratic, tile, &lagrange, &zeta[..n], sum)
    };
    let mut instances: Vec<TileSum> = tiles.iter().zip(&n_high).zip(&sums).map(instance).collect();
    let mut batch: Vec<&mut dyn Instance> =
        instances.iter_mut().map(|i| i as &mut dyn Instance).collect();
    let mut high = sumcheck::prove(channel, &mut batch);
    high.reverse();

    let columns: Vec<Vec<[F128; SIZE]>> =
        tiles.iter().zip(&n_high).map(|(tile, &n)| bind_high(tile, &high[..n])).collect();
    for tile in &columns {
        let at_z: Vec<F128> =
            tile.iter().map(|column| kernels::inner_product(column, &lagrange)).collect();
        channel.send_many("zerocheck plane values", &at_z);
    }
    let delta = channel.challenge("zerocheck values batching");
    let mut batched = vec![F128::ZERO; SIZE];
    let n_columns = tiles.len() * n_planes;
    for (column, weight) in columns.iter().flatten().zip(powers(delta, n_columns)) {
        kernels::add_scaled(&mut batched, column, weight);
    }
    let claim = kernels::inner_product(&lagrange, &batched);
    let mut last = InnerProduct::new(lagrange.to_vec(), batched, LOG_SIZE, claim);
    let mut point = sumcheck::prove(channel, &mut [&mut last]);
    let eq_low = kernels::eq_table(&point);
    let evaluate = |tile: &Vec<[F128; SIZE]>| {
        tile.iter().map(|column| kernels::inner_product(column, &eq_low)).collect()
    };
    let values: Vec<Vec<F128>> = columns.iter().map(evaluate).collect();
    for tile in &values {
        channel.send_many("zerocheck evaluations", tile);
    }
    point.extend(high);
    ZerocheckClaims { point, values }
}

/// The variables of a tile above the sixth.
fn high_variables(tile: &[&[F128]], n_planes: usize) -> usize {
    let n_words = tile.first().map_or(0, |plane| plane.len());
    assert!(n_words.is_power_of_two(), "a plane of {n_words} words");
    assert!(tile.len() == n_planes && tile.iter().all(|plane| plane.len() == n_words));
    n_words.trailing_zeros() as usize + 1
}

fn tile_sum(
    quadratic: &Quadratic,
    tile: &[&[F128]],
    lagrange: &[F128; SIZE],
    zeta: &[F128],
    sum: F128,
) -> TileSum {
    let combine = |combination: &[(usize, F128)], constant: F128| {
        let mut values = vec![constant; 1 << zeta.len()];
        for &(plane, coefficient) in combination {
            add_bound(&mut values, tile[plane], &lagrange.map(|l| l * coefficient));
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

/// Every plane's values at `(d, high)` for the 64 low positions `d`.
fn bind_high(tile: &[&[F128]], high: &[F128]) -> Vec<[F128; SIZE]> {
    const TASK: usize = 64;
    let weights = kernels::eq_table(high);
    let zero = || vec![[F128::ZERO; SIZE]; tile.len()];
    let add_chunk = |mut sums: Vec<[F128; SIZE]>, (chunk, weights): (usize, &[F128])| {
        let table = subset_sums(weights);
        for (sums, plane) in sums.iter_mut().zip(tile) {
            let blocks = core::array::from_fn(|lane| {
                if lane < weights.len() { block(plane, 8 * chunk + lane) } else { 0 }
            });
            accumulate(sums, &table, &blocks);
        }
        sums
    };
    let add = |mut a: Vec<[F128; SIZE]>, b: Vec<[F128; SIZE]>| {
        for (a, b) in a.iter_mut().zip(&b) {
            kernels::add_assign(a, b);
        }
        a
    };
    let chunks = weights.par_chunks(8).enumerate().with_min_len(TASK);
    chunks.fold(zero, add_chunk).reduce(zero, add)
}
