//! The prover of linear claims on bit planes.

use binfer_field::{F128, kernels};

use super::{LinearClaim, TileClaims, combine, limb_tables};
use crate::channel::ProverChannel;
use crate::indexed::{Tile, TileBytes, tiles};
use crate::multilinear::eq_tables;
use crate::sumcheck::{self, Instance};
use crate::zerocheck::TileSum;

/// Up to eight bits of each entry of a matrix.
#[derive(Clone, Copy, Debug)]
pub struct Limb<'a> {
    /// Bits used, 1 to 8; those above are zero.
    pub width: usize,
    /// A byte an entry, `[column][row]`.
    pub bytes: &'a [u8],
}

/// A matrix of entries; its planes are the bits of its limbs, lowest first, limb after limb.
#[derive(Clone, Debug)]
pub struct PlaneMatrix<'a> {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    /// The entries' bits.
    pub limbs: Vec<Limb<'a>>,
}

/// Reduces true `claims` to claims on every tile of every plane of `matrices`, each of which has a
/// claim.
///
/// # Panics
/// Where shapes disagree: a limb's length, a claim's matrix or its number of coefficients.
pub fn prove(
    channel: &mut ProverChannel,
    matrices: &[PlaneMatrix<'_>],
    claims: &[LinearClaim<F128>],
) -> TileClaims<F128> {
    let tiled: Vec<Vec<(Tile, Vec<TileBytes<'_>>)>> = matrices.iter().map(gather).collect();
    let mut instances = Vec::new();
    for claim in claims {
        let widths: Vec<usize> = matrices[claim.matrix].limbs.iter().map(|l| l.width).collect();
        assert_eq!(widths.iter().sum::<usize>(), claim.coefficients.len());
        let tables = limb_tables(&widths, &claim.coefficients);
        let mut sums = Vec::new();
        for (tile, limbs) in &tiled[claim.matrix] {
            let (_, point) = tile.restrict(&claim.row_point, &claim.col_point);
            let values = combine(limbs, &tables, F128::ZERO);
            let sum = kernels::inner_product(&values, &kernels::eq_table(&point));
            sums.push(sum);
            instances.push(TileSum::new(Vec::new(), values, point, sum));
        }
        channel.send_many("plane tile sums", &sums);
    }
    let mut batch: Vec<&mut dyn Instance> =
        instances.iter_mut().map(|i| i as &mut dyn Instance).collect();
    let mut point = sumcheck::prove(channel, &mut batch);
    point.reverse();
    let values: Vec<Vec<Vec<F128>>> = matrices
        .iter()
        .zip(&tiled)
        .map(|(matrix, tiles)| plane_values(matrix, tiles, &point))
        .collect();
    for plane in values.iter().flatten() {
        channel.send_many("plane tile values", plane);
    }
    TileClaims { point, values }
}

/// Every tile's bytes, limb by limb.
fn gather<'a>(matrix: &PlaneMatrix<'a>) -> Vec<(Tile, Vec<TileBytes<'a>>)> {
    let (rows, cols) = (matrix.rows, matrix.cols);
    assert!(matrix.limbs.iter().all(|l| l.bytes.len() == rows * cols));
    let limbs =
        |tile: &Tile| matrix.limbs.iter().map(|l| TileBytes::new(tile, l.bytes, rows)).collect();
    tiles(rows, cols).into_iter().map(|tile| (tile, limbs(&tile))).collect()
}

/// `[plane][tile]`
fn plane_values(
    matrix: &PlaneMatrix<'_>,
    tiles: &[(Tile, Vec<TileBytes<'_>>)],
    point: &[F128],
) -> Vec<Vec<F128>> {
    let mut planes = Vec::new();
    for (l, limb) in matrix.limbs.iter().enumerate() {
        let mut values = vec![Vec::with_capacity(tiles.len()); limb.width];
        for (tile, limbs) in tiles {
            let bins = weighted_bins(&limbs[l], &point[..tile.n_vars()]);
            for (bit, values) in values.iter_mut().enumerate() {
                values.push(bit_sum(&bins, bit));
            }
        }
        planes.extend(values);
    }
    planes
}

/// `bins[v] = sum_x eq(point, x) [bytes[x] = v]`.
fn weighted_bins(bytes: &[u8], point: &[F128]) -> [F128; 256] {
    let mut bins = [F128::ZERO; 256];
    let [weights, scales] = eq_tables(point, 12);
    for (chunk, scale) in bytes.chunks(weights.len()).zip(scales) {
        let mut part = [F128::ZERO; 256];
        kernels::histogram(&mut part, chunk, &weights[..chunk.len()]);
        kernels::add_scaled(&mut bins, &part, scale);
    }
    bins
}

/// The sum of the bins whose number has this bit.
fn bit_sum(bins: &[F128; 256], bit: usize) -> F128 {
    bins.iter().enumerate().filter(|(v, _)| v >> bit & 1 == 1).map(|(_, &b)| b).sum()
}
