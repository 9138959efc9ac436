//! Integer matmul over feature-major tensors: one output column at a time, rows contiguous.

use super::MatMul;
use crate::graph::{Requantize, Values};
use rayon::prelude::*;
use std::ops::{AddAssign, Mul};

/// A type that accumulators are held in.
trait Accumulator: Copy + Default + AddAssign + Mul<Output = Self> + Send + Sync {
    fn from_operand(value: i64) -> Self;
    fn to_i64(self) -> i64;
}

impl Accumulator for i32 {
    fn from_operand(value: i64) -> Self {
        value as Self
    }

    fn to_i64(self) -> i64 {
        i64::from(self)
    }
}

impl Accumulator for i64 {
    fn from_operand(value: i64) -> Self {
        value
    }

    fn to_i64(self) -> i64 {
        self
    }
}

impl MatMul<'_> {
    /// The accumulators, feature-major.
    pub(super) fn accumulators(&self) -> Vec<i64> {
        self.map_columns(|_, acc| acc)
    }

    /// The codes of the accumulators, feature-major.
    pub(super) fn codes(&self, requantize: &Requantize) -> Vec<u8> {
        self.map_columns(|column, acc| requantize.step(column).code(acc))
    }

    fn map_columns<T: Copy + Default + Send>(
        &self,
        map: impl Fn(usize, i64) -> T + Sync,
    ) -> Vec<T> {
        if self.bound <= i64::from(i32::MAX) {
            self.map_columns_in::<i32, T>(map)
        } else {
            self.map_columns_in::<i64, T>(map)
        }
    }

    fn map_columns_in<A: Accumulator, T: Copy + Default + Send>(
        &self,
        map: impl Fn(usize, i64) -> T + Sync,
    ) -> Vec<T> {
        let (k, rows) = (self.shape.k, self.rows);
        let per_byte = self.shape.alphabet.per_byte();
        let x: Vec<A> = match self.x {
            Values::Codes(codes) => codes
                .iter()
                .map(|&c| A::from_operand(i64::from(c) - i64::from(self.zero_code)))
                .collect(),
            Values::Integers(integers) => integers.iter().map(|&v| A::from_operand(v)).collect(),
        };
        let mut y = vec![T::default(); self.shape.n * rows];
        y.par_chunks_mut(per_byte * rows)
            .zip(self.matrix.index.par_chunks(k))
            .enumerate()
            .for_each_init(
                || (vec![A::default(); k], vec![A::default(); rows]),
                |(weights, sums), (byte_column, (out, index))| {
                    for (digit, out) in out.chunks_exact_mut(rows).enumerate() {
                        let column = byte_column * per_byte + digit;
                        let decoded = self.decoder(digit, column);
                        for (weight, &byte) in weights.iter_mut().zip(index) {
                            *weight = A::from_operand(i64::from(decoded[usize::from(byte)]));
                        }
                        let bias = self.matrix.bias.get(column).copied().unwrap_or(0);
                        product(&x, weights, sums);
                        for (out, sum) in out.iter_mut().zip(sums.iter()) {
                            *out = map(column, sum.to_i64() + bias);
                        }
                    }
                },
            );
        y
    }

    /// The weight that each byte spells at `digit` of `column`.
    fn decoder(&self, digit: usize, column: usize) -> [i32; 256] {
        let alphabet = &self.shape.alphabet;
        std::array::from_fn(|byte| alphabet.decode(byte as u8, digit, column))
    }
}

/// `sums[row] = sum_k x[k * rows + row] * weights[k]`, `rows` being the length of `sums`.
fn product<A: Accumulator>(x: &[A], weights: &[A], sums: &mut [A]) {
    if let [sum] = sums {
        *sum = A::default();
        for (&x, &weight) in x.iter().zip(weights) {
            *sum += x * weight;
        }
        return;
    }
    sums.fill(A::default());
    for (x, &weight) in x.chunks_exact(sums.len()).zip(weights) {
        for (sum, &x) in sums.iter_mut().zip(x) {
            *sum += x * weight;
        }
    }
}
