//! Matrices that are part of the statement: the verifier evaluates their planes, and computes products of
//! powers by their entries, itself.

use binfer_field::{F128, kernels, kernels::eq_table};
use binfer_iop::indexed::{Tile, tiles};
#[cfg(feature = "prover")]
use rayon::prelude::*;

use super::plan::Matrix;
use super::tables::powers;
use crate::graph::{Values, are_within, ends};

/// Whether a tensor's integers are among those that the bits of `matrix` spell.
pub(crate) fn are_in_range(values: &Values, matrix: &Matrix) -> bool {
    let Values::Integers(integers) = values else { return matrix.bits >= 8 };
    if let Ok(low) = i64::try_from(-matrix.offset)
        && matrix.bits < u64::BITS
        && i128::from(low) + (1i128 << matrix.bits) <= 1 << 63
    {
        return are_within(integers, low, matrix.bits);
    }
    let range = 0..1i128 << matrix.bits;
    let is_in_range = |v: i64| range.contains(&(i128::from(v) + matrix.offset));
    ends(integers).is_none_or(|(least, most)| is_in_range(least) && is_in_range(most))
}

/// A tensor's entries as the unsigned integers of `matrix`, if all are in its range.
pub(crate) fn entries(values: &Values, matrix: &Matrix) -> Option<Vec<u64>> {
    if !are_in_range(values, matrix) {
        return None;
    }
    Some(match values {
        Values::Codes(codes) => codes.iter().map(|&c| u64::from(c)).collect(),
        Values::Integers(integers) => {
            integers.iter().map(|&v| (i128::from(v) + matrix.offset) as u64).collect()
        }
    })
}

/// The values of all planes: by tile, then bit. A plane's bit `i` of word `y` weighs
/// `bit_weights[i] eq(point, y)`, `point` cut to the variables of the tile's words.
pub(crate) fn evaluate(
    entries: &[u64],
    matrix: &Matrix,
    bit_weights: &[F128],
    point: &[F128],
) -> Vec<Vec<F128>> {
    let evaluate_tile = |tile: &Tile| {
        let words = eq_table(point.get(..tile.words().ilog2() as usize).unwrap_or(point));
        let weights = words.iter().flat_map(|&w| bit_weights.iter().map(move |&b| (w, b)));
        let mut bits = vec![F128::ZERO; matrix.bits as usize];
        let columns = entries.chunks(matrix.rows).skip(tile.col).take(1 << tile.log_cols);
        let tile_entries =
            columns.flat_map(|column| column.iter().skip(tile.row).take(1 << tile.log_rows));
        for (&entry, (word, bit)) in tile_entries.zip(weights).filter(|(entry, _)| **entry != 0) {
            let (weight, mut rest) = (word * bit, entry);
            while rest != 0 {
                if let Some(bit) = bits.get_mut(rest.trailing_zeros() as usize) {
                    *bit += weight;
                }
                rest &= rest - 1;
            }
        }
        bits
    };
    tiles(matrix.rows, matrix.cols).iter().map(evaluate_tile).collect()
}

/// Most bits of a digit: tables of one byte are what [`kernels::gather`] looks up.
const DIGIT: u32 = 8;
/// Bases whose digits are held at once.
const BASES: usize = 16;
/// Of values of which at most one in so many is not the least, the others are multiplied one by one.
const SPARSE: usize = 64;
/// Products of a parallel task, about.
const PRODUCTS: usize = 1024;
/// Products that are multiplied at once.
const RUN: usize = 512;

/// `prod_b bases[b]^(offset + value of b and p)` for every product `p`: of a tensor `[base][product]`, or, read
/// across, `[product][base]`, of as many values as bases and products have pairs. Exponents are
/// non-negative, which is for the caller to see to.
///
/// Entries are taken apart into digits, which have one table a base; the digits' products meet in the end,
/// as `x -> x^(2^w)` is one for all bases. What all entries have in common is one power.
pub(crate) fn products(bases: &[F128], values: &Values, offset: i128, across: bool) -> Vec<F128> {
    match values {
        Values::Codes(codes) => products_of(bases, codes, offset, across),
        Values::Integers(integers) => products_of(bases, integers, offset, across),
    }
}

fn products_of<T: Copy + Ord + Into<i64> + Send + Sync>(
    bases: &[F128],
    values: &[T],
    offset: i128,
    across: bool,
) -> Vec<F128> {
    let n = values.len() / bases.len();
    let strides = if across { (1, bases.len()) } else { (n, 1) };
    let (least, most): (i64, i64) = ends(values).map_or((0, 0), |(a, b)| (a.into(), b.into()));
    let exponent = (i128::from(least) + offset).unsigned_abs();
    let common = bases.iter().copied().product::<F128>().pow(exponent);
    let is_more = |&&value: &&T| value.into() != least;
    if values.iter().filter(is_more).nth(values.len() / SPARSE).is_none() {
        // Nearly all are the least: a power for each of the others.
        let mut products = vec![common; n];
        for (at, &value) in values.iter().enumerate().filter(|(_, value)| is_more(value)) {
            let (base, p) =
                if across { (at % bases.len(), at / bases.len()) } else { (at / n, at % n) };
            products[p] *= bases[base].pow(value.into().abs_diff(least).into());
        }
        return products;
    }
    let bits = u64::BITS - most.abs_diff(least).leading_zeros();
    let width = digit(bits, n);
    let digits = bits.div_ceil(width).max(1) as usize;
    let entries = Digits { values, strides, least, width, digits };
    let mut result = vec![F128::ONE; n];
    let at_once = n.div_ceil((n / PRODUCTS).next_multiple_of(2).max(1));
    let multiply = |(number, result): (usize, &mut [F128])| {
        entries.multiply(bases, number * at_once, result);
        kernels::scale(result, common);
    };
    #[cfg(feature = "prover")]
    result.par_chunks_mut(at_once).enumerate().for_each(multiply);
    #[cfg(not(feature = "prover"))]
    result.chunks_mut(at_once).enumerate().for_each(multiply);
    result
}

