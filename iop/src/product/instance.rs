//! One product sumcheck over a box: `sum_x eq(z, x) (prod_g L_g(x) + 1)`, factors one outside.

use binfer_field::{F128, kernels};
use rayon::prelude::*;

use super::tree::TASK;
use super::{BoxShape, LeafClaim, Leaves};
use crate::buffer::Buffer;
use crate::multilinear::log2_ceil;
use crate::sumcheck::{EqFactored, Instance, Shape};

/// Rows that are multiplied at a time: partial products of so many stay in the first cache.
const RUN: usize = 1 << 7;

/// Columns are bound first, lowest variable first, then rows, highest variable first.
///
/// The factor `eq(z, .)` is kept apart, so that a round sums the cofactor's values only.
pub struct BoxProduct<'a> {
    shape: BoxShape,
    n_vars: usize,
    /// Blocks `[column][factor][row]`, unless they are made.
    data: Buffer,
    /// What makes the factors, numbered as blocks are, until the first column variable is bound.
    made: Option<Box<dyn Leaves + 'a>>,
    cols_left: usize,
    rows_left: usize,
    z_cols: Vec<F128>,
    z_rows: Vec<F128>,
    eq_cols: Vec<F128>,
    eq_rows: Vec<F128>,
    factored: EqFactored,
}

/// The factors of a box's leaves.
pub(super) enum Factors<'a> {
    /// Blocks `[column][factor][row]`.
    Stored(Buffer),
    /// Those that are made, numbered as blocks are.
    Made(Box<dyn Leaves + 'a>),
}

impl<'a> BoxProduct<'a> {
    /// The instance for a claim `V(z) = value` on the product `V` of all factors; `data` holds
    /// `cols * fan_in * rows` elements `[column][factor][row]`, or one block of ones more.
    pub fn new(shape: BoxShape, data: impl Into<Buffer>, claim: &LeafClaim<F128>) -> Self {
        Self::over(shape, Factors::Stored(data.into()), claim)
    }

    /// The instance for factors that may be made; if they are, of a box of several columns.
    pub(super) fn over(shape: BoxShape, factors: Factors<'a>, claim: &LeafClaim<F128>) -> Self {
        let (mut data, made) = match factors {
            Factors::Stored(data) => (data, None),
            Factors::Made(leaves) => (Buffer::default(), Some(leaves)),
        };
        let (n_cols, n_rows) = (shape.col_vars(), shape.row_vars());
        debug_assert!(made.is_none() || n_cols > 0);
        debug_assert_eq!((claim.col_point.len(), claim.row_point.len()), (n_cols, n_rows));
        data.truncate(shape.cols * shape.fan_in * shape.rows);
        let mut eq_rows = kernels::eq_table(&claim.row_point);
        eq_rows.truncate(shape.rows);
        let mut this = Self {
            shape,
            n_vars: n_cols + n_rows,
            data,
            made,
            cols_left: n_cols,
            rows_left: n_rows,
            z_cols: claim.col_point.clone(),
            z_rows: claim.row_point.clone(),
            eq_cols: kernels::eq_table(&claim.col_point),
            eq_rows,
            factored: EqFactored::new(claim.values[0] + F128::ONE),
        };
        if n_cols == 0 {
            this.start_rows();
        }
        this
    }

    /// The factors' values at the bound point.
    pub fn values(&self) -> &[F128] {
        debug_assert_eq!(self.cols_left + self.rows_left, 0);
        &self.data
    }

    /// Pads the rows to a power of two with ones and restores the whole eq table.
    fn start_rows(&mut self) {
        let padded = 1 << self.rows_left;
        let rows = self.shape.rows;
        if padded != rows {
            let mut data = Buffer::unspecified(self.shape.fan_in * padded);
            for (out, factor) in data.chunks_mut(padded).zip(self.data.chunks(rows)) {
                let (inside, outside) = out.split_at_mut(rows);
                inside.copy_from_slice(factor);
                outside.fill(F128::ONE);
            }
            self.data = data;
        }
        self.eq_rows = kernels::eq_table(&self.z_rows);
        self.shape.rows = padded;
    }

