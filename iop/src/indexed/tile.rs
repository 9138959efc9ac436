//! Tiles: the power-of-two pieces in which a matrix of any shape is committed and opened.

use binfer_field::F128;

use crate::multilinear::eq_vertex;

/// The least number of variables of a tile: 128 bits, one committed word.
const MIN_VARS: usize = 7;

/// A block of `2^log_rows x 2^log_cols` entries whose corner is a multiple of its sides.
///
/// Its entries are numbered `col * 2^log_rows + row`. A tile of less than 128 entries stands for the
/// first ones of 128.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// First row.
    pub row: usize,
    /// First column.
    pub col: usize,
    /// Logarithm of the number of rows.
    pub log_rows: usize,
    /// Logarithm of the number of columns.
    pub log_cols: usize,
}

impl Tile {
    /// Variables of the tile's multilinears, at least 7: a word of 128 bits.
    pub fn n_vars(&self) -> usize {
        self.log_rows.saturating_add(self.log_cols).max(MIN_VARS)
    }

    /// Words of 128 bits that one plane of the tile takes.
    pub fn words(&self) -> usize {
        1 << (self.n_vars() - MIN_VARS)
    }

    /// How a weight `eq(row_point, r) eq(col_point, c)` looks on the tile: a scalar, and the point of
    /// `n_vars` coordinates (zeros beyond the tile's own variables) whose eq it multiplies.
    pub fn restrict(&self, row_point: &[F128], col_point: &[F128]) -> (F128, Vec<F128>) {
        let split = |point: &[F128], log: usize, start: usize| {
            let (low, high) = point.split_at_checked(log).unwrap_or((point, &[]));
            let shifted = start.checked_shr(log as u32).unwrap_or(0);
            (low.to_vec(), eq_vertex(high, shifted))
        };
        let (mut point, row_scale) = split(row_point, self.log_rows, self.row);
        let (col_low, col_scale) = split(col_point, self.log_cols, self.col);
        point.extend(col_low);
        point.resize(self.n_vars(), F128::ZERO);
        (row_scale * col_scale, point)
    }
}

/// The tiles of a `rows x cols` matrix: the binary digits of both sides, largest first.
pub fn tiles(rows: usize, cols: usize) -> Vec<Tile> {
    let mut all = Vec::with_capacity((rows.count_ones() * cols.count_ones()) as usize);
    for (col, log_cols) in dyadic(cols) {
        for (row, log_rows) in dyadic(rows) {
            all.push(Tile { row, col, log_rows, log_cols });
        }
    }
    all
}

/// `(start, log_len)` of the dyadic pieces of `0..n`, largest first.
fn dyadic(n: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut rest = n;
    core::iter::from_fn(move || {
        let log = rest.checked_ilog2()?;
        let start = n ^ rest;
        rest ^= 1 << log;
        Some((start, log as usize))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use binfer_field::kernels::eq_table;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn tiles_cover_a_matrix_once(rows in 1usize..300, cols in 1usize..300) {
            let mut seen = vec![0u8; rows * cols];
            for tile in tiles(rows, cols) {
                prop_assert_eq!(tile.row % (1 << tile.log_rows), 0);
                for c in tile.col..tile.col + (1 << tile.log_cols) {
                    for r in tile.row..tile.row + (1 << tile.log_rows) {
                        seen[c * rows + r] += 1;
                    }
                }
            }
            prop_assert!(seen.iter().all(|&n| n == 1));
        }

        #[test]
        fn a_weight_restricts_to_its_tiles(rows in 1usize..20, cols in 1usize..20, seed in prop::collection::vec(any::<u128>(), 10)) {
            let point: Vec<F128> = seed.into_iter().map(F128::new).collect();
            let (row_point, col_point) = (&point[..5], &point[5..]);
            let (row_eq, col_eq) = (eq_table(row_point), eq_table(col_point));
            for tile in tiles(rows, cols) {
                let (scale, local) = tile.restrict(row_point, col_point);
                let table = eq_table(&local);
                for c in 0..1 << tile.log_cols {
                    for r in 0..1 << tile.log_rows {
                        let expected = row_eq[tile.row + r] * col_eq[tile.col + c];
                        prop_assert_eq!(scale * table[(c << tile.log_rows) + r], expected);
                    }
                }
            }
        }
    }
}