/// Values as digits of `width` bits.
struct Digits<'a, T> {
    values: &'a [T],
    /// From a base to the next, and from a product to the next.
    strides: (usize, usize),
    /// What is taken off all values.
    least: i64,
    width: u32,
    digits: usize,
}

impl<T: Copy + Into<i64>> Digits<'_, T> {
    /// Multiplies all bases' powers into the products from `start` on.
    fn multiply(&self, bases: &[F128], start: usize, result: &mut [F128]) {
        let &Self { strides, width, digits, .. } = self;
        let (n, mask) = (result.len(), (1 << width) - 1);
        // By digit, lowest first, then product.
        let mut products = vec![F128::ONE; digits * n];
        let mut indices = vec![0u8; BASES * digits * n];
        let mut factors = [F128::ONE; RUN];
        for (block, bases) in bases.chunks(BASES).enumerate() {
            let entry = |b: usize, p: usize| -> u64 {
                let at = (block * BASES + b) * strides.0 + (start + p) * strides.1;
                self.values[at].into().abs_diff(self.least)
            };
            if strides.1 == 1 {
                let of_bases = indices.chunks_mut(digits * n).take(bases.len());
                for (b, indices) in of_bases.enumerate() {
                    for (digit, indices) in (0u32..).zip(indices.chunks_mut(n)) {
                        for (p, index) in indices.iter_mut().enumerate() {
                            *index = (entry(b, p) >> (digit * width) & mask) as u8;
                        }
                    }
                }
            } else {
                // Entries of one product lie side by side: all bases of the block take theirs at once.
                for p in 0..n {
                    for b in 0..bases.len() {
                        let mut rest = entry(b, p);
                        let places = indices[b * digits * n + p..].iter_mut().step_by(n);
                        for index in places.take(digits) {
                            *index = (rest & mask) as u8;
                            rest >>= width;
                        }
                    }
                }
            }
            for (&base, indices) in bases.iter().zip(indices.chunks(digits * n)) {
                let table = powers(base, width as usize);
                for (products, indices) in products.chunks_mut(RUN).zip(indices.chunks(RUN)) {
                    let factors = &mut factors[..products.len()];
                    kernels::gather(factors, &table, indices);
                    kernels::mul_assign(products, factors);
                }
            }
        }
        for products in products.chunks(n).rev() {
            kernels::frobenius(result, width);
            kernels::mul_assign(result, products);
        }
    }
}

/// Bytes that [`products`] takes for `n` products by entries of `bits` bits, at most.
#[cfg(feature = "prover")]
pub(crate) fn products_bytes(bits: u32, n: usize) -> usize {
    let digits = bits.div_ceil(digit(bits, n)) as usize;
    n * digits * (size_of::<F128>() + BASES)
}

/// The width of digits, as even as their number allows, that takes the fewest products for a base.
fn digit(bits: u32, n: usize) -> u32 {
    let cost = |width: &u32| (1usize << width) + bits.div_ceil(*width) as usize * n;
    let width = (1..=DIGIT).min_by_key(cost).unwrap_or(1);
    bits.div_ceil(bits.div_ceil(width).max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_powers() {
        let base = |b: usize| F128::new(0x9e37_79b9_7f4a_7c15 * (b as u128 + 2) + 1);
        for (n_bases, n, bits, least) in [
            (1, 1, 0, 0),
            (1, 1, 63, 0),
            (3, 1, 17, 1 << 40),
            (17, 5, 1, 0),
            (33, 700, 26, 12_345),
            (2, 1200, 8, 0),
            (5, 40, 60, 99),
            (5, 400, 5, 7),
            (20, 30, 10, -100),
        ] {
            let bases: Vec<F128> = (0..n_bases).map(base).collect();
            let mask = ((1u128 << bits) - 1) as u64;
            let entry = |b: usize, p: usize| {
                let drawn = (b * n + p + 1) as u64;
                // Nearly all entries of one of the cases are the least.
                let is_least = n == 400 && !drawn.is_multiple_of(97);
                let more = drawn.wrapping_mul(0x2545_f491_4f6c_dd1d) & mask;
                least + if is_least { 0 } else { more as i64 }
            };
            let pairs = || (0..n_bases).flat_map(|b| (0..n).map(move |p| (b, p)));
            let entries: Vec<i64> = pairs().map(|(b, p)| entry(b, p)).collect();
            let mut transposed = vec![0; entries.len()];
            pairs().for_each(|(b, p)| transposed[p * n_bases + b] = entry(b, p));
            let got = products(&bases, &Values::Integers(entries), 100, false);
            assert_eq!(got, products(&bases, &Values::Integers(transposed), 100, true));
            assert_eq!(got.len(), n);
            for (p, got) in got.into_iter().enumerate() {
                let power = |(b, h): (usize, &F128)| h.pow((entry(b, p) + 100) as u128);
                assert_eq!(got, bases.iter().enumerate().map(power).product(), "{bits} {p}");
            }
        }
    }
}
