//! The rounds of the table step that bind index bits, the highest first.
//!
//! A round is `sum_c eq_c sum_v (T_c(X, v) + 1) M_c(X, v)`. A table that is listed is folded like the
//! histogram. One that is a product over the bits of `v` is not even written down: with `U` the product
//! over a digit's bits, `sum_v T_c[v] M_c[v]` is a sum over the upper digit of inner products with `U` of
//! the lower, so the histogram is read twice and all rounds work on `2^4` values a column.

use binfer_field::{F128, kernels};
use rayon::prelude::*;

use super::histogram::{Histogram, fill_histogram};
use crate::buffer::{Buffer, Shared};
use crate::product::{Grid, add_grids, fold_weights, parabola, quarters};

/// A table and a histogram whose index bits are being bound.
pub(super) trait Bits: Send {
    /// The round polynomial's value at 1 and its coefficient of `X^2`.
    fn round(&mut self, eq: &[F128]) -> (F128, F128);

    /// Binds the highest bit left; `eq` as in the round that follows.
    fn bind(&mut self, r: F128, eq: &[F128]);

    /// Table and histogram of every column, once no bit is left.
    fn finish(&mut self) -> Option<(Vec<F128>, Vec<F128>)>;
}

/// Bits that are bound with all values of a column side by side, two rounds a pass, end where so few are left: then the
/// values of all columns are.
const FEW_BITS: usize = 5;

/// Both as they are.
pub(super) enum ListedBits<'a> {
    Blocks(Box<Blocks<'a>>),
    Values(Values),
}

/// Blocks `[column][v]`, of `2^left` entries.
pub(super) struct Blocks<'a> {
    table: Shared<'a>,
    histogram: Histogram<'a>,
    left: usize,
    /// The next two rounds' sums, where they are known.
    grid: Option<Grid>,
    /// The challenge of the first round of two.
    first: Option<F128>,
}

/// `T + 1` and the histogram, blocks `[v][column]`.
pub(super) struct Values {
    cols: usize,
    table: Buffer,
    histogram: Buffer,
}

impl<'a> ListedBits<'a> {
    pub(super) fn new(table: Shared<'a>, histogram: Histogram<'a>, width: usize) -> Self {
        let blocks = Blocks { table, histogram, left: width, grid: None, first: None };
        let mut this = Self::Blocks(Box::new(blocks));
        this.start_values();
        this
    }

    /// Goes on to the values of all columns, if few bits are left.
    fn start_values(&mut self) {
        if let Self::Blocks(blocks) = self
            && blocks.left <= FEW_BITS
        {
            *self = Self::Values(blocks.values());
        }
    }
}

impl Bits for ListedBits<'_> {
    fn round(&mut self, eq: &[F128]) -> (F128, F128) {
        match self {
            Self::Blocks(blocks) => blocks.round(eq),
            Self::Values(values) => values.round(eq),
        }
    }

    fn bind(&mut self, r: F128, eq: &[F128]) {
        match self {
            Self::Values(values) => values.bind(r),
            Self::Blocks(blocks) => {
                blocks.bind(r, eq);
                self.start_values();
            }
        }
    }

    fn finish(&mut self) -> Option<(Vec<F128>, Vec<F128>)> {
        match self {
            Self::Blocks(_) => None,
            Self::Values(values) => values.finish(),
        }
    }
}

/// One column's share of two rounds, `weight` its value of eq.
fn column_grid(table: &[F128], histogram: &[F128], weight: F128) -> Grid {
    let mut grid = kernels::table_grid(quarters(table), quarters(histogram));
    kernels::scale(&mut grid, weight);
    grid
}