    /// The cofactor's value at 1 (at 0 where `flip`), zero, and its coefficients of `X^2` and above.
    fn cofactor_at(&self, flip: bool) -> Vec<F128> {
        if self.cols_left > 0 { self.column_cofactor(flip) } else { self.row_cofactor(flip) }
    }

    fn column_cofactor(&self, flip: bool) -> Vec<F128> {
        if let Some(leaves) = &self.made {
            return self.made_cofactor(&**leaves, flip);
        }
        let (rows, fan_in) = (self.shape.rows, self.shape.fan_in);
        let block = rows * fan_in;
        let pairs = TASK.div_ceil(2 * block);
        let ones = vec![F128::ONE; block];
        let weights = &self.eq_cols;
        let chunks = self.data.par_chunks(2 * block * pairs).zip(weights.par_chunks(2 * pairs));
        let sums = chunks.map(|(data, weights)| {
            let mut total = vec![F128::ZERO; fan_in + 1];
            for (pair, w) in data.chunks(2 * block).zip(weights.chunks(2)) {
                let (lo, hi) = pair.split_at(block);
                let hi = if hi.is_empty() { &ones } else { hi };
                let sum =
                    weighted_product(&self.eq_rows, &blocks(lo, rows), &blocks(hi, rows), flip);
                let weight = w.iter().copied().sum::<F128>();
                for (t, s) in total.iter_mut().zip(sum) {
                    *t += weight * s;
                }
            }
            total
        });
        sums.reduce(|| vec![F128::ZERO; fan_in + 1], add)
    }

    /// The same of factors that are made, run of rows by run.
    fn made_cofactor(&self, leaves: &dyn Leaves, flip: bool) -> Vec<F128> {
        let fan_in = self.shape.fan_in;
        let pairs = self.eq_cols[..self.shape.cols.next_multiple_of(2)].par_chunks(2).enumerate();
        let scratch = || vec![F128::ONE; 4 * RUN * fan_in];
        let sums = pairs.map_init(scratch, |scratch, (pair, w)| {
            let mut total = vec![F128::ZERO; fan_in + 1];
            for (run, eq) in self.eq_rows.chunks(2 * RUN).enumerate() {
                let n = eq.len();
                let (lo, hi) = scratch[..2 * n * fan_in].split_at_mut(n * fan_in);
                for (column, out) in [(2 * pair, &mut *lo), (2 * pair + 1, &mut *hi)] {
                    for (g, out) in out.chunks_mut(n).enumerate() {
                        self.fill(leaves, column, g, run * 2 * RUN, out);
                    }
                }
                let sum = weighted_product(eq, &blocks(lo, n), &blocks(hi, n), flip);
                kernels::add_assign(&mut total, &sum);
            }
            kernels::scale(&mut total, w[0] + w[1]);
            total
        });
        sums.reduce(|| vec![F128::ZERO; fan_in + 1], add)
    }

    /// Rows from `first` of a factor that is made, ones beyond the last column.
    fn fill(
        &self,
        leaves: &dyn Leaves,
        column: usize,
        factor: usize,
        first: usize,
        out: &mut [F128],
    ) {
        if column < self.shape.cols {
            leaves.fill(column * self.shape.fan_in + factor, first, out);
        } else {
            out.fill(F128::ONE);
        }
    }

    fn row_cofactor(&self, flip: bool) -> Vec<F128> {
        let rows = self.shape.rows;
        let half = rows / 2;
        let mut weights = self.eq_rows[..half].to_vec();
        kernels::add_assign(&mut weights, &self.eq_rows[half..]);
        let halves = self.data.chunks(rows).map(|factor| factor.split_at(half));
        let (lo, hi): (Vec<_>, Vec<_>) = halves.unzip();
        weighted_product(&weights, &lo, &hi, flip)
    }
}

fn add(mut a: Vec<F128>, b: Vec<F128>) -> Vec<F128> {
    kernels::add_assign(&mut a, &b);
    a
}

/// The blocks of `rows` values each.
fn blocks(values: &[F128], rows: usize) -> Vec<&[F128]> {
    values.chunks(rows).collect()
}

