//! One product sumcheck over a box: `sum_x eq(z, x) (prod_g L_g(x) + 1)`, factors one outside.

use binfer_field::{F128, kernels};
use rayon::prelude::*;

use super::leaves::Made;
use super::shape::FOUR;
use super::tree::TASK;
use super::{BoxShape, LeafClaim};
use crate::buffer::Buffer;
use crate::multilinear::eq_tables;
use crate::sumcheck::{EqFactored, Instance, Shape};

/// Rows that are multiplied at a time: partial products of so many stay in the first cache.
const RUN: usize = 1 << 7;

/// Variables of the weights that a chunk of rows shares, once columns are bound.
const CHUNK_VARS: usize = 10;

/// Most factors that a kernel multiplies.
const LINES: usize = 8;

/// Columns are bound first, lowest variable first, then rows, highest variable first.
///
/// The factor `eq(z, .)` is kept apart, so that a round sums the cofactor's values only.
pub struct BoxProduct<'a> {
    shape: BoxShape,
    n_vars: usize,
    /// The columns that are not ones, in order.
    kept: Vec<Column>,
    /// Their blocks `[factor][row]`, unless they are made. Two are bound in the place of the first.
    data: Buffer,
    /// What makes the factors until the first column variable is bound.
    made: Option<Made<'a>>,
    /// Elements from one factor to the next, once rows are bound.
    stride: usize,
    /// The product at the two values of the first variable, where they are known.
    known: Option<[F128; 2]>,
    /// What the next round sums, where it was found while columns were bound.
    ahead: Option<Vec<F128>>,
    cols_left: usize,
    rows_left: usize,
    z_cols: Vec<F128>,
    z_rows: Vec<F128>,
    eq_cols: Vec<F128>,
    /// What rows weigh, while columns are bound.
    eq_rows: Vec<F128>,
    /// Whether each column's first factor has been multiplied by them.
    is_weighted: bool,
    factored: EqFactored,
}

/// The factors of a box's leaves.
pub(super) enum Factors<'a> {
    /// Blocks `[column][factor][row]` of the columns that are not ones, and their numbers in order.
    Stored(Buffer, Vec<usize>),
    /// Those that are made.
    Made(Made<'a>),
}

/// A column that is not ones.
#[derive(Clone, Copy)]
struct Column {
    number: usize,
    /// Where its block begins.
    place: usize,
}

/// Two columns that the next variable tells apart, not both ones.
struct Pair {
    /// The column that they are bound to.
    number: usize,
    /// Where their blocks begin.
    places: [Option<usize>; 2],
}

impl<'a> BoxProduct<'a> {
    /// The instance for a claim `V(z) = value` on the product `V` of all factors; `data` holds
    /// `cols * fan_in * rows` elements `[column][factor][row]`.
    pub fn new(shape: BoxShape, data: impl Into<Buffer>, claim: &LeafClaim<F128>) -> Self {
        Self::over(shape, Factors::Stored(data.into(), (0..shape.cols).collect()), claim, None)
    }

