//! Integer matmul over feature-major tensors: one output column at a time, rows contiguous.

use super::MatMul;
use super::operand::{Operand, narrow, product};
use crate::graph::{Alphabet, Values};
use binfer_field::kernels;
use rayon::prelude::*;
use std::ops::Range;

const BLOCK_ROWS: usize = kernels::INTEGER_BLOCK.0;
const BLOCK_COLS: usize = kernels::INTEGER_BLOCK.1;

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
        let mut y = vec![T::default(); self.shape.n * self.rows];
        if self.groups > 1 {
            self.map_groups(&mut y, map);
        } else if let (Some(gather), Values::Codes(codes)) = (self.gather, self.x) {
            self.map_gathered(gather, codes, &mut y, map);
        } else {
            self.map_matrix(self.x, 0..self.rows, &mut y, map);
        }
        y
    }

    /// The outputs of the rows `at`, of which `x` is the matrix of inputs.
    pub(super) fn map_matrix<T: Copy + Default + Send>(
        &self,
        x: &Values,
        at: Range<usize>,
        y: &mut [T],
        map: impl Fn(usize, i64) -> T + Sync,
    ) {
        let zero = i64::from(self.zero_code);
        let small = self.bound <= i128::from(i32::MAX);
        if let Values::Codes(codes) = x
            && let Some(entries) = self.sparse(codes, at.len())
        {
            self.map_sparse(&entries, at, y, map);
            return;
        }
        match x {
            Values::Codes(codes) if small && at.len() >= BLOCK_ROWS => {
                self.map_blocks(codes, at, y, map);
            }
            Values::Codes(codes) if small => {
                let x = codes.iter().map(|&c| i64::from(c) - zero);
                self.map_columns_of::<i16, T>(x, at, y, map);
            }
            Values::Codes(codes) => {
                let x = codes.iter().map(|&c| i64::from(c) - zero);
                self.map_columns_of::<i64, T>(x, at, y, map);
            }
            Values::Integers(integers) if self.bound <= i128::from(i64::MAX) => {
                self.map_columns_of::<i64, T>(integers.iter().copied(), at, y, map);
            }
            Values::Integers(integers) => {
                self.map_columns_of::<i128, T>(integers.iter().copied(), at, y, map);
            }
        }
    }

    fn map_columns_of<A: Operand, T: Copy + Default + Send>(
        &self,
        x: impl Iterator<Item = i64>,
        at: Range<usize>,
        y: &mut [T],
        map: impl Fn(usize, i64) -> T + Sync,
    ) {
        let x: Vec<A> = x.map(A::new).collect();
        let (k, rows) = (self.shape.k, self.rows);
        let per_byte = self.shape.alphabet.per_byte();
        y.par_chunks_mut(per_byte * rows)
            .zip(self.matrix.index.par_chunks(k))
            .enumerate()
            .for_each_init(
                || (vec![A::default(); k], vec![A::Sum::default(); at.len()]),
                |(weights, sums), (byte_column, (out, index))| {
                    for (digit, out) in out.chunks_exact_mut(rows).enumerate() {
                        let column = byte_column * per_byte + digit;
                        self.decode(index, digit, column, weights);
                        product(&x, weights, sums);
                        let bias = self.bias(column);
                        for (out, &sum) in out[at.clone()].iter_mut().zip(sums.iter()) {
                            *out = map(column, narrow(sum.into() + i128::from(bias)));
                        }
                    }
                },
            );
    }

    /// [`Self::map_matrix`] by blocks of rows and columns, where accumulators take 32 bits.
    fn map_blocks<T: Copy + Default + Send>(
        &self,
        codes: &[u8],
        at: Range<usize>,
        y: &mut [T],
        map: impl Fn(usize, i64) -> T + Sync,
    ) {
        let pairs = self.shape.k.div_ceil(2);
        let zero = i16::from(self.zero_code);
        // Blocks of rows, zeros beyond the last row and feature.
        let mut x = vec![[[0i16; 2]; BLOCK_ROWS]; pairs * at.len().div_ceil(BLOCK_ROWS)];
        x.par_chunks_mut(pairs).enumerate().for_each(|(b, block)| {
            for (feature, column) in codes.chunks(at.len()).enumerate() {
                let column = column.iter().skip(b * BLOCK_ROWS);
                for (row, &code) in block[feature / 2].iter_mut().zip(column) {
                    row[feature % 2] = i16::from(code) - zero;
                }
            }
        });
        y.par_chunks_mut(BLOCK_COLS * self.rows).enumerate().for_each_init(
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
                    let outputs = out.chunks_mut(self.rows).zip(&sums).zip(columns.clone());
                    for ((out, sums), column) in outputs {
                        let bias = self.bias(column);
                        let out = out[at.clone()].iter_mut().skip(r * BLOCK_ROWS);
                        for (out, &sum) in out.zip(sums) {
                            *out = map(column, i64::from(sum) + bias);
                        }
                    }
                }
            },
        );
    }

    /// The bias of a column.
    pub(super) fn bias(&self, column: usize) -> i64 {
        self.matrix.bias.get(column).copied().unwrap_or(0)
    }

    /// The weights of a column, two by two, the last one's neighbour zero.
    fn decode_pairs(&self, column: usize, weights: &mut [[i16; 2]]) {
        let alphabet = &self.shape.alphabet;
        let per_byte = alphabet.per_byte();
        let index = &self.matrix.index[column / per_byte * self.shape.k..][..self.shape.k];
        if let Alphabet::Byte { .. } = alphabet
            && let Ok(offset) = i16::try_from(alphabet.range(column).0)
        {
            let weight = |&byte: &u8| i16::from(byte).wrapping_add(offset);
            let (pairs, last) = index.as_chunks::<2>();
            for (weights, pair) in weights.iter_mut().zip(pairs) {
                *weights = pair.each_ref().map(weight);
            }
            if let (Some(weights), [byte]) = (weights.get_mut(pairs.len()), last) {
                *weights = [weight(byte), 0];
            }
            return;
        }
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
    pub(super) fn decode<A: Operand>(
        &self,
        index: &[u8],
        digit: usize,
        column: usize,
        weights: &mut [A],
    ) {
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
