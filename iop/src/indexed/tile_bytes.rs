//! A tile's bytes out of its matrix: as they lie, or copied.

use core::ops::Deref;

use super::Tile;
use crate::buffer::Bytes;

/// The bytes of a tile, `[column][row]`, zero-padded to `2^n_vars` entries.
pub enum TileBytes<'a> {
    /// In the matrix, of which the tile has all rows.
    Lying(&'a [u8]),
    /// Copied.
    Gathered(Bytes),
}

impl<'a> TileBytes<'a> {
    /// Those of a tile of a matrix `[column][row]` with `rows` rows.
    pub fn new(tile: &Tile, matrix: &'a [u8], rows: usize) -> Self {
        let n = 1 << tile.n_vars();
        let columns = &matrix[tile.col * rows..];
        let has_all = 1 << tile.log_rows == rows && rows << tile.log_cols == n;
        if let Some(bytes) = columns.get(..n).filter(|_| has_all) {
            return Self::Lying(bytes);
        }
        let mut bytes = Bytes::unspecified(n);
        let (entries, padding) = bytes.split_at_mut(1 << (tile.log_rows + tile.log_cols));
        for (out, column) in entries.chunks_mut(1 << tile.log_rows).zip(columns.chunks(rows)) {
            out.copy_from_slice(&column[tile.row..][..out.len()]);
        }
        padding.fill(0);
        Self::Gathered(bytes)
    }
}

impl Deref for TileBytes<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Lying(bytes) => bytes,
            Self::Gathered(bytes) => bytes,
        }
    }
}