    /// The instance for factors that may be made; if they are, of a box of several columns, with `V` `known` at both values of the
    /// first variable.
    pub(super) fn over(
        shape: BoxShape,
        factors: Factors<'a>,
        claim: &LeafClaim<F128>,
        known: Option<[F128; 2]>,
    ) -> Self {
        let (data, numbers, made) = match factors {
            Factors::Stored(data, numbers) => (data, numbers, None),
            Factors::Made(made) => (Buffer::default(), (0..shape.cols).collect(), Some(made)),
        };
        let column = |(i, number)| Column { number, place: i * shape.rows * shape.fan_in };
        let kept: Vec<Column> = numbers.into_iter().enumerate().map(column).collect();
        let (n_cols, n_rows) = (shape.col_vars(), shape.row_vars());
        debug_assert!(made.is_some() || data.len() == kept.len() * shape.fan_in * shape.rows);
        debug_assert!(made.is_none() || n_cols > 0 && known.is_some());
        debug_assert_eq!((claim.col_point.len(), claim.row_point.len()), (n_cols, n_rows));
        let mut eq_rows = Vec::new();
        if n_cols > 0 {
            eq_rows = kernels::eq_table(&claim.row_point);
            eq_rows.truncate(shape.rows);
        }
        let point = claim.col_point.iter().chain(claim.row_point.iter().rev());
        let factored = EqFactored::new(claim.values[0] + F128::ONE, point);
        let mut this = Self {
            shape,
            n_vars: n_cols + n_rows,
            kept,
            data,
            made,
            stride: shape.rows,
            known,
            ahead: None,
            cols_left: n_cols,
            rows_left: n_rows,
            z_cols: claim.col_point.clone(),
            z_rows: claim.row_point.clone(),
            eq_cols: kernels::eq_table(&claim.col_point),
            eq_rows,
            is_weighted: false,
            factored,
        };
        if n_cols == 0 {
            this.start_rows();
        }
        this
    }

    /// The factors' values at the bound point.
    pub fn values(&self) -> Vec<F128> {
        debug_assert_eq!(self.cols_left + self.rows_left, 0);
        self.data.iter().step_by(self.stride).copied().collect()
    }

    /// Elements of a column.
    fn block(&self) -> usize {
        self.shape.rows * self.shape.fan_in
    }

    /// A column of ones.
    fn ones(&self) -> Vec<F128> {
        let mut ones = vec![F128::ONE; self.block()];
        if self.is_weighted {
            ones[..self.eq_rows.len()].copy_from_slice(&self.eq_rows);
        }
        ones
    }

    /// Whether it takes less to multiply a factor of each column by the rows' weights, when these columns are bound, and to divide that
    /// of the last by them, than to multiply two sums of a pair by them in each round to come.
    fn is_worth_weighing(&self) -> bool {
        let has_inverse = |&z: &F128| !z.is_zero() && z != F128::ONE;
        self.shape.fan_in == FOUR && self.cols_left > 3 && self.z_rows.iter().all(has_inverse)
    }

    /// Pads the rows to a power of two with ones.
    fn start_rows(&mut self) {
        let padded = 1 << self.rows_left;
        let rows = self.shape.rows;
        if self.is_weighted && !self.kept.is_empty() {
            let inverses = inverse_eq_table(&self.z_rows);
            kernels::mul_assign(&mut self.data[self.kept[0].place..][..rows], &inverses[..rows]);
        }
        if padded != rows || self.kept.is_empty() {
            let mut data = Buffer::unspecified(self.shape.fan_in * padded);
            data.fill(F128::ONE);
            for column in &self.kept {
                let factors = self.data[column.place..].chunks(rows);
                for (out, factor) in data.chunks_mut(padded).zip(factors) {
                    out[..rows].copy_from_slice(factor);
                }
            }
            self.data = data;
        } else {
            self.data.truncate(self.shape.fan_in * rows);
        }
        self.eq_rows = Vec::new();
        self.shape.rows = padded;
        self.stride = padded;
    }

    /// The pairs of columns that are not both ones.
    fn pairs(&self) -> Vec<Pair> {
        let pair = |of: &[Column]| {
            let place = |odd| of.iter().find(|column| column.number % 2 == odd).map(|c| c.place);
            Pair { number: of[0].number / 2, places: [place(0), place(1)] }
        };
        self.kept.chunk_by(|a, b| a.number / 2 == b.number / 2).map(pair).collect()
    }

    /// The cofactor's value at 1 (at 0 where `flip`), zero, and its coefficients of `X^2` and above; that of `X^2` has the value at 0 (at 1)
    /// added where it is a quartic.
    fn cofactor_at(&self, flip: bool) -> Vec<F128> {
        if self.cols_left > 0 { self.column_cofactor(flip) } else { self.row_cofactor(flip) }
    }