impl Blocks<'_> {
    /// The sums of a round: of the first of two where no challenge waits.
    fn round(&mut self, eq: &[F128]) -> (F128, F128) {
        let grid = self.grid.unwrap_or_else(|| self.first_grid(eq));
        self.grid = Some(grid);
        let [one, top, zero_one, one_one, top_one, tops @ ..] = grid;
        match self.first {
            None => (one + one_one, top + top_one),
            Some(r) => (parabola([zero_one, one_one, top_one], r), parabola(tops, r)),
        }
    }

    /// The sums of the first two rounds. A histogram that is not written down is now: each column's is in cache when its share is
    /// summed.
    fn first_grid(&mut self, eq: &[F128]) -> Grid {
        let size = 1 << self.left;
        let tables = self.table.par_chunks(size).zip(eq);
        match &self.histogram {
            Histogram::Listed(bins) => {
                let columns = tables.zip(bins.par_chunks(size));
                let grids =
                    columns.map(|((table, &weight), bins)| column_grid(table, bins, weight));
                grids.reduce(Grid::default, add_grids)
            }
            Histogram::Rows { columns, weights } => {
                let mut bins = Buffer::unspecified(self.table.len());
                let columns = tables.zip(&columns[..]).zip(bins.par_chunks_mut(size));
                let grids = columns.map(|(((table, &weight), column), bins)| {
                    fill_histogram(bins, column, weights);
                    column_grid(table, bins, weight)
                });
                let grid = grids.reduce(Grid::default, add_grids);
                self.histogram = bins.into();
                grid
            }
        }
    }

    /// Binds two bits at the second challenge. A column is in cache when it is bound: that is when its share of the next two
    /// rounds is summed.
    fn bind(&mut self, r: F128, eq: &[F128]) {
        let Some(first) = self.first.take() else {
            self.first = Some(r);
            return;
        };
        self.left -= 2;
        let (weights, more) = (fold_weights(first, r), self.left > FEW_BITS);
        let size = 1 << self.left;
        let [mut table, mut histogram] =
            [(); 2].map(|()| Buffer::unspecified(self.table.len() / 4));
        let bins = self.histogram.clone().into_listed(self.left + 2);
        let [of_table, of_histogram] = [(&mut table, &self.table), (&mut histogram, &bins)]
            .map(|(bound, data)| bound.par_chunks_mut(size).zip(data.par_chunks(4 * size)));
        let grids = of_table.zip(of_histogram).zip(eq).map(|((table, histogram), &weight)| {
            let [table, histogram] = [table, histogram].map(|(bound, data)| {
                let [first, rest @ ..] = quarters(data);
                bound.copy_from_slice(first);
                kernels::fold_four(bound, rest, weights);
                &*bound
            });
            if more { column_grid(table, histogram, weight) } else { Grid::default() }
        });
        let grid = grids.reduce(Grid::default, add_grids);
        self.grid = more.then_some(grid);
        (self.table, self.histogram) = (table.into(), histogram.into());
    }

    fn values(&self) -> Values {
        let size = 1 << self.left;
        let mut table = by_value(&self.table, size);
        table.iter_mut().for_each(|t| *t += F128::ONE);
        let cols = table.len() / size;
        Values {
            cols,
            table,
            histogram: by_value(&self.histogram.clone().into_listed(self.left), size),
        }
    }
}

impl Values {
    fn round(&self, eq: &[F128]) -> (F128, F128) {
        let [table, histogram] = [&self.table, &self.histogram].map(|data| {
            let (lo, hi) = data.split_at(data.len() / 2);
            lo.par_chunks(self.cols).zip(hi.par_chunks(self.cols))
        });
        let sums = table
            .zip(histogram)
            .map(|((t_lo, t_hi), (m_lo, m_hi))| kernels::product_round(eq, t_lo, t_hi, m_lo, m_hi));
        sums.reduce(|| (F128::ZERO, F128::ZERO), |a, b| (a.0 + b.0, a.1 + b.1))
    }

    fn bind(&mut self, r: F128) {
        for data in [&mut self.table, &mut self.histogram] {
            fold(data, r);
        }
    }

    fn finish(&mut self) -> Option<(Vec<F128>, Vec<F128>)> {
        (self.table.len() == self.cols).then(|| {
            let table = self.table.iter().map(|&t| t + F128::ONE).collect();
            (table, self.histogram.to_vec())
        })
    }
}

/// Binds the highest variable.
fn fold(values: &mut Buffer, r: F128) {
    let half = values.len() / 2;
    let (lo, hi) = values.split_at_mut(half);
    kernels::fold(lo, hi, r);
    values.truncate(half);
}

/// Bits of the lower digit of an index that has more.
const LOW_BITS: usize = 4;

/// A table that is a product over the bits of `v`.
pub(super) struct ProductBits<'a> {
    /// Whether a round is of `T + 1`, or of a part of `T`.
    with_one: bool,
    /// What the bound bits make of the table, a column.
    scale: Vec<F128>,
    /// Of the bits left, one vector each.
    factors: Vec<Vec<F128>>,
    digit: Digit,
    /// The histogram, and how the bits of its upper digit were bound, while that is the digit.
    upper: Option<(Histogram<'a>, Vec<F128>)>,
}

/// The digit whose bits are being bound: blocks `[u][column]`.
struct Digit {
    left: usize,
    /// The product of the factors of `u`'s bits, for half as many `u`: without the highest bit.
    products: Buffer,
    /// The sum over the lower digit of products and histogram.
    values: Buffer,
    /// The sum over it of the histogram.
    plain: Buffer,
}

impl Digit {
    /// Precondition: `factors` are those of the digit's bits.
    fn new(factors: &[Vec<F128>], values: Buffer, plain: Buffer) -> Self {
        let cols = values.len() >> factors.len();
        let below = factors.split_last().map_or(factors, |(_, below)| below);
        Self { left: factors.len(), products: products(below, cols), values, plain }
    }
}

/// The products of the factors of the bits of `u`, blocks `[u][column]`.
fn products(factors: &[Vec<F128>], cols: usize) -> Buffer {
    let mut products = Buffer::unspecified(cols << factors.len());
    products[..cols].fill(F128::ONE);
    for (bit, factors) in factors.iter().enumerate() {
        let (without, with) = products.split_at_mut(cols << bit);
        for (with, without) in with.chunks_mut(cols).zip(without.chunks(cols)) {
            kernels::mul(with, without, factors);
        }
    }
    products
}

