//! A product of two factors over pairs of columns, column variables bound two at a time.

use binfer_field::F128;
use binfer_field::kernels::{self, Corner};
use rayon::prelude::*;

use super::LeafClaim;
use super::halves::Halves;
use super::quad::{self, Grid, Quad};
use super::tree::TASK;

/// A level in the middle of its sumcheck: `pairs` pairs of columns `a`, `b`, each of `rows` elements.
///
/// Pairs are bound in the place of the first, so that they move apart; pairs beyond are ones.
pub(super) struct Columns<'a> {
    rows: usize,
    pairs: usize,
    /// Columns between pairs.
    stride: usize,
    /// Variables that index the pairs.
    pub(super) n_vars: usize,
    data: &'a mut [F128],
    ones: Vec<F128>,
    eq_rows: Vec<F128>,
    /// For each quad of pairs, and for those beyond them.
    eq_quads: Vec<F128>,
}

/// Sixteen pairs of one task, or fewer at the end: two foldings' worth.
const TASK_PAIRS: usize = 16;

impl<'a> Columns<'a> {
    /// The columns in `data`, an even number and more than four.
    pub(super) fn new(data: &'a mut [F128], rows: usize, claim: &LeafClaim<F128>) -> Self {
        let pairs = data.len() / (2 * rows);
        let (row_point, col_point) = (&claim.row_point, &claim.col_point);
        debug_assert!(col_point.len() >= 2);
        let mut eq_rows = kernels::eq_table(row_point);
        eq_rows.truncate(rows);
        let eq_quads = kernels::eq_table(&col_point[2..]);
        Self {
            rows,
            pairs,
            stride: 2,
            n_vars: col_point.len(),
            data,
            ones: vec![F128::ONE; rows],
            eq_rows,
            eq_quads,
        }
    }

    /// The sum of all weights.
    pub(super) fn weight(&self) -> F128 {
        kernels::sum(&self.eq_rows) * kernels::sum(&self.eq_quads[..self.pairs.div_ceil(4)])
    }

    /// Elements from one pair to the next.
    fn step(&self) -> usize {
        self.stride * self.rows
    }

    /// The quad at the beginning of `data`, its pairs `step` apart.
    fn quad<'b>(&'b self, data: &'b [F128], step: usize) -> Quad<'b> {
        let column = |start: usize| data.get(start..start + self.rows).unwrap_or(&self.ones);
        let at = [0, 1, 2, 3].map(|k| k * step);
        Quad { a: at.map(column), b: at.map(|at| column(at + self.rows)) }
    }

    /// The grid of the next two variables.
    pub(super) fn grid(&self, corner: Corner) -> Grid {
        let quad = 4 * self.step();
        let quads = self.data.par_chunks(quad).zip(&self.eq_quads);
        quads
            .with_min_len(TASK.div_ceil(8 * self.rows))
            .fold(Grid::default, |mut total, (data, &weight)| {
                let sums = self.quad(data, self.step()).grid(&self.eq_rows, corner);
                kernels::add_scaled(&mut total, &sums, weight);
                total
            })
            .reduce(Grid::default, quad::add)
    }

    /// Binds two variables, of which more than three are left, then [`Self::grid`] of what is left.
    pub(super) fn fold_and_grid(&mut self, weights: [F128; 3], corner: Corner) -> Grid {
        let eq_quads = sum_fours(&self.eq_quads);
        let sums = self.fold_tasks(weights, |this, q, data, step| {
            let sums = this.quad(data, step).grid(&this.eq_rows, corner);
            let mut total = Grid::default();
            kernels::add_scaled(&mut total, &sums, eq_quads[q]);
            total
        });
        self.eq_quads = eq_quads;
        sums
    }

    /// Binds two variables, of which two or three are left, and leaves a hypercube; `z` is eq's point
    /// for the variables beyond, in the order in which they are bound.
    pub(super) fn fold_into_halves(&mut self, weights: [F128; 3], z: &[F128]) -> Halves {
        self.fold_tasks(weights, |_, _, _, _| Grid::default());
        let pairs = self.data.chunks(self.step()).take(self.pairs);
        Halves::from_pairs(pairs, self.rows, z)
    }

    /// Binds two variables task by task, and sums what `then` makes of each while it is in cache.
    ///
    /// A task is four quads; `then` hears its number, its data and the distance of its pairs.
    fn fold_tasks(
        &mut self,
        weights: [F128; 3],
        then: impl Fn(&Self, usize, &[F128], usize) -> Grid + Sync,
    ) -> Grid {
        let data = core::mem::take(&mut self.data);
        let pairs = self.pairs.div_ceil(4);
        let this = &*self;
        let step = self.step();
        let tasks = data.par_chunks_mut(TASK_PAIRS * step).enumerate();
        let tasks = tasks.with_min_len(TASK.div_ceil(32 * self.rows));
        let sums = tasks.map(|(q, data)| {
            let quads = data.par_chunks_mut(4 * step);
            let quads = quads.with_min_len(TASK.div_ceil(8 * this.rows));
            quads.for_each(|quad| this.fold_quad(quad, weights));
            then(this, q, data, 4 * step)
        });
        let sums = sums.reduce(Grid::default, quad::add);
        self.stride *= 4;
        self.data = data;
        self.pairs = pairs;
        self.n_vars -= 2;
        sums
    }

    fn fold_quad(&self, data: &mut [F128], weights: [F128; 3]) {
        let (rows, step) = (self.rows, self.step());
        let (first, rest) = data.split_at_mut(step.min(data.len()));
        let column = |start: usize| rest.get(start..start + rows).unwrap_or(&self.ones);
        let (a, b) = first[..2 * rows].split_at_mut(rows);
        let at = [0, 1, 2].map(|k| k * step);
        quad::fold(a, at.map(column), weights);
        quad::fold(b, at.map(|at| column(at + rows)), weights);
    }
}

/// An eq table with its lowest two variables summed out.
pub(super) fn sum_fours(eq: &[F128]) -> Vec<F128> {
    eq.chunks(4).map(|four| four.iter().copied().sum()).collect()
}