    fn column_cofactor(&self, flip: bool) -> Vec<F128> {
        let (block, fan_in) = (self.block(), self.shape.fan_in);
        let pairs = self.pairs();
        let at_a_time = TASK.div_ceil(2 * block);
        let ones = if self.made.is_some() { Vec::new() } else { self.ones() };
        let scratch = || vec![F128::ONE; if self.made.is_some() { 4 * RUN * fan_in } else { 0 }];
        let sums = pairs.par_chunks(at_a_time).map_init(scratch, |scratch, pairs| {
            let mut total = vec![F128::ZERO; fan_in + 1];
            for pair in pairs {
                let sum = if let Some(made) = &self.made {
                    self.made_product(made, pair.number, scratch)
                } else {
                    let column = |at: usize| &self.data[at..at + block];
                    let [lo, hi] = pair.places.map(|at| at.map_or(&ones[..], column));
                    weighted_product(&self.eq_rows, self.is_weighted, lo, hi, flip)
                };
                kernels::add_scaled(&mut total, &sum, pair_weight(&self.eq_cols, pair.number));
            }
            total
        });
        self.with_ones_of(&pairs, sums.reduce(|| vec![F128::ZERO; fan_in + 1], add))
    }

    /// [`with_ones`] of all rows of these pairs of columns.
    fn with_ones_of(&self, pairs: &[Pair], sums: Vec<F128>) -> Vec<F128> {
        let of_pairs = pairs.iter().map(|pair| pair_weight(&self.eq_cols, pair.number));
        with_ones(sums, kernels::sum(&self.eq_rows) * of_pairs.sum::<F128>())
    }

    /// [`weighted_product`] of a pair of columns that are made, run of rows by run; the value at one may be missing, as it is known.
    fn made_product(&self, made: &Made<'_>, pair: usize, scratch: &mut [F128]) -> Vec<F128> {
        let fan_in = self.shape.fan_in;
        let rows = self.shape.rows;
        if fan_in == FOUR
            && let Some((tables, index)) = made.byte_tables::<8>(2 * pair * fan_in, rows)
        {
            let next: [usize; 8] = core::array::from_fn(|k| 2 * (pair + 1) * fan_in + k);
            let ahead = made.ahead(next, rows);
            let [second, third, fourth] =
                kernels::gather_quartic(&self.eq_rows, tables, index, ahead.as_flattened());
            return vec![F128::ZERO, F128::ZERO, second, third, fourth];
        }
        let mut total = vec![F128::ZERO; fan_in + 1];
        for (run, eq) in self.eq_rows.chunks(2 * RUN).enumerate() {
            let n = eq.len();
            let blocks = &mut scratch[..2 * n * fan_in];
            for (g, out) in blocks.chunks_mut(n).enumerate() {
                made.fill(2 * pair * fan_in + g, run * 2 * RUN, out);
            }
            let (lo, hi) = blocks.split_at(n * fan_in);
            kernels::add_assign(&mut total, &weighted_product(eq, false, lo, hi, false));
        }
        total
    }

    fn row_cofactor(&self, flip: bool) -> Vec<F128> {
        let half = self.shape.rows / 2;
        let [inner, outer] = eq_tables(&self.z_rows[..self.rows_left - 1], CHUNK_VARS);
        let chunks = outer.par_iter().enumerate().map(|(chunk, &weight)| {
            let rows = chunk * inner.len()..(chunk + 1) * inner.len();
            let halves = self.data.chunks(self.stride).map(|factor| {
                let (lo, hi) = factor[..2 * half].split_at(half);
                (&lo[rows.clone()], &hi[rows.clone()])
            });
            let (lo, hi): (Vec<_>, Vec<_>) = halves.unzip();
            let mut sums = weighted_lines(&inner, false, &lo, &hi, flip);
            kernels::scale(&mut sums, weight);
            sums
        });
        let weight = kernels::sum(&inner) * kernels::sum(&outer);
        with_ones(chunks.reduce(|| vec![F128::ZERO; self.shape.fan_in + 1], add), weight)
    }
}

