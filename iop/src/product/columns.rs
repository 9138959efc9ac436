//! A product of two factors over pairs of columns, column variables bound two at a time.

use binfer_field::F128;
use binfer_field::kernels::{self, Corner};
use rayon::prelude::*;

use super::LeafClaim;
use super::halves::Halves;
use super::leaves::Made;
use super::quad::{self, Grid, Quad};
use super::tree::TASK;

/// Rows that are computed at a time where columns are made on the way: enough that the tables, which are
/// more than fit into the first cache, are seldom fetched again.
const ROWS: usize = 1 << 10;

/// The table of columns beyond the last.
static ONES: [F128; 256] = [F128::ONE; 256];

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
    /// The columns, where they are not in `data`, which is room to bind them into.
    made: Option<Made<'a>>,
    ones: Vec<F128>,
    eq_rows: Vec<F128>,
    /// For each quad of pairs, and for those beyond them.
    eq_quads: Vec<F128>,
}

/// Sixteen pairs of one task, or fewer at the end: two foldings' worth.
const TASK_PAIRS: usize = 16;

impl<'a> Columns<'a> {
    /// The columns in `data`, an even number and more than four.
    pub(super) fn stored(data: &'a mut [F128], rows: usize, claim: &LeafClaim<F128>) -> Self {
        let pairs = data.len() / (2 * rows);
        Self::new(data, None, (rows, pairs), claim)
    }

    /// The columns of `made`, more than four; `room` holds a quarter of them, rounded up to whole pairs.
    pub(super) fn made(
        made: Made<'a>,
        rows: usize,
        room: &'a mut [F128],
        claim: &LeafClaim<F128>,
    ) -> Self {
        Self::new(room, Some(made), (rows, made.cols().div_ceil(2)), claim)
    }

