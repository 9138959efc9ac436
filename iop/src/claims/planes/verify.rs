//! The verifier of linear claims on bit planes.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use binfer_field::F128;

use crate::channel::{VerifierChannel, VerifyError};
use crate::indexed::tiles;
use crate::multilinear::eq;
use crate::sumcheck::{self, Shape};

/// The shape of a matrix of entries made of bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatrixShape {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    /// Bits of an entry.
    pub n_planes: usize,
}

/// A claim `sum_s coefficients[s] plane_s(row_point, col_point) = value`.
#[derive(Clone, Debug)]
pub struct LinearClaim<E> {
    /// Which matrix.
    pub matrix: usize,
    /// Row coordinates, lowest first.
    pub row_point: Vec<F128>,
    /// Column coordinates, lowest first.
    pub col_point: Vec<F128>,
    /// One a plane.
    pub coefficients: Vec<F128>,
    /// The claimed sum.
    pub value: E,
}

/// Claims on tiles of planes, left to the commitment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TileClaims<E> {
    /// Coordinates, lowest first; a tile with `n` variables is evaluated at the first `n`.
    pub point: Vec<F128>,
    /// `values[matrix][plane][tile]`, tiles in the order of [`tiles`].
    pub values: Vec<Vec<Vec<E>>>,
}

/// Reduces `claims` to claims on every tile of every plane of `matrices`, each of which has a claim.
///
/// # Errors
/// Those of the channel, and [`VerifyError::CheckFailed`] where tile sums or values do not fit, a
/// claim names no matrix or has not one coefficient a plane, or a matrix has no claim.
pub fn verify<C: VerifierChannel>(
    channel: &mut C,
    matrices: &[MatrixShape],
    claims: &[LinearClaim<C::Elem>],
) -> Result<TileClaims<C::Elem>, VerifyError> {
    let malformed = VerifyError::CheckFailed { label: "linear claim" };
    if (0..matrices.len()).any(|m| claims.iter().all(|c| c.matrix != m)) {
        return Err(malformed);
    }
    let mut batch = Vec::new();
    let mut points = Vec::new();
    for claim in claims {
        let matrix = matrices.get(claim.matrix).copied();
        let Some(matrix) = matrix.filter(|m| m.n_planes == claim.coefficients.len()) else {
            return Err(malformed);
        };
        let tiles = tiles(matrix.rows, matrix.cols);
        let sums = channel.receive_many("plane tile sums", tiles.len())?;
        let mut total = claim.value;
        for (tile, sum) in tiles.iter().zip(sums) {
            let (scale, point) = tile.restrict(&claim.row_point, &claim.col_point);
            total += sum * scale;
            batch.push((sum, Shape { n_vars: tile.n_vars(), degree: 2 }));
            points.push(point);
        }
        channel.assert_zero("plane tile sums", total)?;
    }
    let reduced = sumcheck::verify(channel, &batch)?;
    let point: Vec<F128> = reduced.challenges.iter().rev().copied().collect();
    let mut values = Vec::with_capacity(matrices.len());
    for matrix in matrices {
        let n_tiles = tiles(matrix.rows, matrix.cols).len();
        let mut planes = Vec::with_capacity(matrix.n_planes);
        for _ in 0..matrix.n_planes {
            planes.push(channel.receive_many("plane tile values", n_tiles)?);
        }
        values.push(planes);
    }
    let zero = C::Elem::from(F128::ZERO);
    let mut expected = zero;
    let mut left = points.iter().zip(&reduced.weights);
    for claim in claims {
        let Some(planes) = values.get(claim.matrix) else {
            continue;
        };
        let n_tiles = planes.first().map_or(0, Vec::len);
        for (tile, (tile_point, &weight)) in (0..n_tiles).zip(&mut left) {
            let bits = planes.iter().zip(&claim.coefficients);
            let sum = bits.fold(zero, |sum, (plane, &a)| {
                plane.get(tile).map_or(sum, |&value| sum + value * a)
            });
            expected += sum * (weight * eq(tile_point, &point));
        }
    }
    channel.assert_zero("plane tile values", reduced.claim + expected)?;
    Ok(TileClaims { point, values })
}

/// For each limb of `widths` bits, at most 8, the sum of its bits' coefficients for every byte;
/// bits beyond the width count for nothing.
pub(crate) fn limb_tables(widths: &[usize], coefficients: &[F128]) -> Vec<Vec<F128>> {
    let mut rest = coefficients;
    let table = |&width: &usize| {
        let (bits, tail) = rest.split_at_checked(width).unwrap_or((rest, &[]));
        rest = tail;
        let mut table = vec![F128::ZERO];
        for &coefficient in bits {
            let high: Vec<F128> = table.iter().map(|&low| low + coefficient).collect();
            table.extend(high);
        }
        table.iter().copied().cycle().take(256).collect()
    };
    widths.iter().map(table).collect()
}

/// `constant + sum_l tables[l][limbs[l][i]]` for each entry `i`.
pub(crate) fn combine(
    limbs: &[impl core::ops::Deref<Target = [u8]>],
    tables: &[Vec<F128>],
    constant: F128,
) -> Vec<F128> {
    let len = limbs.first().map_or(0, |limb| limb.len());
    let mut sums = vec![constant; len];
    let mut part = vec![F128::ZERO; len];
    for (limb, table) in limbs.iter().zip(tables) {
        binfer_field::kernels::gather(&mut part, table, limb);
        binfer_field::kernels::add_assign(&mut sums, &part);
    }
    sums
}