fn add(mut a: Vec<F128>, b: Vec<F128>) -> Vec<F128> {
    kernels::add_assign(&mut a, &b);
    a
}

/// What a pair of columns weighs.
fn pair_weight(eq_cols: &[F128], pair: usize) -> F128 {
    eq_cols[2 * pair] + eq_cols[2 * pair + 1]
}

/// A cofactor as [`BoxProduct::cofactor_at`] gives it, of the sums of [`weighted_lines`] over all rows and columns, which weigh `weight`.
fn with_ones(mut sums: Vec<F128>, weight: F128) -> Vec<F128> {
    sums[0] += weight;
    if sums.len() == FOUR + 1 {
        sums[2] += weight;
    }
    sums
}

/// The inverses of the entries of eq's table for a point that has neither zeros nor ones: `1 / z` is `1 + z`, and `1 / (1 + z)` is `z`,
/// over `z (1 + z)`.
fn inverse_eq_table(point: &[F128]) -> Vec<F128> {
    let complement: Vec<F128> = point.iter().map(|&z| F128::ONE + z).collect();
    let norm: F128 = point.iter().chain(&complement).copied().product();
    let mut table = kernels::eq_table(&complement);
    kernels::scale(&mut table, norm.invert());
    table
}

/// [`weighted_lines`] of the blocks of two columns.
fn weighted_product(
    w: &[F128],
    is_weighted: bool,
    lo: &[F128],
    hi: &[F128],
    flip: bool,
) -> Vec<F128> {
    let n = w.len();
    if lo.len() > LINES * n {
        let [lo, hi] = [lo, hi].map(|column| column.chunks(n).collect::<Vec<_>>());
        return weighted_lines(w, is_weighted, &lo, &hi, flip);
    }
    let fan_in = lo.len() / n;
    let [lo, hi] = [lo, hi].map(|column| {
        let mut blocks = [&column[..0]; LINES];
        blocks.iter_mut().zip(column.chunks(n)).for_each(|(block, of)| *block = of);
        blocks
    });
    weighted_lines(w, is_weighted, &lo[..fan_in], &hi[..fan_in], flip)
}

/// For a slice of rows a factor: with `p_r(X) = prod_g (lo_g + X (lo_g + hi_g))(r)`, the values
/// `sum_r w_r p_r(1)`, zero, then `sum_r w_r` times the coefficients of `X^2, X^3, ...` of `p_r`; with four factors, the third has
/// `sum_r w_r p_r(0)` added.
///
/// `is_weighted` says that the first of four factors is given times `w_r`. `flip` exchanges the halves.
fn weighted_lines(
    w: &[F128],
    is_weighted: bool,
    lo: &[&[F128]],
    hi: &[&[F128]],
    flip: bool,
) -> Vec<F128> {
    let fan_in = lo.len();
    if w.len() >= 2 * TASK {
        let half = w.len() / 2;
        let part = |rows: core::ops::Range<usize>| {
            let [lo, hi] =
                [lo, hi].map(|of| -> Vec<_> { of.iter().map(|s| &s[rows.clone()]).collect() });
            weighted_lines(&w[rows], is_weighted, &lo, &hi, flip)
        };
        let (x, y) = rayon::join(|| part(0..half), || part(half..w.len()));
        return add(x, y);
    }
    let (lo, hi) = if flip { (hi, lo) } else { (lo, hi) };
    match fan_in {
        FOUR => {
            let [lo, hi] = [lo, hi].map(|of| core::array::from_fn(|g| of[g]));
            let [at_one, second, third, fourth] =
                kernels::quartic_round((!is_weighted).then_some(w), lo, hi, &[]);
            vec![at_one, F128::ZERO, second, third, fourth]
        }
        2 => {
            let (at_one, leading) = kernels::product_round(w, lo[0], hi[0], lo[1], hi[1]);
            vec![at_one, F128::ZERO, leading]
        }
        3..=LINES => of_coefficients(&kernels::lines_round(w, lo, hi)[..=fan_in]),
        _ => {
            let mut out = vec![F128::ZERO; fan_in + 1];
            let mut scratch = vec![F128::ZERO; (fan_in + 2) * w.len().min(RUN)];
            for (run, w) in w.chunks(RUN).enumerate() {
                let factors = lo.iter().zip(hi).map(|(lo, hi)| {
                    let run = run * RUN..run * RUN + w.len();
                    (&lo[run.clone()], &hi[run])
                });
                add_run(&mut out, w, factors, &mut scratch);
            }
            out
        }
    }
}

