//! Integer matmul over feature-major tensors: one output column at a time, rows contiguous.

use super::MatMul;
use crate::graph::{Alphabet, Values};
use binfer_field::kernels;
use rayon::prelude::*;
use std::ops::AddAssign;

const BLOCK_ROWS: usize = kernels::INTEGER_BLOCK.0;
const BLOCK_COLS: usize = kernels::INTEGER_BLOCK.1;

/// A type that operands are held in, and the type of their products and sums.
trait Operand: Copy + Default + Send + Sync {
    type Sum: Copy + Default + AddAssign + Into<i128> + Send;

    /// Precondition: the type holds `value`.
    fn new(value: i64) -> Self;
    fn times(self, other: Self) -> Self::Sum;
}

/// Codes less a zero code, and weights: both within -255 and 255.
impl Operand for i16 {
    type Sum = i32;

    fn new(value: i64) -> Self {
        value as Self
    }

    fn times(self, other: Self) -> i32 {
        i32::from(self) * i32::from(other)
    }
}

impl Operand for i64 {
    type Sum = Self;

    fn new(value: i64) -> Self {
        value
    }

    fn times(self, other: Self) -> Self {
        self * other
    }
}

/// Where declared widths allow accumulators that 64 bits do not hold.
impl Operand for i128 {
    type Sum = Self;

    fn new(value: i64) -> Self {
        Self::from(value)
    }

    fn times(self, other: Self) -> Self {
        self * other
    }
}

impl MatMul<'_> {
    /// The accumulators, feature-major.
    pub(super) fn accumulators(&self) -> Vec<i64> {
        self.map_columns(|_, acc| acc)
    }

    /// `map(column, accumulator)` of every accumulator, feature-major.
    pub(super) fn map_columns<T: Copy + Default + Send>(
        &self,
        map: impl Fn(usize, i64) -> T + Sync,
    ) -> Vec<T> {
        let zero = i64::from(self.zero_code);
        match self.x {
            Values::Codes(codes)
                if self.bound <= i128::from(i32::MAX) && self.rows >= BLOCK_ROWS =>
            {
                self.map_blocks(codes, map)
            }
            Values::Codes(codes) if self.bound <= i128::from(i32::MAX) => {
                self.map_columns_of::<i16, T>(codes.iter().map(|&c| i64::from(c) - zero), map)
            }
            Values::Codes(codes) => {
                self.map_columns_of::<i64, T>(codes.iter().map(|&c| i64::from(c) - zero), map)
            }
            Values::Integers(integers) if self.bound <= i128::from(i64::MAX) => {
                self.map_columns_of::<i64, T>(integers.iter().copied(), map)
            }
            Values::Integers(integers) => {
                self.map_columns_of::<i128, T>(integers.iter().copied(), map)
            }
        }
    }

    fn map_columns_of<A: Operand, T: Copy + Default + Send>(
        &self,
        x: impl Iterator<Item = i64>,
        map: impl Fn(usize, i64) -> T + Sync,
    ) -> Vec<T> {
        let x: Vec<A> = x.map(A::new).collect();
        let (k, rows) = (self.shape.k, self.rows);
        let per_byte = self.shape.alphabet.per_byte();
        let mut y = vec![T::default(); self.shape.n * rows];
        y.par_chunks_mut(per_byte * rows)
            .zip(self.matrix.index.par_chunks(k))
            .enumerate()
            .for_each_init(
                || (vec![A::default(); k], vec![A::Sum::default(); rows]),
                |(weights, sums), (byte_column, (out, index))| {
                    for (digit, out) in out.chunks_exact_mut(rows).enumerate() {
                        let column = byte_column * per_byte + digit;
                        self.decode(index, digit, column, weights);
                        product(&x, weights, sums);
                        let bias = self.matrix.bias.get(column).copied().unwrap_or(0);
                        for (out, &sum) in out.iter_mut().zip(sums.iter()) {
                            *out = map(column, narrow(sum.into() + i128::from(bias)));
                        }
                    }
                },
            );
        y
    }

    /// [`Self::map_columns`] by blocks of rows and columns, where accumulators take 32 bits.
    fn map_blocks<T: Copy + Default + Send>(
        &self,
        codes: &[u8],
        map: impl Fn(usize, i64) -> T + Sync,
    ) -> Vec<T> {
        let (k, rows) = (self.shape.k, self.rows);
        let pairs = k.div_ceil(2);
        let zero = i16::from(self.zero_code);
        // Blocks of rows, zeros beyond the last row and feature.
        let mut x = vec![[[0i16; 2]; BLOCK_ROWS]; pairs * rows.div_ceil(BLOCK_ROWS)];
        x.par_chunks_mut(pairs).enumerate().for_each(|(b, block)| {
            for (feature, column) in codes.chunks(rows).enumerate() {
                let column = column.iter().skip(b * BLOCK_ROWS);
                for (row, &code) in block[feature / 2].iter_mut().zip(column) {
                    row[feature % 2] = i16::from(code) - zero;
                }
            }
        });
        let mut y = vec![T::default(); self.shape.n * rows];
        y.par_chunks_mut(BLOCK_COLS * rows).enumerate().for_each_init(
            || vec![[0i16; 2]; BLOCK_COLS * pairs],
            |weights, (b, out)| {
                let first = b * BLOCK_COLS;
                let columns = first..self.shape.n.min(first + BLOCK_COLS);
                for (column, weights) in columns.clone().zip(weights.chunks_mut(pairs)) {
                    self.decode_pairs(column, weights);
                }
                let w = core::array::from_fn(|c| &weights[c * pairs..(c + 1) * pairs]);
                for (r, x) in x.chunks(pairs).enumerate() {
                    let mut sums = [[0i32; BLOCK_ROWS]; BLOCK_COLS];
                    kernels::add_pair_products(&mut sums, x, w);
                    let outputs = out.chunks_mut(rows).zip(&sums).zip(columns.clone());
                    for ((out, sums), column) in outputs {
                        let bias = self.matrix.bias.get(column).copied().unwrap_or(0);
                        let out = out.iter_mut().skip(r * BLOCK_ROWS);
                        for (out, &sum) in out.zip(sums) {
                            *out = map(column, i64::from(sum) + bias);
                        }
                    }
                }
            },
        );
        y
    }

    /// The weights of a column, two by two, the last one's neighbour zero.
    fn decode_pairs(&self, column: usize, weights: &mut [[i16; 2]]) {
        let alphabet = &self.shape.alphabet;
        let per_byte = alphabet.per_byte();
        let index = &self.matrix.index[column / per_byte * self.shape.k..][..self.shape.k];
        let mut table = [0i16; 256];
        let symbols = alphabet.symbols();
        for byte in 0..256 {
            table[byte] = match byte.checked_sub(symbols) {
                None => alphabet.decode(byte as u8, column % per_byte, column) as i16,
                Some(same) => table[same],
            };
        }
        for (weights, bytes) in weights.iter_mut().zip(index.chunks(2)) {
            let weight = |t: usize| bytes.get(t).map_or(0, |&byte| table[usize::from(byte)]);
            *weights = [weight(0), weight(1)];
        }
    }

    /// The weights that the bytes of a column spell at `digit`.
    fn decode<A: Operand>(&self, index: &[u8], digit: usize, column: usize, weights: &mut [A]) {
        let alphabet = &self.shape.alphabet;
        match alphabet {
            Alphabet::Byte { .. } => {
                let offset = i64::from(alphabet.range(column).0);
                for (weight, &byte) in weights.iter_mut().zip(index) {
                    *weight = A::new(i64::from(byte) + offset);
                }
            }
            Alphabet::Digits { .. } => {
                let table: [A; 256] = std::array::from_fn(|byte| {
                    A::new(i64::from(alphabet.decode(byte as u8, digit, column)))
                });
                for (weight, &byte) in weights.iter_mut().zip(index) {
                    *weight = table[usize::from(byte)];
                }
            }
        }
    }
}

