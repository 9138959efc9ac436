//! A product of two factors over a hypercube, variables bound from the highest bit down.

use binfer_field::F128;
use binfer_field::kernels::{self, Corner};
use rayon::prelude::*;

use super::quad::{self, Grid};
use crate::buffer::Buffer;
use crate::multilinear::eq_tables;

/// Variables of the weights that a chunk shares: its eight slices and they fit into the second cache, and the weights into the first.
const CHUNK_VARS: usize = 9;

/// Chunks of a task, at least.
const CHUNKS: usize = 2;

/// Factors of a power of two of elements each, and eq's point for what two rounds leave.
pub(super) struct Halves {
    /// `a`, then `b`.
    data: Buffer,
    /// Elements between the beginnings of `a` and `b`.
    offset: usize,
    len: usize,
    /// eq's point for the variables beyond the first two, lowest first.
    z: Vec<F128>,
}

impl Halves {
    /// `data` holds both factors; `z` is eq's point in the order in which variables are bound.
    pub(super) fn new(data: impl Into<Buffer>, z: &[F128]) -> Self {
        let data = data.into();
        let len = data.len() / 2;
        debug_assert_eq!(len, 1 << z.len());
        Self { data, offset: len, len, z: z.iter().skip(2).rev().copied().collect() }
    }

    /// From pairs of columns `a`, `b` of `rows` elements, both sides padded with ones.
    pub(super) fn from_pairs<'a>(
        pairs: impl Iterator<Item = &'a [F128]>,
        rows: usize,
        z: &[F128],
    ) -> Self {
        let (padded, half) = (rows.next_power_of_two(), 1 << z.len());
        let mut data = Buffer::unspecified(2 * half);
        let (a, b) = data.split_at_mut(half);
        let mut blocks = a.chunks_mut(padded).zip(b.chunks_mut(padded));
        for (pair, (a, b)) in pairs.zip(&mut blocks) {
            for (out, column) in [a, b].into_iter().zip(pair.chunks(rows)) {
                let (inside, outside) = out.split_at_mut(rows);
                inside.copy_from_slice(column);
                outside.fill(F128::ONE);
            }
        }
        blocks.flat_map(|(a, b)| [a, b]).for_each(|block| block.fill(F128::ONE));
        Self::new(data, z)
    }

    /// The factors' first elements: once all variables are bound, their values.
    pub(super) fn values(&self) -> [F128; 2] {
        [self.data[0], self.data[self.offset]]
    }

    /// Both factors at both values of the last variable.
    pub(super) fn last_pair(&self) -> [[F128; 2]; 2] {
        debug_assert_eq!(self.len, 2);
        [0, self.offset].map(|at| [self.data[at], self.data[at + 1]])
    }

    /// Binds the last variable.
    pub(super) fn bind_last(&mut self, r: F128) {
        let [a, b] = self.last_pair().map(|[lo, hi]| lo + r * (lo + hi));
        (self.data[0], self.data[self.offset]) = (a, b);
        self.len = 1;
    }

    /// The grid of the next two variables.
    pub(super) fn grid(&self, corner: Corner) -> Grid {
        let (a, b) = self.data.split_at(self.offset);
        let [inner, outer] = eq_tables(&self.z, CHUNK_VARS);
        let [a, b] = [&a[..self.len], &b[..self.len]].map(quad::quarters);
        let chunks = outer.par_iter().enumerate().with_min_len(CHUNKS);
        let grids = chunks.map(|(chunk, &weight)| {
            let [a, b] = [a, b].map(|of| of.map(|s| &s[chunk * inner.len()..][..inner.len()]));
            let mut grid = kernels::product_grid(&inner, a, b, corner);
            kernels::scale(&mut grid, weight);
            grid
        });
        grids.reduce(Grid::default, quad::add)
    }

    /// Binds two variables.
    pub(super) fn fold(&mut self, weights: [F128; 3]) {
        let (a, b) = self.data.split_at_mut(self.offset);
        for factor in [a, b] {
            quad::fold_quarters(&mut factor[..self.len], weights);
        }
        self.len /= 4;
        self.z.truncate(self.z.len().saturating_sub(2));
    }
}
