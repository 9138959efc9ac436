//! Leaves, or their factors, that are made whenever they are needed.

use binfer_field::{F128, kernels};

use super::shape::FOUR;

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

/// Rows of a column that are multiplied at a time, in the first cache: as many as a table has entries.
const ROWS: usize = 256;

/// What `N` blocks are looked up in, and their rows' indices.
type LookUps<'a, const N: usize> = ([&'a [F128; 256]; N], [&'a [u8]; N]);

/// The table of blocks beyond the last.
static ONES: [F128; 256] = [F128::ONE; 256];

/// A number of blocks that are made, ones beyond them.
pub(super) struct Made<'a> {
    leaves: Box<dyn Leaves + 'a>,
    blocks: usize,
}

impl<'a> Made<'a> {
    pub(super) fn new(leaves: Box<dyn Leaves + 'a>, blocks: usize) -> Self {
        Self { leaves, blocks }
    }

    /// Rows from `first` of a block.
    pub(super) fn fill(&self, block: usize, first: usize, out: &mut [F128]) {
        if block < self.blocks {
            self.leaves.fill(block, first, out);
        } else {
            out.fill(F128::ONE);
        }
    }

    /// What a block is looked up in, if it is.
    pub(super) fn looked_up(&self, block: usize) -> Option<(&[F128], &[u8])> {
        if block < self.blocks { self.leaves.looked_up(block) } else { None }
    }

    /// The product of `fan_in` blocks from `block` on. Tables of those that follow are fetched meanwhile.
    pub(super) fn multiply(&self, block: usize, fan_in: usize, out: &mut [F128]) {
        if fan_in == FOUR
            && let Some((tables, index)) = self.byte_tables::<FOUR>(block, out.len())
        {
            let next: [usize; FOUR] = core::array::from_fn(|k| block + FOUR + k);
            let ahead = self.ahead(next, out.len());
            return kernels::gather_four_products(out, tables, index, ahead.as_flattened());
        }
        let mut factors = [F128::ZERO; ROWS];
        let blocks = block..self.blocks.min(block + fan_in);
        for (run, out) in out.chunks_mut(ROWS).enumerate() {
            let factors = &mut factors[..out.len()];
            for first in blocks.clone().step_by(2) {
                let two = first..blocks.end.min(first + 2);
                if first == block {
                    self.multiply_two(two, run * ROWS, out);
                } else {
                    self.multiply_two(two, run * ROWS, factors);
                    kernels::mul_assign(out, factors);
                }
            }
        }
    }

    /// Rows from `first` of the product of one or two blocks.
    fn multiply_two(&self, blocks: core::ops::Range<usize>, first: usize, out: &mut [F128]) {
        let (even, odd) = (blocks.start, blocks.start + 1);
        if odd == blocks.end {
            return self.fill(even, first, out);
        }
        if let [Some(even), Some(odd)] = [even, odd].map(|block| self.byte_table(block)) {
            let index = [even.1, odd.1].map(|index| &index[first..][..out.len()]);
            return kernels::gather_products(out, [even.0, odd.0], index);
        }
        let mut factor = [F128::ZERO; ROWS];
        let factor = &mut factor[..out.len()];
        self.fill(even, first, out);
        self.fill(odd, first, factor);
        kernels::mul_assign(out, factor);
    }

    /// What blocks from `block` on are looked up in, those beyond the last in ones, if tables have an entry for every byte.
    pub(super) fn byte_tables<const N: usize>(
        &self,
        block: usize,
        rows: usize,
    ) -> Option<LookUps<'_, N>> {
        let (mut tables, mut index) = ([&ONES; N], [&[][..]; N]);
        for k in 0..N {
            // Those of the first, which is there, do for ones.
            index[k] = index[0];
            if block + k < self.blocks {
                (tables[k], index[k]) = self.byte_table(block + k)?;
                index[k] = &index[k][..rows];
            }
        }
        Some((tables, index))
    }

    /// The tables and the indices of these blocks, where there are such: what kernels are to fetch while they look up `rows` others, if
    /// those are so many that most entries are read.
    pub(super) fn ahead<const N: usize>(&self, blocks: [usize; N], rows: usize) -> [[&[u8]; 2]; N] {
        blocks.map(|block| match self.looked_up(block) {
            Some((table, index)) if rows >= ROWS => [bytemuck::cast_slice(table), index],
            _ => Default::default(),
        })
    }

    /// The same as [`Self::looked_up`] where the table has an entry for every byte.
    fn byte_table(&self, block: usize) -> Option<(&[F128; 256], &[u8])> {
        let (table, index) = self.looked_up(block)?;
        Some((table.try_into().ok()?, index))
    }
}
