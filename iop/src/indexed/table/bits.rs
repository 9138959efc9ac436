//! The rounds of the table step that bind index bits, the highest first.
//!
//! A round is `sum_c eq_c sum_v (T_c(X, v) + 1) M_c(X, v)`. A table that is listed is folded like the
//! histogram. One that is a product over the bits of `v` is not even written down: with `U` the product
//! over a digit's bits, `sum_v T_c[v] M_c[v]` is a sum over the upper digit of inner products with `U` of
//! the lower, so the histogram is read twice and all rounds work on `2^4` values a column.

use binfer_field::{F128, kernels};
use rayon::prelude::*;

use crate::buffer::Buffer;

/// A table and a histogram whose index bits are being bound.
pub(super) trait Bits: Send {
    /// The round polynomial's value at 1 and its coefficient of `X^2`.
    fn round(&mut self, eq: &[F128]) -> (F128, F128);

    /// Binds the highest bit left; `eq` as in the round that follows.
    fn bind(&mut self, r: F128, eq: &[F128]);

    /// Table and histogram of every column, once no bit is left.
    fn finish(&mut self) -> Option<(Vec<F128>, Vec<F128>)>;
}

/// Both as they are, blocks `[column][v]`, bound at their beginnings.
pub(super) struct ListedBits {
    table: Buffer,
    histogram: Buffer,
    block: usize,
    left: usize,
    /// The next round's sums, where they are known.
    sums: Option<(F128, F128)>,
}

impl ListedBits {
    pub(super) fn new(table: Buffer, histogram: Buffer, width: usize) -> Self {
        assert_eq!(table.len(), histogram.len());
        Self { table, histogram, block: 1 << width, left: width, sums: None }
    }
}

/// One column's share of a round, `weight` its value of eq.
fn column_round(table: &[F128], histogram: &[F128], weight: F128) -> (F128, F128) {
    let (t_lo, t_hi) = table.split_at(table.len() / 2);
    let (m_lo, m_hi) = histogram.split_at(histogram.len() / 2);
    let (at_one, leading) = kernels::table_round(t_lo, t_hi, m_lo, m_hi);
    (at_one * weight, leading * weight)
}

fn add_sums(a: (F128, F128), b: (F128, F128)) -> (F128, F128) {
    (a.0 + b.0, a.1 + b.1)
}

impl Bits for ListedBits {
    fn round(&mut self, eq: &[F128]) -> (F128, F128) {
        if let Some(sums) = self.sums.take() {
            return sums;
        }
        let (stride, size) = (self.block, 1 << self.left);
        let columns = self.table.par_chunks(stride).zip(self.histogram.par_chunks(stride)).zip(eq);
        let sums = columns.map(|((table, histogram), &weight)| {
            column_round(&table[..size], &histogram[..size], weight)
        });
        sums.reduce(|| (F128::ZERO, F128::ZERO), add_sums)
    }

    /// A column is in cache when it is bound: that is when its share of the next round is summed.
    fn bind(&mut self, r: F128, eq: &[F128]) {
        self.left -= 1;
        let (stride, half) = (self.block, 1 << self.left);
        let columns = self.table.par_chunks_mut(stride).zip(self.histogram.par_chunks_mut(stride));
        let sums = columns.zip(eq).map(|((table, histogram), &weight)| {
            for data in [&mut *table, &mut *histogram] {
                let (lo, hi) = data[..2 * half].split_at_mut(half);
                kernels::fold(lo, hi, r);
            }
            if half == 1 {
                return (F128::ZERO, F128::ZERO);
            }
            column_round(&table[..half], &histogram[..half], weight)
        });
        let sums = sums.reduce(|| (F128::ZERO, F128::ZERO), add_sums);
        self.sums = (half > 1).then_some(sums);
    }

    fn finish(&mut self) -> Option<(Vec<F128>, Vec<F128>)> {
        let firsts = |data: &[F128]| data.iter().step_by(self.block).copied().collect();
        (self.left == 0).then(|| (firsts(&self.table), firsts(&self.histogram)))
    }
}

/// Bits of the lower digit of an index that has more.
const LOW_BITS: usize = 4;

/// A table that is a product over the bits of `v`.
pub(super) struct ProductBits {
    /// Whether a round is of `T + 1`, or of a part of `T`.
    with_one: bool,
    /// What the bound bits make of the table, a column.
    scale: Vec<F128>,
    /// Of the bits left, one vector each.
    factors: Vec<Vec<F128>>,
    digit: Digit,
    /// The histogram, and how the bits of its upper digit were bound, while that is the digit.
    upper: Option<(Buffer, Vec<F128>)>,
}