/// For a slice of rows a factor: with `p_r(X) = prod_g (lo_g + X (lo_g + hi_g))(r)`, the values
/// `sum_r w_r (p_r(1) + 1)`, then `sum_r w_r` times the coefficients of `X^2, X^3, ...` of `p_r`.
///
/// `flip` exchanges the halves. The first two entries of the result are `p(1) + 1` and zero.
fn weighted_product(w: &[F128], lo: &[&[F128]], hi: &[&[F128]], flip: bool) -> Vec<F128> {
    let (lo, hi) = if flip { (hi, lo) } else { (lo, hi) };
    let fan_in = lo.len();
    let mut out = vec![F128::ZERO; fan_in + 1];
    out[0] = kernels::sum(w);
    match fan_in {
        2 => {
            let (at_one, leading) = kernels::product_round(w, lo[0], hi[0], lo[1], hi[1]);
            out[0] += at_one;
            out[2] = leading;
        }
        3..=8 => {
            let coefficients = kernels::lines_round(w, lo, hi);
            out[0] += coefficients.iter().copied().sum::<F128>();
            out[2..].copy_from_slice(&coefficients[2..=fan_in]);
        }
        _ => {
            let mut scratch = vec![F128::ZERO; (fan_in + 2) * w.len().min(RUN)];
            for (run, w) in w.chunks(RUN).enumerate() {
                let factors = lo.iter().zip(hi).map(|(lo, hi)| {
                    let run = run * RUN..run * RUN + w.len();
                    (&lo[run.clone()], &hi[run])
                });
                add_run(&mut out, w, factors, &mut scratch);
            }
        }
    }
    out
}

/// Adds [`weighted_product`] of a run of rows, but for what does not depend on the factors, given room for two elements a row more
/// than factors.
fn add_run<'a>(
    out: &mut [F128],
    w: &[F128],
    factors: impl Iterator<Item = (&'a [F128], &'a [F128])>,
    scratch: &mut [F128],
) {
    let (n, fan_in) = (w.len(), out.len() - 1);
    let (at_one, scratch) = scratch.split_at_mut(n);
    let (slope, coefficients) = scratch.split_at_mut(n);
    // The partial products, times the weights: at one, and their coefficients as far as the last need them.
    for (g, (lo, hi)) in factors.enumerate() {
        let (is_first, is_last) = (g == 0, g + 1 == fan_in);
        let first = |out: &mut [F128], factor: &[F128]| kernels::mul(out, w, factor);
        if is_last {
            let product = if is_first { w } else { &*at_one };
            out[0] += kernels::inner_product(product, hi);
        } else if is_first {
            first(at_one, hi);
        } else {
            kernels::mul_assign(at_one, hi);
        }
        slope.copy_from_slice(lo);
        kernels::add_assign(slope, hi);
        let least = (g + 3).saturating_sub(fan_in);
        for i in (least..=g + 1).rev() {
            let (below, from) = coefficients.split_at_mut(i * n);
            let below = &below[below.len().saturating_sub(n)..];
            if is_last {
                out[i] += kernels::inner_product(below, slope);
                if i <= g {
                    out[i] += kernels::inner_product(&from[..n], lo);
                }
                continue;
            }
            let coefficient = &mut from[..n];
            match (i == 0, i > g) {
                (true, _) if is_first => first(coefficient, lo),
                (_, true) if is_first => first(coefficient, slope),
                (_, true) => kernels::mul(coefficient, below, slope),
                (true, _) => kernels::mul_assign(coefficient, lo),
                _ => {
                    kernels::mul_assign(coefficient, lo);
                    kernels::add_products(coefficient, below, slope);
                }
            }
        }
    }
}