/// [`weighted_lines`], given the coefficients of `sum_r w_r p_r`, the constant one first.
fn of_coefficients(coefficients: &[F128]) -> Vec<F128> {
    let mut out = coefficients.to_vec();
    out[0] = coefficients.iter().copied().sum();
    out[1] = F128::ZERO;
    out
}

/// Adds [`weighted_lines`] of a run of rows, given room for two elements a row more than factors.
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
        let known = self.known.take().map(|values| values.map(|value| value + F128::ONE));
        let at_zero = match known {
            Some([at_zero, _]) => Some(at_zero),
            None => (z == F128::ONE).then(|| self.cofactor_at(true)[0]),
        };
        let mut sums = self.ahead.take().unwrap_or_else(|| self.cofactor_at(false));
        if let Some([_, at_one]) = known {
            sums[0] = at_one;
        }
        match sums[..] {
            [at_one, _, second, third, fourth] => {
                self.factored.round_of_quartic(z, [at_one, second, third, fourth], at_zero)
            }
            _ => self.factored.round(z, (sums[0], &sums[2..]), at_zero),
        }
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
        let factors = self.data.par_chunks_mut(self.stride);
        factors.with_min_len(TASK.div_ceil(rows)).for_each(|factor| {
            let (lo, hi) = factor[..rows].split_at_mut(half);
            kernels::fold(lo, hi, r);
        });
        self.shape.rows = half;
        self.rows_left -= 1;
    }
}