/// The digit whose bits are being bound: blocks `[u][column]`.
struct Digit {
    left: usize,
    /// The product of the factors of `u`'s bits, for half as many `u`: without the highest bit.
    products: Vec<F128>,
    /// The sum over the lower digit of products and histogram.
    values: Vec<F128>,
    /// The sum over it of the histogram.
    plain: Vec<F128>,
}

impl Digit {
    /// Precondition: `factors` are those of the digit's bits.
    fn new(factors: &[Vec<F128>], values: Vec<F128>, plain: Vec<F128>) -> Self {
        let cols = values.len() >> factors.len();
        let below = factors.split_last().map_or(factors, |(_, below)| below);
        Self { left: factors.len(), products: products(below, cols), values, plain }
    }

    fn fold(values: &mut Vec<F128>, r: F128) {
        let half = values.len() / 2;
        let (lo, hi) = values.split_at_mut(half);
        kernels::fold(lo, hi, r);
        values.truncate(half);
    }
}

/// The products of the factors of the bits of `u`, blocks `[u][column]`.
fn products(factors: &[Vec<F128>], cols: usize) -> Vec<F128> {
    let mut products = Vec::with_capacity(cols << factors.len());
    products.resize(cols, F128::ONE);
    for factors in factors {
        let size = products.len();
        products.extend_from_within(..);
        for block in products[size..].chunks_mut(cols) {
            kernels::mul_assign(block, factors);
        }
    }
    products
}

/// `[v][column]` of blocks `[column][v]`.
fn by_value(blocks: &[F128], cols: usize) -> Vec<F128> {
    let size = blocks.len() / cols;
    let mut out = F128::zeros(blocks.len());
    for (c, block) in blocks.chunks(size).enumerate() {
        for (out, &value) in out[c..].iter_mut().step_by(cols).zip(block) {
            *out = value;
        }
    }
    out
}

impl ProductBits {
    pub(super) fn new(scale: Vec<F128>, factors: Vec<Vec<F128>>, histogram: Buffer) -> Self {
        Self { with_one: true, ..Self::part(scale, factors, histogram) }
    }

    /// The rounds of a table that is one of several summands.
    pub(super) fn part(scale: Vec<F128>, factors: Vec<Vec<F128>>, histogram: Buffer) -> Self {
        let with_one = false;
        let (cols, width) = (scale.len(), factors.len());
        let low = if width > LOW_BITS { LOW_BITS } else { 0 };
        if low == 0 {
            let values = by_value(&histogram, cols);
            let digit = Digit::new(&factors, values.clone(), values);
            return Self { with_one, scale, factors, digit, upper: None };
        }
        // The products of the lower digit, a column after the other.
        let lower = by_value(&products(&factors[..low], cols), 1 << low);
        let block = 1usize << low;
        let mut values = F128::zeros(histogram.len() >> low);
        let mut plain = values.clone();
        let blocks = histogram.par_chunks(1 << width).zip(lower.par_chunks(block));
        let columns = values.par_chunks_mut(1 << (width - low));
        let columns = columns.zip(plain.par_chunks_mut(1 << (width - low))).zip(blocks);
        columns.for_each(|((values, plain), (histogram, lower))| {
            let sums = values.iter_mut().zip(plain).zip(histogram.chunks(block));
            for ((value, plain), histogram) in sums {
                *value = kernels::inner_product(lower, histogram);
                *plain = kernels::sum(histogram);
            }
        });
        let (values, plain) = (by_value(&values, cols), by_value(&plain, cols));
        let digit = Digit::new(&factors[low..], values, plain);
        Self { with_one, scale, factors, digit, upper: Some((histogram, vec![F128::ONE])) }
    }

    /// Goes on to the lower digit.
    fn start_lower(&mut self, histogram: &[F128], eq: &[F128]) {
        let cols = self.scale.len();
        let block = histogram.len() / cols / eq.len();
        let mut folded = F128::zeros(cols * block);
        let columns = folded.par_chunks_mut(block).zip(histogram.par_chunks(block * eq.len()));
        columns.for_each(|(out, histogram)| {
            for (histogram, &weight) in histogram.chunks(block).zip(eq) {
                kernels::add_scaled(out, histogram, weight);
            }
        });
        let values = by_value(&folded, cols);
        self.digit = Digit::new(&self.factors, values.clone(), values);
    }
}

impl Bits for ProductBits {
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
        Digit::fold(&mut digit.values, r);
        Digit::fold(&mut digit.plain, r);
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
            .then(|| (core::mem::take(&mut self.scale), core::mem::take(&mut self.digit.plain)))
    }
}