/// The nearest 64-bit integer, which no declared width holds if it is another one.
fn narrow(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

/// `sums[row] = sum_k x[k * rows + row] * weights[k]`, `rows` being the length of `sums`.
fn product<A: Operand>(x: &[A], weights: &[A], sums: &mut [A::Sum]) {
    sums.fill(A::Sum::default());
    if let [sum] = sums {
        for (&x, &weight) in x.iter().zip(weights) {
            *sum += x.times(weight);
        }
        return;
    }
    // Four inputs at a time, so that each sum is loaded and stored a quarter as often.
    let rows = sums.len();
    let (fours, rest) = weights.as_chunks::<4>();
    let (x_fours, x_rest) = x.split_at(fours.len() * 4 * rows);
    for (x, w) in x_fours.chunks_exact(4 * rows).zip(fours) {
        let (x0, x) = x.split_at(rows);
        let (x1, x) = x.split_at(rows);
        let (x2, x3) = x.split_at(rows);
        let inputs = x0.iter().zip(x1).zip(x2.iter().zip(x3));
        for (sum, ((&x0, &x1), (&x2, &x3))) in sums.iter_mut().zip(inputs) {
            let mut four = x0.times(w[0]);
            four += x1.times(w[1]);
            four += x2.times(w[2]);
            four += x3.times(w[3]);
            *sum += four;
        }
    }
    for (x, &weight) in x_rest.chunks_exact(rows).zip(rest) {
        for (sum, &x) in sums.iter_mut().zip(x) {
            *sum += x.times(weight);
        }
    }
}
