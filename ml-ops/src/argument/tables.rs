//! Tables in the exponent: what each index of an indexed product multiplies into its row.

use core::ops::Range;

use binfer_field::{F128, kernels};
#[cfg(feature = "prover")]
use binfer_iop::buffer::Buffer;
#[cfg(feature = "prover")]
use binfer_iop::indexed::table::Entries;
use binfer_iop::multilinear::log2_ceil;
#[cfg(feature = "prover")]
use rayon::prelude::*;

use super::listed::Listed;
use super::packed::Packed;
use super::requantize::Thresholds;
use crate::graph::{Alphabet, WeightShape};
use crate::threads;

/// Public tables of an indexed product, one a column, computed from bases that the verifier knows.
pub(crate) enum Table<'a> {
    /// `T_c[v] = bases[c]^(v 2^shift)`.
    Powers { bases: &'a [F128], shift: u32, width: usize },
    /// The weights that a byte spells: `T_c[v] = prod_t h_{cp + t}^(weight)`.
    Weights { h: Bases<'a>, shape: &'a WeightShape, width: usize },
    /// `T_c[v] = h_c^(exponents[v])`.
    Listed { h: Bases<'a>, exponents: &'a [i64; 256] },
    /// `T_c[v] = h_c^(step v + constant)`.
    Linear { h: Bases<'a>, step: i128, constant: i128, width: usize },
    /// The codes of a requantization; see [`requantize`](super::requantize).
    Codes { h: Bases<'a>, k: Bases<'a>, thresholds: &'a Thresholds },
    /// `T_c[v] = prod_s factors[s][c]^(v_s)`, `v_s` the bits of `v`.
    Products { factors: Vec<Vec<F128>> },
    /// The same, times `gate[c]` where one of the `gated` lowest bits of `v` is set.
    Gated { gate: Vec<F128>, gated: usize, factors: Vec<Vec<F128>> },
    /// `T[v] = 1 + sum_s weights[s] v_s`, `v_s` the bits of `v`, in one column.
    Bits { weights: Vec<F128> },
    /// Each column as often as a base has taps, one after the other.
    Taps { table: Box<Table<'a>>, taps: usize },
    /// Columns in blocks: column `c` of every block is one column, the block's number the highest bits of the
    /// index. Blocks that are none have ones.
    Blocks { table: Box<Table<'a>>, blocks: usize },
}

/// Columns whose entries are made together.
pub(crate) const BLOCK: usize = 64;

/// Bases with their inverses.
#[derive(Clone, Copy)]
pub(crate) struct Bases<'a> {
    pub(crate) h: &'a [F128],
    pub(crate) inverse: &'a [F128],
}

impl<'a> Bases<'a> {
    /// Those of some columns.
    pub(crate) fn of(&self, columns: Range<usize>) -> Self {
        Bases { h: &self.h[columns.clone()], inverse: &self.inverse[columns] }
    }

    /// `h[column]^exponent`.
    pub(crate) fn pow(&self, column: usize, exponent: i128) -> F128 {
        let base = if exponent < 0 { self.inverse[column] } else { self.h[column] };
        base.pow(exponent.unsigned_abs())
    }

    /// `h[c]^exponent` for all columns: by slices, a fifth of the time of one after the other.
    pub(crate) fn pow_all(&self, exponent: i128) -> Vec<F128> {
        let bases = if exponent < 0 { self.inverse } else { self.h };
        let exponent = exponent.unsigned_abs();
        let mut powers = vec![F128::ONE; bases.len()];
        let mut squares = powers.clone();
        for bit in (0..u128::BITS - exponent.leading_zeros()).rev() {
            kernels::square(&mut squares, &powers);
            core::mem::swap(&mut squares, &mut powers);
            if exponent >> bit & 1 == 1 {
                kernels::mul_assign(&mut powers, bases);
            }
        }
        powers
    }

    /// `h[c]^exponent` for pairs of a column `c` and an exponent: by slices as well, two bits of the exponents at a time.
    pub(crate) fn pow_each(&self, pairs: &[(usize, i128)]) -> Vec<F128> {
        let bases = |&(c, exponent): &(usize, i128)| {
            if exponent < 0 { self.inverse[c] } else { self.h[c] }
        };
        let once: Vec<F128> = pairs.iter().map(bases).collect();
        let mut twice = once.clone();
        kernels::square(&mut twice, &once);
        let mut thrice = twice.clone();
        kernels::mul_assign(&mut thrice, &once);
        let mut powers = vec![F128::ONE; pairs.len()];
        let (mut squares, mut factors) = (powers.clone(), powers.clone());
        let all = pairs.iter().fold(0, |all, (_, exponent)| all | exponent.unsigned_abs());
        for bit in (0..u128::BITS - all.leading_zeros()).rev().filter(|bit| bit % 2 == 0) {
            kernels::square(&mut squares, &powers);
            kernels::square(&mut powers, &squares);
            for (i, (factor, (_, exponent))) in factors.iter_mut().zip(pairs).enumerate() {
                *factor = match exponent.unsigned_abs() >> bit & 3 {
                    0 => F128::ONE,
                    1 => once[i],
                    2 => twice[i],
                    _ => thrice[i],
                };
            }
            kernels::mul_assign(&mut powers, &factors);
        }
        powers
    }

    /// `h[c]^offsets[c]` for all columns, or to the power of the one offset that there is.
    fn pow_offsets(&self, offsets: &[i32]) -> Vec<F128> {
        match offsets {
            [offset] => self.pow_all(i128::from(*offset)),
            _ => {
                let pairs = offsets.iter().enumerate().map(|(c, &offset)| (c, offset.into()));
                self.pow_each(&pairs.collect::<Vec<_>>())
            }
        }
    }
}

impl Table<'_> {
    /// Each column `taps` times.
    pub(crate) fn with_taps(self, taps: usize) -> Self {
        if taps == 1 { self } else { Self::Taps { table: Box::new(self), taps } }
    }

    /// The columns in `blocks` blocks.
    pub(crate) fn with_blocks(self, blocks: usize) -> Self {
        if blocks <= 1 { self } else { Self::Blocks { table: Box::new(self), blocks } }
    }

    /// Number of columns.
    pub(crate) fn cols(&self) -> usize {
        match self {
            Self::Powers { bases, .. } => bases.len(),
            Self::Weights { shape, .. } => shape.columns(),
            Self::Products { factors } => factors.first().map_or(0, Vec::len),
            Self::Gated { gate, .. } => gate.len(),
            Self::Bits { .. } => 1,
            Self::Codes { h, .. } | Self::Listed { h, .. } | Self::Linear { h, .. } => h.h.len(),
            Self::Taps { table, taps } => table.cols().saturating_mul(*taps),
            Self::Blocks { table, blocks } => table.cols() / blocks,
        }
    }

    /// Bits of an index.
    pub(crate) fn width(&self) -> usize {
        match self {
            Self::Powers { width, .. }
            | Self::Weights { width, .. }
            | Self::Linear { width, .. } => *width,
            Self::Listed { .. } | Self::Codes { .. } => 8,
            Self::Bits { weights } => weights.len(),
            Self::Products { factors } | Self::Gated { factors, .. } => factors.len(),
            Self::Taps { table, .. } => table.width(),
            Self::Blocks { table, blocks } => table.width() + log2_ceil(*blocks),
        }
    }

    /// The exponents of every column, where entries are powers with listed exponents, and the bases of all columns.
    fn listed(&self) -> Option<(Listed, [Bases<'_>; 2])> {
        match self {
            Self::Codes { h, k, thresholds } if thresholds.are_shared() => {
                Some((thresholds.exponents(0), [*h, *k]))
            }
            Self::Listed { h, exponents } => {
                let of_h = exponents.map(i128::from);
                Some((Listed { of_h, of_k: [0; 256] }, [*h, *h]))
            }
            _ => None,
        }
    }

    /// `sum_c weights[c] T_c` of such tables at `index_point`.
    fn listed_at(&self, weights: &[F128], index_point: &[F128]) -> F128 {
        let (low, high) = index_point.split_at(4);
        let [of_low, of_high, of_all] = [low, high, index_point].map(kernels::eq_table);
        let blocks = weights.chunks(BLOCK).enumerate();
        let columns = |(b, weights): &(usize, &[F128])| b * BLOCK..b * BLOCK + weights.len();
        let Some((list, bases)) = self.listed() else {
            let Self::Codes { h, k, thresholds } = self else { return F128::ZERO };
            let of_block = |block: (usize, &[F128])| {
                let sums = thresholds.sums(columns(&block), [*h, *k], &of_all);
                kernels::inner_product(&sums, block.1)
            };
            return threads::map(blocks.collect(), of_block).into_iter().sum();
        };
        let pattern = list.pattern();
        let steps = list.best_by_rows(weights.len()).then(|| list.steps());
        let of_block = |block: (usize, &[F128])| {
            let bases = bases.map(|of| of.of(columns(&block)));
            let sums = if let Some(pattern) = &pattern {
                pattern.sums(bases, [&of_low, &of_high])
            } else if let Some(steps) = &steps {
                steps.sums(bases, &of_all)
            } else {
                list.sums(bases, &of_all)
            };
            kernels::inner_product(&sums, block.1)
        };
        threads::map(blocks.collect(), of_block).into_iter().sum()
    }

    /// The entries of a run of columns, `2^width` each, into `out`.
    #[cfg(feature = "prover")]
    pub(crate) fn fill(&self, columns: Range<usize>, out: &mut [F128]) {
        let entries = 1 << self.width();
        match self {
            Self::Codes { .. } | Self::Listed { .. } => match (self, self.listed()) {
                (_, Some((list, bases))) => list.fill(bases.map(|of| of.of(columns.clone())), out),
                (Self::Codes { h, k, thresholds }, None) => {
                    thresholds.fill(columns, [*h, *k], out);
                }
                _ => {}
            },
            Self::Taps { table, taps } => {
                let bases = columns.start / taps..columns.end.div_ceil(*taps);
                let mut once = F128::zeros(bases.len() * entries);
                table.fill(bases.clone(), &mut once);
                for (c, out) in columns.zip(out.chunks_mut(entries)) {
                    out.copy_from_slice(&once[(c / taps - bases.start) * entries..][..entries]);
                }
            }
            Self::Blocks { table, blocks } => {
                let n = table.cols() / blocks;
                let size = 1 << table.width();
                let mut block = F128::zeros(columns.len() * size);
                out.fill(F128::ONE);
                for b in 0..*blocks {
                    table.fill(b * n + columns.start..b * n + columns.end, &mut block);
                    for (out, block) in out.chunks_mut(entries).zip(block.chunks(size)) {
                        out[b * size..(b + 1) * size].copy_from_slice(block);
                    }
                }
            }
            _ => {
                for (c, out) in columns.zip(out.chunks_mut(entries)) {
                    self.fill_column(c, out);
                }
            }
        }
    }

    /// All entries, in the form that the table step takes least work on.
    #[cfg(feature = "prover")]
    pub(crate) fn entries(&self) -> Entries<'static> {
        match self {
            Self::Powers { bases, shift, width } => {
                let scale = vec![F128::ONE; bases.len()];
                Entries::Products { scale, factors: squares(bases, *shift, *width) }
            }
            Self::Products { factors } => {
                Entries::Products { scale: vec![F128::ONE; self.cols()], factors: factors.clone() }
            }
            Self::Gated { gate, gated, factors } => {
                let (gate, factors) = (gate.clone(), factors.clone());
                Entries::Gated { gate, gated: *gated, factors }
            }
            Self::Weights {
                h,
                shape: WeightShape { alphabet: Alphabet::Byte { offsets }, .. },
                width,
            } => Entries::Products {
                scale: h.pow_offsets(offsets),
                factors: squares(h.h, 0, *width),
            },
            Self::Linear { h, step, constant, width } => {
                let factors = squares(&h.pow_all(*step), 0, *width);
                Entries::Products { scale: h.pow_all(*constant), factors }
            }
            Self::Taps { table, taps } => {
                let repeat = |values: &[F128], size: usize| -> Vec<F128> {
                    values.chunks(size).flat_map(|v| v.repeat(*taps)).collect()
                };
                match table.entries() {
                    Entries::Listed(entries) => {
                        let entries: Buffer = repeat(&entries, 1 << table.width()).into();
                        Entries::Listed(entries.into())
                    }
                    Entries::Products { scale, factors } => Entries::Products {
                        scale: repeat(&scale, 1),
                        factors: factors.iter().map(|values| repeat(values, 1)).collect(),
                    },
                    Entries::Gated { gate, gated, factors } => Entries::Gated {
                        gate: repeat(&gate, 1),
                        gated,
                        factors: factors.iter().map(|values| repeat(values, 1)).collect(),
                    },
                }
            }
            _ => {
                let block = BLOCK << self.width();
                let mut entries = Buffer::unspecified(self.cols() << self.width());
                entries.par_chunks_mut(block).enumerate().for_each(|(b, entries)| {
                    let first = b * BLOCK;
                    self.fill(first..first + (entries.len() >> self.width()), entries);
                });
                Entries::Listed(entries.into())
            }
        }
    }

    /// The entries of column `c` into `out`, unless they are made otherwise.
    #[cfg(feature = "prover")]
    fn fill_column(&self, c: usize, out: &mut [F128]) {
        match self {
            Self::Powers { bases, shift, .. } => fill_powers(out, bases[c].frobenius(*shift)),
            Self::Weights { h, shape, .. } => fill_weights(out, *h, shape, c),
            Self::Linear { h, step, constant, .. } => {
                fill_powers(out, h.pow(c, *step));
                kernels::scale(out, h.pow(c, *constant));
            }
            Self::Codes { .. } | Self::Listed { .. } | Self::Taps { .. } | Self::Blocks { .. } => {}
            Self::Products { factors } => fill_products(out, factors.iter().map(|f| f[c])),
            Self::Bits { weights } => {
                out[0] = F128::ONE;
                for (s, &weight) in weights.iter().enumerate() {
                    let (low, high) = out.split_at_mut(1 << s);
                    low.iter().zip(high).for_each(|(&low, high)| *high = low + weight);
                }
            }
            Self::Gated { gate, gated, factors } => {
                let (low, high) = factors.split_at(*gated);
                fill_products(&mut out[..1 << gated], low.iter().map(|f| f[c]));
                kernels::scale(&mut out[1..1 << gated], gate[c]);
                double(out, 1 << gated, high.iter().map(|f| f[c]));
            }
        }
    }

    /// The extension of `T + 1`, zero beyond the columns, at `(col_point, index_point)`.
    pub(crate) fn evaluate(&self, col_point: &[F128], index_point: &[F128]) -> F128 {
        let mut weights = kernels::eq_table(col_point);
        weights.truncate(self.cols());
        self.weighted(&weights, index_point)
    }

    /// `sum_c weights[c] (T_c + 1)` at `index_point`.
    fn weighted(&self, weights: &[F128], index_point: &[F128]) -> F128 {
        debug_assert_eq!(index_point.len(), self.width());
        let values = match self {
            Self::Codes { .. } | Self::Listed { .. } => {
                return self.listed_at(weights, index_point) + kernels::sum(weights);
            }
            Self::Taps { table, taps } => {
                let weights: Vec<F128> = weights.chunks(*taps).map(kernels::sum).collect();
                return table.weighted(&weights, index_point);
            }
            Self::Blocks { table, blocks } => {
                let (index, block) = index_point.split_at(index_point.len() - log2_ceil(*blocks));
                let blocks = kernels::eq_table(block).into_iter().take(*blocks);
                let weights: Vec<F128> =
                    blocks.flat_map(|b| weights.iter().map(move |&w| b * w)).collect();
                return table.weighted(&weights, index);
            }
            Self::Powers { bases, shift, .. } => all_powers_at(bases, *shift, index_point),
            Self::Linear { h, step, constant, .. } => {
                let mut values = all_powers_at(&h.pow_all(*step), 0, index_point);
                kernels::mul_assign(&mut values, &h.pow_all(*constant));
                values
            }
            Self::Bits { weights: of_bits } => {
                return kernels::inner_product(of_bits, index_point) * kernels::sum(weights);
            }
            Self::Products { factors } => products_at(factors, index_point),
            Self::Gated { gate, gated, factors } => {
                // gate (low + z) + z, z one where all gated bits are zero.
                let (low, high) = index_point.split_at(*gated);
                let z: F128 = low.iter().map(|&sigma| F128::ONE + sigma).product();
                let mut values = products_at(&factors[..*gated], low);
                values.resize(gate.len(), F128::ONE);
                values.iter_mut().for_each(|value| *value += z);
                kernels::mul_assign(&mut values, gate);
                values.iter_mut().for_each(|value| *value += z);
                if *gated < factors.len() {
                    kernels::mul_assign(&mut values, &products_at(&factors[*gated..], high));
                }
                values
            }
            Self::Weights { h, shape, .. } => weights_at(*h, shape, index_point),
        };
        kernels::inner_product(&values, weights) + kernels::sum(weights)
    }
}

/// `base^(2^(shift + s))` of all bases, for `s < n`.
pub(crate) fn squares(bases: &[F128], shift: u32, n: usize) -> Vec<Vec<F128>> {
    let mut power = bases.to_vec();
    kernels::frobenius(&mut power, shift);
    let mut powers = Vec::with_capacity(n);
    for _ in 0..n {
        let mut next = vec![F128::ZERO; power.len()];
        kernels::square(&mut next, &power);
        powers.push(core::mem::replace(&mut power, next));
    }
    powers
}

/// `base^v` for `v < 2^width`.
pub(crate) fn powers(base: F128, width: usize) -> Vec<F128> {
    let mut powers = vec![F128::ONE; 1 << width];
    fill_powers(&mut powers, base);
    powers
}

/// `base^v` for every place `v`.
fn fill_powers(out: &mut [F128], base: F128) {
    fill_products(out, core::iter::successors(Some(base), |power| Some(power.square())));
}

/// The products of the factors whose bits are set in the place, for all places.
fn fill_products(out: &mut [F128], factors: impl Iterator<Item = F128>) {
    out[0] = F128::ONE;
    double(out, 1, factors);
}

/// The same where the first `size` places are filled: doubled slice by slice.
fn double(out: &mut [F128], mut size: usize, mut factors: impl Iterator<Item = F128>) {
    while size < out.len() {
        let Some(factor) = factors.next() else { return };
        let (low, high) = out.split_at_mut(size);
        kernels::scale_into(&mut high[..size], low, factor);
        size *= 2;
    }
}

/// The extensions of all columns' products of factors at a point: `prod_s (1 + sigma_s + sigma_s factors[s])`.
fn products_at(factors: &[Vec<F128>], point: &[F128]) -> Vec<F128> {
    let mut products = vec![F128::ONE; factors.first().map_or(0, Vec::len)];
    let mut scratch = products.clone();
    for (factors, &sigma) in factors.iter().zip(point) {
        scratch.fill(F128::ONE + sigma);
        kernels::add_scaled(&mut scratch, factors, sigma);
        kernels::mul_assign(&mut products, &scratch);
    }
    products
}

/// The extensions of `v -> base^(v 2^shift)` at a point, of all bases: `prod_s (1 + sigma_s + sigma_s base^(2^(shift + s)))`.
fn all_powers_at(bases: &[F128], shift: u32, point: &[F128]) -> Vec<F128> {
    let mut power = bases.to_vec();
    kernels::frobenius(&mut power, shift);
    let mut products = vec![F128::ONE; bases.len()];
    let mut factors = products.clone();
    for &sigma in point {
        factors.fill(F128::ONE + sigma);
        kernels::add_scaled(&mut factors, &power, sigma);
        kernels::mul_assign(&mut products, &factors);
        // The scratch is free: the squares go there.
        kernels::square(&mut factors, &power);
        core::mem::swap(&mut factors, &mut power);
    }
    products
}

/// The extensions of all columns' products of weights at a point.
fn weights_at(h: Bases<'_>, shape: &WeightShape, point: &[F128]) -> Vec<F128> {
    match &shape.alphabet {
        Alphabet::Byte { offsets } => {
            let h = h.of(0..shape.n);
            let mut values = all_powers_at(h.h, 0, point);
            kernels::mul_assign(&mut values, &h.pow_offsets(offsets));
            values
        }
        Alphabet::Digits { values, per_byte } => {
            Packed::new(h, shape.n, values, *per_byte).at(point)
        }
    }
}

/// All bytes' products of weights.
#[cfg(feature = "prover")]
fn fill_weights(out: &mut [F128], h: Bases<'_>, shape: &WeightShape, c: usize) {
    match &shape.alphabet {
        Alphabet::Byte { offsets } => {
            let offset = if offsets.len() == 1 { offsets[0] } else { offsets[c] };
            fill_powers(out, h.h[c]);
            kernels::scale(out, h.pow(c, i128::from(offset)));
        }
        Alphabet::Digits { values, per_byte } => {
            Packed::new(h, shape.n, values, *per_byte).fill(c, out);
        }
    }
}

#[cfg(all(test, feature = "prover"))]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn weights_extend_their_tables() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut random =
            |n: usize| -> Vec<F128> { (0..n).map(|_| F128::random(&mut rng)).collect() };
        let digits =
            |values: &[i32], per_byte| Alphabet::Digits { values: values.into(), per_byte };
        let seven: Vec<i32> = (-7..8).collect();
        for (alphabet, n) in [
            (Alphabet::Byte { offsets: vec![-128] }, 5),
            (Alphabet::Byte { offsets: vec![-3, 0, 200] }, 3),
            (digits(&[-1, 1], 8), 17),
            (digits(&[-1, 0, 1], 5), 5),
            (digits(&[0, 2, 3, 9, 10], 3), 4),
            (digits(&seven, 2), 2 * BLOCK + 131),
        ] {
            let h = random(n);
            let inverse: Vec<F128> = h.iter().map(|h| h.invert()).collect();
            let bases = Bases { h: &h, inverse: &inverse };
            let shape = WeightShape { k: 1, n, alphabet, bias_bits: 0 };
            let point = random(8);
            let of_all = kernels::eq_table(&point);
            let mut column = vec![F128::ZERO; 256];
            let expected = (0..shape.columns()).map(|c| {
                fill_weights(&mut column, bases, &shape, c);
                kernels::inner_product(&column, &of_all)
            });
            let expected: Vec<F128> = expected.collect();
            assert_eq!(weights_at(bases, &shape, &point), expected, "{:?}", shape.alphabet);
        }
    }
}
