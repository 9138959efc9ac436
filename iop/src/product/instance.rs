//! One product sumcheck over a box: `sum_x eq(z, x) (prod_g L_g(x) + 1)`, factors one outside.

use binfer_field::{F128, kernels};
use rayon::prelude::*;

use super::tree::TASK;
use super::{BoxShape, LeafClaim};
use crate::buffer::Buffer;
use crate::multilinear::log2_ceil;
use crate::sumcheck::{EqFactored, Instance, Shape};

/// Columns are bound first, lowest variable first, then rows, highest variable first.
///
/// The factor `eq(z, .)` is kept apart, so that a round sums the cofactor's values only.
pub struct BoxProduct {
    shape: BoxShape,
    n_vars: usize,
    /// Blocks `[column][factor][row]`.
    data: Buffer,
    cols_left: usize,
    rows_left: usize,
    z_cols: Vec<F128>,
    z_rows: Vec<F128>,
    eq_cols: Vec<F128>,
    eq_rows: Vec<F128>,
    factored: EqFactored,
}

impl BoxProduct {
    /// The instance for a claim `V(z) = value` on the product `V` of all factors; `data` holds
    /// `cols * fan_in * rows` elements `[column][factor][row]`, or one block of ones more.
    pub fn new(shape: BoxShape, data: impl Into<Buffer>, claim: &LeafClaim<F128>) -> Self {
        let mut data = data.into();
        let (n_cols, n_rows) = (shape.col_vars(), shape.row_vars());
        debug_assert_eq!((claim.col_point.len(), claim.row_point.len()), (n_cols, n_rows));
        data.truncate(shape.cols * shape.fan_in * shape.rows);
        let mut eq_rows = kernels::eq_table(&claim.row_point);
        eq_rows.truncate(shape.rows);
        let mut this = Self {
            shape,
            n_vars: n_cols + n_rows,
            data,
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

    /// The cofactor's value at 1 (at 0 where `flip`) and its coefficients of `X^2` and above.
    fn cofactor_at(&self, flip: bool) -> (F128, Vec<F128>) {
        let sums =
            if self.cols_left > 0 { self.column_cofactor(flip) } else { self.row_cofactor(flip) };
        (sums[0], sums[2..].to_vec())
    }

    fn column_cofactor(&self, flip: bool) -> Vec<F128> {
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
                let sum = weighted_product(&self.eq_rows, lo, hi, rows, flip);
                let weight = w.iter().copied().sum::<F128>();
                for (t, s) in total.iter_mut().zip(sum) {
                    *t += weight * s;
                }
            }
            total
        });
        sums.reduce(|| vec![F128::ZERO; fan_in + 1], add)
    }

    fn row_cofactor(&self, flip: bool) -> Vec<F128> {
        let rows = self.shape.rows;
        let half = rows / 2;
        let mut weights = self.eq_rows[..half].to_vec();
        kernels::add_assign(&mut weights, &self.eq_rows[half..]);
        let side = |offset: usize| -> Vec<F128> {
            self.data.chunks(rows).flat_map(|f| &f[offset..offset + half]).copied().collect()
        };
        weighted_product(&weights, &side(0), &side(half), half, flip)
    }
}

fn add(mut a: Vec<F128>, b: Vec<F128>) -> Vec<F128> {
    kernels::add_assign(&mut a, &b);
    a
}

/// For blocks `[factor][row]`: with `p_r(X) = prod_g (lo_g + X (lo_g + hi_g))(r)`, the values
/// `sum_r w_r (p_r(1) + 1)`, then `sum_r w_r` times the coefficients of `X^2, X^3, ...` of `p_r`.
///
/// `flip` exchanges the halves. The first two entries of the result are `p(1) + 1` and zero.
fn weighted_product(w: &[F128], lo: &[F128], hi: &[F128], rows: usize, flip: bool) -> Vec<F128> {
    let (lo, hi) = if flip { (hi, lo) } else { (lo, hi) };
    let fan_in = lo.len() / rows;
    let mut out = vec![F128::ZERO; fan_in + 1];
    if fan_in == 2 {
        let ((a_lo, b_lo), (a_hi, b_hi)) = (lo.split_at(rows), hi.split_at(rows));
        let (at_one, leading) = kernels::product_round(w, a_lo, a_hi, b_lo, b_hi);
        out[0] = at_one + kernels::sum(w);
        out[2] = leading;
        return out;
    }
    // Coefficients of the partial products, a run of rows each.
    let mut coefficients = vec![F128::ZERO; (fan_in + 1) * rows];
    coefficients[..rows].fill(F128::ONE);
    let mut slope = vec![F128::ZERO; rows];
    for (g, (lo, hi)) in lo.chunks(rows).zip(hi.chunks(rows)).enumerate() {
        slope.copy_from_slice(lo);
        kernels::add_assign(&mut slope, hi);
        for i in (0..=g).rev() {
            let (low, high) = coefficients[i * rows..(i + 2) * rows].split_at_mut(rows);
            kernels::add_products(high, low, &slope);
            kernels::mul_assign(low, lo);
        }
    }
    for (out, coefficient) in out.iter_mut().zip(coefficients.chunks(rows)) {
        *out = kernels::inner_product(w, coefficient);
    }
    // p(1) is the sum of all coefficients.
    out[0] = kernels::sum(&out) + kernels::sum(w);
    out[1] = F128::ZERO;
    out
}

impl Instance for BoxProduct {
    fn shape(&self) -> Shape {
        Shape { n_vars: self.n_vars, degree: self.shape.fan_in + 1 }
    }

    fn round(&mut self) -> Vec<F128> {
        let z = match self.cols_left {
            0 => self.z_rows[self.rows_left - 1],
            left => self.z_cols[self.z_cols.len() - left],
        };
        let at_zero = (z == F128::ONE).then(|| self.cofactor_at(true).0);
        let sums = self.cofactor_at(false);
        self.factored.round(z, sums, at_zero)
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

impl BoxProduct {
    fn fold_columns(&mut self, r: F128) {
        let block = self.shape.rows * self.shape.fan_in;
        let pairs = TASK.div_ceil(2 * block);
        let cols = self.shape.cols.div_ceil(2);
        let ones = vec![F128::ONE; block];
        let mut next = Buffer::unspecified(cols * block);
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
}