impl Instance for BoxProduct<'_> {
    fn shape(&self) -> Shape {
        Shape { n_vars: self.n_vars, degree: self.shape.fan_in + 1 }
    }

    fn round(&mut self) -> Vec<F128> {
        let z = match self.cols_left {
            0 => self.z_rows[self.rows_left - 1],
            left => self.z_cols[self.z_cols.len() - left],
        };
        let at_zero = (z == F128::ONE).then(|| self.cofactor_at(true)[0]);
        let sums = self.cofactor_at(false);
        self.factored.round(z, (sums[0], &sums[2..]), at_zero)
    }

    fn bind(&mut self, r: F128) {
        if self.cols_left > 0 {
            let z = self.z_cols[self.z_cols.len() - self.cols_left];
            self.factored.bind(Some(z), r);
            self.fold_columns(r);
            self.cols_left -= 1;
            if self.cols_left == 0 {
                self.start_rows();
            }
            return;
        }
        self.factored.bind(Some(self.z_rows[self.rows_left - 1]), r);
        let rows = self.shape.rows;
        let half = rows / 2;
        for g in 0..self.shape.fan_in {
            let (lo, hi) = self.data[g * rows..(g + 1) * rows].split_at_mut(half);
            kernels::fold(lo, hi, r);
            self.data.copy_within(g * rows..g * rows + half, g * half);
        }
        self.data.truncate(self.shape.fan_in * half);
        let (lo, hi) = self.eq_rows.split_at_mut(half);
        kernels::add_assign(lo, hi);
        self.eq_rows.truncate(half);
        self.shape.rows = half;
        self.rows_left -= 1;
    }
}

impl BoxProduct<'_> {
    fn fold_columns(&mut self, r: F128) {
        let block = self.shape.rows * self.shape.fan_in;
        let pairs = TASK.div_ceil(2 * block);
        let cols = self.shape.cols.div_ceil(2);
        let ones = vec![F128::ONE; block];
        let mut next = Buffer::unspecified(cols * block);
        if let Some(leaves) = self.made.take() {
            next.par_chunks_mut(self.shape.rows).enumerate().for_each(|(number, out)| {
                self.fold_made(&*leaves, number, out, r);
            });
        }
        next.par_chunks_mut(pairs * block).zip(self.data.par_chunks(2 * pairs * block)).for_each(
            |(next, data)| {
                for (out, pair) in next.chunks_mut(block).zip(data.chunks(2 * block)) {
                    let (lo, hi) = pair.split_at(block);
                    if hi.is_empty() {
                        kernels::fold_into(out, lo, &ones, r);
                    } else {
                        kernels::fold_into(out, lo, hi, r);
                    }
                }
            },
        );
        self.data = next;
        self.shape.cols = cols;
        debug_assert!(log2_ceil(cols) < self.cols_left || cols == 1);
        self.eq_cols = self.eq_cols.chunks(2).map(|p| p[0] + p[1]).collect();
    }

    /// The fold of the columns of a pair of a factor that is made, given the number of its block.
    fn fold_made(&self, leaves: &dyn Leaves, block: usize, out: &mut [F128], r: F128) {
        let fan_in = self.shape.fan_in;
        let (pair, factor) = (block / fan_in, block % fan_in);
        if 2 * pair + 1 < self.shape.cols {
            let looked_up = |k: usize| leaves.looked_up((2 * pair + k) * fan_in + factor);
            if let (Some(even), Some(odd)) = (looked_up(0), looked_up(1))
                && even.0.len() + odd.0.len() <= out.len()
            {
                let mut tables = [[F128::ZERO; 256]; 2];
                let weights = [F128::ONE + r, r];
                for ((scaled, table), weight) in tables.iter_mut().zip([even.0, odd.0]).zip(weights)
                {
                    kernels::scale_into(&mut scaled[..table.len()], table, weight);
                }
                let index = [even.1, odd.1].map(|rows| &rows[..out.len()]);
                kernels::gather_two(out, tables.each_ref(), index);
                return;
            }
        }
        let mut odd = vec![F128::ONE; RUN];
        for (run, out) in out.chunks_mut(RUN).enumerate() {
            let odd = &mut odd[..out.len()];
            self.fill(leaves, 2 * pair, factor, run * RUN, out);
            self.fill(leaves, 2 * pair + 1, factor, run * RUN, odd);
            kernels::fold(out, odd, r);
        }
    }
}
