//! Planes that are part of the statement: the verifier evaluates them itself.

use binfer_field::{F128, kernels::eq_table};
use binfer_iop::indexed::{Tile, tiles};

use super::plan::Matrix;
use crate::graph::Values;

/// A tensor's entries as the unsigned integers of `matrix`, if all are in its range.
pub(crate) fn entries(values: &Values, matrix: &Matrix) -> Option<Vec<u64>> {
    match values {
        Values::Codes(codes) => Some(codes.iter().map(|&c| u64::from(c)).collect()),
        Values::Integers(integers) => integers
            .iter()
            .map(|&v| {
                let entry = i128::from(v) + matrix.offset;
                (0..1i128 << matrix.bits).contains(&entry).then_some(entry as u64)
            })
            .collect(),
    }
}

/// The values of all planes: by tile, then bit. A plane's bit `i` of word `y` weighs
/// `bit_weights[i] eq(point, y)`, `point` cut to the variables of the tile's words.
pub(crate) fn evaluate(
    entries: &[u64],
    matrix: &Matrix,
    bit_weights: &[F128],
    point: &[F128],
) -> Vec<Vec<F128>> {
    let evaluate_tile = |tile: &Tile| {
        let words = eq_table(point.get(..tile.words().ilog2() as usize).unwrap_or(point));
        let weights = words.iter().flat_map(|&w| bit_weights.iter().map(move |&b| w * b));
        let mut bits = vec![F128::ZERO; matrix.bits as usize];
        let columns = entries.chunks(matrix.rows).skip(tile.col).take(1 << tile.log_cols);
        let tile_entries =
            columns.flat_map(|column| column.iter().skip(tile.row).take(1 << tile.log_rows));
        for (&entry, weight) in tile_entries.zip(weights) {
            let mut rest = entry;
            while rest != 0 {
                if let Some(bit) = bits.get_mut(rest.trailing_zeros() as usize) {
                    *bit += weight;
                }
                rest &= rest - 1;
            }
        }
        bits
    };
    tiles(matrix.rows, matrix.cols).iter().map(evaluate_tile).collect()
}