/// `[v][column]` of blocks `[column][v]` of `size` entries.
fn by_value(blocks: &[F128], size: usize) -> Buffer {
    let cols = blocks.len() / size;
    let mut out = Buffer::unspecified(blocks.len());
    // Columns of which a line of the cache holds a value each.
    for (group, blocks) in blocks.chunks(4 * size).enumerate() {
        for (v, out) in out.chunks_exact_mut(cols).enumerate() {
            let values = blocks[v..].iter().step_by(size);
            out[4 * group..].iter_mut().zip(values).for_each(|(out, &value)| *out = value);
        }
    }
    out
}

impl<'a> ProductBits<'a> {
    pub(super) fn new(scale: Vec<F128>, factors: Vec<Vec<F128>>, histogram: Histogram<'a>) -> Self {
        Self { with_one: true, ..Self::part(scale, factors, histogram) }
    }

    /// The rounds of a table that is one of several summands.
    pub(super) fn part(
        scale: Vec<F128>,
        factors: Vec<Vec<F128>>,
        histogram: Histogram<'a>,
    ) -> Self {
        let with_one = false;
        let (cols, width) = (scale.len(), factors.len());
        if width <= LOW_BITS {
            let values = by_value(&histogram.into_listed(width), 1 << width);
            let digit = Digit::new(&factors, values.clone(), values);
            return Self { with_one, scale, factors, digit, upper: None };
        }
        // The products of the lower digit, a column after the other.
        let lower = by_value(&products(&factors[..LOW_BITS], cols), cols);
        let block = 1 << (width - LOW_BITS);
        let sums = histogram.sums_over_lower(width, LOW_BITS, &lower);
        let [values, plain] = sums.map(|data| by_value(&data, block));
        let digit = Digit::new(&factors[LOW_BITS..], values, plain);
        Self { with_one, scale, factors, digit, upper: Some((histogram, vec![F128::ONE])) }
    }

    /// Goes on to the lower digit.
    fn start_lower(&mut self, histogram: &Histogram<'_>, eq: &[F128]) {
        let folded = histogram.sums_over_upper(self.scale.len(), LOW_BITS, eq);
        let values = by_value(&folded, 1 << LOW_BITS);
        self.digit = Digit::new(&self.factors, values.clone(), values);
    }
}

impl Bits for ProductBits<'_> {
    fn round(&mut self, eq: &[F128]) -> (F128, F128) {
        let cols = self.scale.len();
        let digit = &self.digit;
        let half = digit.values.len() / 2;
        let (mut low, mut high) = (vec![F128::ZERO; cols], vec![F128::ZERO; cols]);
        for (sums, values) in
            [(&mut low, &digit.values[..half]), (&mut high, &digit.values[half..])]
        {
            for (products, values) in digit.products.chunks(cols).zip(values.chunks(cols)) {
                kernels::add_products(sums, products, values);
            }
        }
        let mut weights = self.scale.clone();
        kernels::mul_assign(&mut weights, eq);
        let top = &self.factors[self.factors.len() - 1];
        // scale (1 + X (1 + top)) (low + X (low + high)), and what the ones add, which is linear.
        kernels::add_assign(&mut low, &high);
        kernels::mul_assign(&mut high, top);
        let mut at_one = kernels::inner_product(&weights, &high);
        if self.with_one {
            let plain = digit.plain[half..].chunks(cols).map(|p| kernels::inner_product(eq, p));
            at_one += plain.sum::<F128>();
        }
        let lone = kernels::inner_product(&weights, &low);
        kernels::mul_assign(&mut low, top);
        (at_one, lone + kernels::inner_product(&weights, &low))
    }

    fn bind(&mut self, r: F128, _eq: &[F128]) {
        let Some(top) = self.factors.pop() else {
            return;
        };
        // scale (1 + r + r top)
        let mut factor = top;
        kernels::scale(&mut factor, r);
        factor.iter_mut().for_each(|f| *f += F128::ONE + r);
        kernels::mul_assign(&mut self.scale, &factor);
        let digit = &mut self.digit;
        digit.left -= 1;
        let half = digit.products.len() / 2;
        digit.products.truncate(half);
        fold(&mut digit.values, r);
        fold(&mut digit.plain, r);
        if let Some((_, eq)) = &mut self.upper {
            // Bits are bound from the highest down, and count from the lowest up.
            *eq = eq.iter().flat_map(|&e| [e * (F128::ONE + r), e * r]).collect();
        }
        if self.digit.left == 0
            && let Some((histogram, eq)) = self.upper.take()
        {
            self.start_lower(&histogram, &eq);
        }
    }

    fn finish(&mut self) -> Option<(Vec<F128>, Vec<F128>)> {
        self.factors
            .is_empty()
            .then(|| (core::mem::take(&mut self.scale), self.digit.plain.to_vec()))
    }
}
