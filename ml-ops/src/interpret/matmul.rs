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
            Values::Codes(codes) if small && at.len() >= BLOCK_ROWS && self.spans_bytes() => {
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

    /// [`Self::map_matrix`] by blocks of rows and columns, where accumulators take 32 bits and weights
    /// [fit](Self::spans_bytes).
    ///
    /// With `w = w' + shift`, `w'` a signed byte, `sum (x - zero) w = sum x w' + shift sum x - zero sum w`.
    fn map_blocks<T: Copy + Default + Send>(
        &self,
        codes: &[u8],
        at: Range<usize>,
        y: &mut [T],
        map: impl Fn(usize, i64) -> T + Sync,
    ) {
        let quads = self.shape.k.div_ceil(4);
        // Blocks of rows, zeros beyond the last row and feature, and the rows' sums.
        let n_blocks = at.len().div_ceil(BLOCK_ROWS);
        let mut x = vec![[[0u8; 4]; BLOCK_ROWS]; quads * n_blocks];
        let mut row_sums = vec![[0i32; BLOCK_ROWS]; n_blocks];
        x.par_chunks_mut(quads).zip(&mut row_sums).enumerate().for_each(|(b, (block, sums))| {
            for (feature, column) in codes.chunks(at.len()).enumerate() {
                let column = column.iter().skip(b * BLOCK_ROWS);
                let rows = block[feature / 4].iter_mut().zip(sums.iter_mut());
                for ((row, sum), &code) in rows.zip(column) {
                    row[feature % 4] = code;
                    *sum = sum.wrapping_add(code.into());
                }
            }
        });
        let zero = i32::from(self.zero_code);
        y.par_chunks_mut(BLOCK_COLS * self.rows).enumerate().for_each_init(
            || vec![[0i8; 4]; BLOCK_COLS * quads],
            |weights, (b, out)| {
                let first = b * BLOCK_COLS;
                let columns = first..self.shape.n.min(first + BLOCK_COLS);
                let mut constants = [(0, 0); BLOCK_COLS];
                let blocks = weights.chunks_mut(quads).zip(&mut constants);
                for (column, (weights, (shift, of_zero))) in columns.clone().zip(blocks) {
                    *shift = self.shape.alphabet.range(column).0.wrapping_add(128);
                    let sum = self.decode_quads(column, weights);
                    let shifts = shift.wrapping_mul(self.shape.k as i32);
                    *of_zero = sum.wrapping_add(shifts).wrapping_mul(zero);
                }
                let w = core::array::from_fn(|c| &weights[c * quads..(c + 1) * quads]);
                for (r, (x, row_sums)) in x.chunks(quads).zip(&row_sums).enumerate() {
                    let mut sums = [[0i32; BLOCK_ROWS]; BLOCK_COLS];
                    kernels::add_quad_products(&mut sums, x, w);
                    let outputs = out.chunks_mut(self.rows).zip(&sums).zip(columns.clone());
                    for (((out, sums), column), (shift, of_zero)) in outputs.zip(constants) {
                        let bias = self.bias(column);
                        let out = out[at.clone()].iter_mut().skip(r * BLOCK_ROWS);
                        for (out, (&sum, &row)) in out.zip(sums.iter().zip(row_sums)) {
                            let more = shift.wrapping_mul(row).wrapping_sub(of_zero);
                            *out = map(column, i64::from(sum.wrapping_add(more)) + bias);
                        }
                    }
                }
            },
        );
    }

    /// Whether the weights of a column are at most 255 apart.
    fn spans_bytes(&self) -> bool {
        match &self.shape.alphabet {
            Alphabet::Byte { .. } => true,
            alphabet @ Alphabet::Digits { .. } => {
                let (low, high) = alphabet.range(0);
                high.abs_diff(low) <= 255
            }
        }
    }

    /// The bias of a column.
    pub(super) fn bias(&self, column: usize) -> i64 {
        self.matrix.bias.get(column).copied().unwrap_or(0)
    }

    /// The weights of a column less the least and 128, four by four, with zeros beyond the last; returns their
    /// sum.
    fn decode_quads(&self, column: usize, weights: &mut [[i8; 4]]) -> i32 {
        let alphabet = &self.shape.alphabet;
        let per_byte = alphabet.per_byte();
        let index = &self.matrix.index[column / per_byte * self.shape.k..][..self.shape.k];
        if let Alphabet::Byte { .. } = alphabet {
            return spell(index, weights, |byte| (byte ^ 0x80) as i8);
        }
        let (symbols, least) = (alphabet.symbols(), alphabet.range(column).0);
        let mut table = [0i8; 256];
        for byte in 0..256 {
            table[byte] = match byte.checked_sub(symbols) {
                None => {
                    let weight = alphabet.decode(byte as u8, column % per_byte, column);
                    (weight.wrapping_sub(least) as u8 ^ 0x80) as i8
                }
                Some(same) => table[same],
            };
        }
        spell(index, weights, |byte| table[usize::from(byte)])
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

/// The weights of bytes, four by four, with zeros beyond the last; returns their sum.
fn spell(index: &[u8], weights: &mut [[i8; 4]], weight: impl Fn(u8) -> i8) -> i32 {
    let (quads, last) = index.as_chunks::<4>();
    for (weights, quad) in weights.iter_mut().zip(quads) {
        *weights = quad.map(&weight);
    }
    if let Some(weights) = weights.get_mut(quads.len()) {
        *weights = core::array::from_fn(|t| last.get(t).map_or(0, |&byte| weight(byte)));
    }
    let all = weights.as_flattened().iter();
    all.fold(0i32, |sum, &weight| sum.wrapping_add(weight.into()))
}
