//! Leaves that are made whenever they are needed, and the levels above them that are made of them.

use binfer_field::{F128, kernels};

/// Leaves that are made whenever they are needed, which takes their memory away.
pub trait Leaves: Send + Sync {
    /// Rows of a column, from row `first` on, as many as `out` holds.
    fn fill(&self, column: usize, first: usize, out: &mut [F128]);

    /// The table in which the leaves of a column are looked up, of at most 256 entries, and its rows' indices
    /// in it; nothing where they are made in another way.
    fn looked_up(&self, _column: usize) -> Option<(&[F128], &[u8])> {
        None
    }
}

/// Rows of a column that are multiplied at a time, in the first cache.
pub(super) const ROWS: usize = 256;

/// A level that is made of leaves.
#[derive(Clone, Copy)]
pub(super) struct Made<'a> {
    leaves: &'a dyn Leaves,
    /// Columns of leaves.
    leaf_cols: usize,
    /// Levels between leaves and this one.
    level: usize,
}

impl<'a> Made<'a> {
    pub(super) fn new(leaves: &'a dyn Leaves, leaf_cols: usize, level: usize) -> Self {
        Self { leaves, leaf_cols, level }
    }

    /// Columns of the level.
    pub(super) fn cols(self) -> usize {
        self.leaf_cols.div_ceil(1 << self.level)
    }

    /// Rows from `first` of a column, ones beyond the last column.
    pub(super) fn fill(self, column: usize, first: usize, out: &mut [F128]) {
        if column >= self.cols() {
            return out.fill(F128::ONE);
        }
        if self.level == 0 {
            return self.leaves.fill(column, first, out);
        }
        let below = Self { level: self.level - 1, ..self };
        let (even, odd) = (2 * column, 2 * column + 1);
        if odd >= below.cols() {
            return below.fill(even, first, out);
        }
        if let (Some(even), Some(odd)) = (below.byte_table(even), below.byte_table(odd)) {
            let index = [even.1, odd.1].map(|index| &index[first..][..out.len()]);
            return kernels::gather_products(out, [even.0, odd.0], index);
        }
        let mut factor = [F128::ZERO; ROWS];
        for (block, out) in out.chunks_mut(ROWS).enumerate() {
            let (first, factor) = (first + block * ROWS, &mut factor[..out.len()]);
            below.fill(even, first, out);
            below.fill(odd, first, factor);
            kernels::mul_assign(out, factor);
        }
    }

    /// What a column is looked up in, if it is one of leaves.
    pub(super) fn looked_up(self, column: usize) -> Option<(&'a [F128], &'a [u8])> {
        let is_leaf = self.level == 0 && column < self.leaf_cols;
        if is_leaf { self.leaves.looked_up(column) } else { None }
    }

    /// What the two leaves of a column are looked up in, if it is one of products of two and their tables have an entry for
    /// every byte.
    pub(super) fn byte_tables(self, column: usize) -> Option<[(&'a [F128; 256], &'a [u8]); 2]> {
        if self.level != 1 {
            return None;
        }
        let leaves = Self { level: 0, ..self };
        Some([leaves.byte_table(2 * column)?, leaves.byte_table(2 * column + 1)?])
    }

    /// The same as [`Self::looked_up`] where the table has an entry for every byte.
    pub(super) fn byte_table(self, column: usize) -> Option<(&'a [F128; 256], &'a [u8])> {
        let (table, index) = self.looked_up(column)?;
        Some((table.try_into().ok()?, index))
    }
}
