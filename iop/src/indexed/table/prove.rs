//! The prover of the table step.

use binfer_field::{F128, kernels};
use rayon::prelude::*;

use super::{TableClaim, TableStatement, split_challenges};
use crate::channel::ProverChannel;
use crate::multilinear::log2_ceil;
use crate::sumcheck::{self, EqFactored, Instance, Shape};

/// One claim with its prover data.
pub struct TableInput {
    /// The public side.
    pub statement: TableStatement<F128>,
    /// `T_c[v] + 1`, blocks `[column][v]`.
    pub table: Vec<F128>,
    /// `M(c, v)`, blocks `[column][v]`, as [`histogram`] makes it.
    pub histogram: Vec<F128>,
}

/// `M(c, v) = sum_r weights[r] [columns[c][r] = v]`, blocks `[column][v]` of `2^width` entries.
///
/// Columns are at most as long as `weights`, each index below `2^width`.
pub fn histogram(columns: &[&[u8]], weights: &[F128], width: usize) -> Vec<F128> {
    let mut bins = vec![F128::ZERO; columns.len() << width];
    bins.par_chunks_mut(1 << width)
        .zip(columns)
        .for_each(|(bins, column)| kernels::histogram(bins, column, &weights[..column.len()]));
    bins
}

/// Reduces leaf claims to claims on tables and histograms.
pub fn prove(channel: &mut ProverChannel, inputs: Vec<TableInput>) -> Vec<TableClaim<F128>> {
    let n_cols: Vec<usize> = inputs.iter().map(|i| log2_ceil(i.statement.cols)).collect();
    let mut instances: Vec<TableProduct> = inputs.into_iter().map(TableProduct::new).collect();
    let shapes: Vec<Shape> = instances.iter().map(Instance::shape).collect();
    let mut batch: Vec<&mut dyn Instance> =
        instances.iter_mut().map(|i| i as &mut dyn Instance).collect();
    let challenges = sumcheck::prove(channel, &mut batch);
    let mut claims = Vec::with_capacity(instances.len());
    for ((instance, shape), n_cols) in instances.iter().zip(shapes).zip(n_cols) {
        let point = &challenges[challenges.len() - shape.n_vars..];
        let (col_point, index_point) = split_challenges(point, n_cols);
        let (table, histogram) = (instance.table[0], instance.histogram[0]);
        channel.send("table value", table);
        channel.send("histogram value", histogram);
        claims.push(TableClaim { col_point, index_point, table, histogram });
    }
    claims
}

/// `sum_{c, v} eq(z, c) T(c, v) M(c, v)` in the middle of its sumcheck.
struct TableProduct {
    n_vars: usize,
    cols_left: usize,
    /// Entries a column, halved as index bits are bound.
    width: usize,
    table: Vec<F128>,
    histogram: Vec<F128>,
    /// Room for the next fold.
    spare: Vec<F128>,
    z: Vec<F128>,
    eq: Vec<F128>,
    factored: EqFactored,
}

impl TableProduct {
    fn new(input: TableInput) -> Self {
        let TableInput { statement, table, histogram } = input;
        let n_cols = log2_ceil(statement.cols);
        let width = 1 << statement.width;
        assert!(table.len() == statement.cols * width && histogram.len() == table.len());
        Self {
            n_vars: n_cols + statement.width,
            cols_left: n_cols,
            width,
            table,
            histogram,
            spare: Vec::new(),
            eq: kernels::eq_table(&statement.col_point),
            z: statement.col_point,
            factored: EqFactored::new(statement.value + F128::ONE),
        }
    }
}

/// The cofactor's value at 1 (at 0 where `flip`) and its leading coefficient, over pairs of columns.
fn column_sums(
    table: &[F128],
    histogram: &[F128],
    eq: &[F128],
    width: usize,
    flip: bool,
) -> (F128, Vec<F128>) {
    let data = table.par_chunks(2 * width).zip(histogram.par_chunks(2 * width));
    let sums = data.zip(eq.par_chunks(2)).map(|((table, histogram), eq)| {
        let weight = eq.iter().copied().sum::<F128>();
        if table.len() == width {
            // The neighbour column is outside: zero.
            let low = kernels::inner_product(table, histogram) * weight;
            return if flip { (low, low) } else { (F128::ZERO, low) };
        }
        let (at, leading) = pair_sums(table, histogram, flip);
        (at * weight, leading * weight)
    });
    let (at, leading) = sums.reduce(|| (F128::ZERO, F128::ZERO), |a, b| (a.0 + b.0, a.1 + b.1));
    (at, vec![leading])
}

/// For halves `lo`, `hi` of both slices: `sum hi * hi` (or `lo * lo`), and
/// `sum (lo + hi) * (lo + hi)`.
fn pair_sums(a: &[F128], b: &[F128], flip: bool) -> (F128, F128) {
    let ((a_lo, a_hi), (b_lo, b_hi)) = (a.split_at(a.len() / 2), b.split_at(b.len() / 2));
    let at =
        if flip { kernels::inner_product(a_lo, b_lo) } else { kernels::inner_product(a_hi, b_hi) };
    let sum = |lo: &[F128], hi: &[F128]| {
        let mut sum = lo.to_vec();
        kernels::add_assign(&mut sum, hi);
        sum
    };
    (at, kernels::inner_product(&sum(a_lo, a_hi), &sum(b_lo, b_hi)))
}

impl Instance for TableProduct {
    fn shape(&self) -> Shape {
        Shape { n_vars: self.n_vars, degree: 3 }
    }

    fn round(&mut self) -> Vec<F128> {
        if self.cols_left == 0 {
            let (at_one, leading) = pair_sums(&self.table, &self.histogram, false);
            return self.factored.round_beyond(at_one, &[leading]);
        }
        let Self { table, histogram, eq, width, factored, .. } = self;
        let z = self.z[self.z.len() - self.cols_left];
        let sums = |flip| column_sums(table, histogram, eq, *width, flip);
        factored.round(z, sums(false), (z == F128::ONE).then(|| sums(true).0))
    }

    fn bind(&mut self, r: F128) {
        if self.cols_left == 0 {
            self.factored.bind(None, r);
            for data in [&mut self.table, &mut self.histogram] {
                let half = data.len() / 2;
                let (lo, hi) = data.split_at_mut(half);
                kernels::fold(lo, hi, r);
                data.truncate(half);
            }
            return;
        }
        self.factored.bind(Some(self.z[self.z.len() - self.cols_left]), r);
        self.cols_left -= 1;
        self.eq = self.eq.chunks(2).map(|pair| pair[0] + pair[1]).collect();
        let width = self.width;
        for data in [&mut self.table, &mut self.histogram] {
            let mut next = core::mem::take(&mut self.spare);
            next.resize((data.len() / width).div_ceil(2) * width, F128::ZERO);
            next.par_chunks_mut(width).zip(data.par_chunks(2 * width)).for_each(|(next, pair)| {
                let (lo, hi) = pair.split_at(width);
                if hi.is_empty() {
                    next.copy_from_slice(lo);
                    kernels::scale(next, F128::ONE + r);
                } else {
                    kernels::fold_into(next, lo, hi, r);
                }
            });
            self.spare = core::mem::replace(data, next);
        }
    }
}