impl BoxProduct<'_> {
    /// Binds a column variable, and sums what the next round needs of columns that are still in cache.
    fn fold_columns(&mut self, r: F128) {
        let (block, fan_in) = (self.block(), self.shape.fan_in);
        let pairs = self.pairs();
        let mut data = core::mem::take(&mut self.data);
        if self.made.is_some() {
            data = Buffer::unspecified(pairs.len() * block);
        }
        let place = |(i, pair): (usize, &Pair)| match (&self.made, pair.places) {
            (None, [Some(place), _] | [None, Some(place)]) => place,
            _ => i * block,
        };
        let columns =
            pairs.iter().enumerate().map(|of| Column { number: of.1.number, place: place(of) });
        let columns: Vec<Column> = columns.collect();
        // The part of each pair, from its place to the next's.
        let mut rest = &mut data[..];
        let mut parts = Vec::with_capacity(pairs.len());
        for (pair, column) in pairs.iter().zip(&columns).rev() {
            let (before, part) = core::mem::take(&mut rest).split_at_mut(column.place);
            rest = before;
            parts.push((pair, part));
        }
        parts.reverse();
        let eq_cols: Vec<F128> = self.eq_cols.chunks(2).map(|p| p[0] + p[1]).collect();
        let is_summed = self.cols_left > 1;
        let ones = self.ones();
        let is_weighed = !self.is_weighted && self.is_worth_weighing();
        self.is_weighted |= is_weighed;
        let weighed_ones = is_weighed.then(|| self.ones());
        let bound_ones = weighed_ones.as_ref().unwrap_or(&ones);
        let this = &*self;
        let tasks = parts.chunk_by_mut(|(a, _), (b, _)| a.number / 2 == b.number / 2);
        let tasks: Vec<_> = tasks.collect();
        let tasks = tasks.into_par_iter().with_min_len(TASK.div_ceil(4 * block));
        let sums = tasks.map(|parts| {
            let each = parts.par_iter_mut().with_min_len(TASK.div_ceil(2 * block));
            each.for_each(|(pair, part)| {
                this.fold_pair(pair, part, &ones, r);
                if is_weighed {
                    let first = part[..this.shape.rows].par_chunks_mut(2 * TASK);
                    let weights = this.eq_rows.par_chunks(2 * TASK);
                    first.zip(weights).for_each(|(x, w)| kernels::mul_assign(x, w));
                }
            });
            let mut sum = vec![F128::ZERO; fan_in + 1];
            if is_summed {
                let column = |odd: usize| {
                    let part = parts.iter().find(|(pair, _)| pair.number % 2 == odd);
                    part.map_or(&bound_ones[..], |(_, part)| &part[..block])
                };
                let [lo, hi] = [0, 1].map(column);
                let of_pair = weighted_product(&this.eq_rows, this.is_weighted, lo, hi, false);
                let weight = pair_weight(&eq_cols, parts[0].0.number / 2);
                kernels::add_scaled(&mut sum, &of_pair, weight);
            }
            sum
        });
        let sums = sums.reduce(|| vec![F128::ZERO; fan_in + 1], add);
        self.made = None;
        self.data = data;
        self.kept = columns;
        self.eq_cols = eq_cols;
        self.ahead = is_summed.then(|| self.with_ones_of(&self.pairs(), sums));
    }

    /// Binds a pair at the beginning of its part, which has those that are not made.
    fn fold_pair(&self, pair: &Pair, part: &mut [F128], ones: &[F128], r: F128) {
        let (block, rows, fan_in) = (self.block(), self.shape.rows, self.shape.fan_in);
        if let Some(made) = &self.made {
            let factors = part.par_chunks_mut(rows).enumerate();
            return factors.with_min_len(TASK.div_ceil(rows)).for_each(|(g, out)| {
                let first = 2 * pair.number * fan_in + g;
                let next = first + if g + 1 < fan_in { 1 } else { fan_in + 1 };
                let ahead = made.ahead([next, next + fan_in], rows);
                fold_made(made, [first, first + fan_in], out, r, ahead.as_flattened());
            });
        }
        let (first, after) = part.split_at_mut(block);
        let (other, r) = match pair.places {
            [Some(even), Some(odd)] => (&after[odd - even - block..][..block], r),
            [Some(_), None] => (ones, r),
            // The odd one is first.
            [None, _] => (ones, F128::ONE + r),
        };
        let runs = first.par_chunks_mut(2 * TASK).zip(other.par_chunks(2 * TASK));
        runs.for_each(|(first, other)| kernels::fold(first, other, r));
    }
}

/// The fold of two blocks that are made. What is `ahead` is fetched where they are looked up.
fn fold_made(made: &Made<'_>, blocks: [usize; 2], out: &mut [F128], r: F128, ahead: &[&[u8]]) {
    if let [Some(even), Some(odd)] = blocks.map(|block| made.looked_up(block))
        && even.0.len() + odd.0.len() <= out.len()
    {
        let mut tables = [[F128::ZERO; 256]; 2];
        let weights = [F128::ONE + r, r];
        for ((scaled, table), weight) in tables.iter_mut().zip([even.0, odd.0]).zip(weights) {
            kernels::scale_into(&mut scaled[..table.len()], table, weight);
        }
        let index = [even.1, odd.1].map(|rows| &rows[..out.len()]);
        kernels::gather_two(out, tables.each_ref(), index, ahead);
        return;
    }
    let mut odd = vec![F128::ONE; RUN];
    for (run, out) in out.chunks_mut(RUN).enumerate() {
        let odd = &mut odd[..out.len()];
        made.fill(blocks[0], run * RUN, out);
        made.fill(blocks[1], run * RUN, odd);
        kernels::fold(out, odd, r);
    }
}