    fn new(
        data: &'a mut [F128],
        made: Option<Made<'a>>,
        (rows, pairs): (usize, usize),
        claim: &LeafClaim<F128>,
    ) -> Self {
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
            made,
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
        if let Some(made) = self.made {
            return self.grid_of_made(made, corner);
        }
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

    fn grid_of_made(&self, made: Made<'_>, corner: Corner) -> Grid {
        let scratch = || vec![F128::ONE; 8 * self.rows.min(ROWS)];
        let quads = self.eq_quads[..self.pairs.div_ceil(4)].par_iter().enumerate();
        let sums = quads.map_init(scratch, |scratch, (q, &weight)| {
            let mut total = Grid::default();
            if let Some(sums) = self.grid_looked_up(made, q, corner) {
                kernels::add_scaled(&mut total, &sums, weight);
                return total;
            }
            for (block, eq) in self.eq_rows.chunks(ROWS).enumerate() {
                let n = eq.len();
                for (k, column) in scratch.chunks_mut(n).take(8).enumerate() {
                    made.fill(8 * q + k, block * ROWS, column);
                }
                let column = |k: usize| &scratch[k * n..(k + 1) * n];
                let quad = Quad { a: [0, 2, 4, 6].map(column), b: [1, 3, 5, 7].map(column) };
                let sums = kernels::product_grid(eq, quad.a, quad.b, corner);
                kernels::add_scaled(&mut total, &sums, weight);
            }
            total
        });
        sums.reduce(Grid::default, quad::add)
    }

    /// The grid of a quad of pairs of columns that are looked up by bytes, if they are.
    fn grid_looked_up(&self, made: Made<'_>, quad: usize, corner: Corner) -> Option<Grid> {
        let (mut tables, mut index) = ([&ONES; 8], [&[][..]; 8]);
        for k in 0..8 {
            // Columns beyond the last take the indices of the first, which is there.
            index[k] = index[0];
            if 8 * quad + k < made.cols() {
                let rows;
                (tables[k], rows) = made.byte_table(8 * quad + k)?;
                index[k] = &rows[..self.rows];
            }
        }
        Some(kernels::gather_grid(&self.eq_rows, tables, index, corner))
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
        let mut data = core::mem::take(&mut self.data);
        let pairs = self.pairs.div_ceil(4);
        let this = &*self;
        let sums = if let Some(made) = self.made {
            let step = 2 * self.rows;
            let scratch = || vec![F128::ONE; 3 * this.rows.min(ROWS)];
            data = &mut data[..pairs * step];
            let tasks = data.par_chunks_mut(4 * step).enumerate();
            let sums = tasks.map_init(scratch, |scratch, (q, data)| {
                for (k, pair) in data.chunks_mut(step).enumerate() {
                    this.fold_made(made, 4 * q + k, pair, scratch, weights);
                }
                then(this, q, data, step)
            });
            let sums = sums.reduce(Grid::default, quad::add);
            self.made = None;
            sums
        } else {
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
            sums
        };
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

    /// The pair that the quad with this number becomes.
    fn fold_made(
        &self,
        made: Made<'_>,
        quad: usize,
        pair: &mut [F128],
        scratch: &mut [F128],
        weights: [F128; 3],
    ) {
        for (side, bound) in pair.chunks_mut(self.rows).enumerate() {
            let columns = [0, 1, 2, 3].map(|k| 8 * quad + 2 * k + side);
            if fold_looked_up(made, columns, bound, weights) {
                continue;
            }
            for (block, first) in bound.chunks_mut(ROWS).enumerate() {
                let n = first.len();
                let fill = |k: usize, out: &mut [F128]| made.fill(columns[k], block * ROWS, out);
                fill(0, first);
                let rest = &mut scratch[..3 * n];
                rest.chunks_mut(n).enumerate().for_each(|(k, column)| fill(k + 1, column));
                let column = |k: usize| &rest[k * n..(k + 1) * n];
                kernels::fold_four(first, [0, 1, 2].map(column), weights);
            }
        }
    }
}

/// The fold of four columns of leaves, or of products of two leaves, that are looked up in tables much shorter than they are: the
/// tables are scaled in their place. Tells whether they were.
fn fold_looked_up(
    made: Made<'_>,
    columns: [usize; 4],
    out: &mut [F128],
    weights: [F128; 3],
) -> bool {
    let mut tables = [[F128::ZERO; 256]; 4];
    let rest: F128 = weights.iter().copied().sum();
    let weights = [F128::ONE + rest, weights[0], weights[1], weights[2]];
    let scale = |scaled: &mut [F128; 256], table: &[F128], weight: F128| {
        kernels::scale_into(&mut scaled[..table.len()], table, weight);
    };
    if 2 * tables[0].len() <= out.len()
        && let [Some(p0), Some(p1), Some(p2), Some(p3)] = columns.map(|c| made.byte_tables(c))
    {
        let pairs = [p0, p1, p2, p3];
        for ((scaled, [(table, _), _]), weight) in tables.iter_mut().zip(pairs).zip(weights) {
            scale(scaled, table, weight);
        }
        let [t0, t1, t2, t3] = &tables;
        let tables = [t0, p0[1].0, t1, p1[1].0, t2, p2[1].0, t3, p3[1].0];
        let index = pairs.as_flattened();
        let index = core::array::from_fn(|k| &index[k].1[..out.len()]);
        kernels::gather_four_products(out, tables, index);
        return true;
    }
    let mut index: [&[u8]; 4] = [&[]; 4];
    for (k, column) in columns.into_iter().enumerate() {
        let looked_up = made.looked_up(column).filter(|(table, _)| 2 * table.len() <= out.len());
        let Some((table, rows)) = looked_up else {
            return false;
        };
        scale(&mut tables[k], table, weights[k]);
        index[k] = &rows[..out.len()];
    }
    kernels::gather_four(out, tables.each_ref(), index);
    true
}

/// An eq table with its lowest two variables summed out.
pub(super) fn sum_fours(eq: &[F128]) -> Vec<F128> {
    eq.chunks(4).map(|four| four.iter().copied().sum()).collect()
}
