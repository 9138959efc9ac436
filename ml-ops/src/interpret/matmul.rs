//! Integer matmul over feature-major tensors: one output column at a time, rows contiguous.

use super::MatMul;
use super::operand::{FLOAT_BOUND, Operand, narrow, product};
use crate::graph::{Alphabet, Values};
use binfer_field::kernels;
use rayon::prelude::*;
use std::ops::Range;

const BLOCK_ROWS: usize = kernels::INTEGER_BLOCK.0;
const BLOCK_COLS: usize = kernels::INTEGER_BLOCK.1;

/// Blocks of rows whose sums are held at once.
const BLOCKS: usize = 8;

/// Zeros that a task writes at least.
const ZEROS: usize = 1 << 15;

impl MatMul<'_> {
    /// The accumulators, feature-major.
    pub(super) fn accumulators(&self) -> Vec<i64> {
        // Pages that are new are zeroed by all threads.
        let zeros = rayon::iter::repeat_n(0, self.shape.n * self.rows).with_min_len(ZEROS);
        let mut y: Vec<i64> = zeros.collect();
        if self.groups > 1 {
            self.fill_groups(&mut y);
        } else if let (Some(gather), Values::Codes(codes)) = (self.gather, self.x) {
            self.fill_gathered(gather, codes, &mut y);
        } else {
            self.fill_matrix(self.x, 0..self.rows, &mut y);
        }
        y
    }

    /// The outputs of the rows `at`, of which `x` is the matrix of inputs.
    pub(super) fn fill_matrix(&self, x: &Values, at: Range<usize>, y: &mut [i64]) {
        let zero = i64::from(self.zero_code);
        let small = self.bound <= i128::from(i32::MAX);
        if let Values::Codes(codes) = x
            && let Some(entries) = self.sparse(codes, at.len())
        {
            self.fill_sparse(&entries, at, y);
            return;
        }
        match x {
            Values::Codes(codes) if small && at.len() >= BLOCK_ROWS && self.spans_bytes() => {
                self.fill_blocks(codes, at, y);
            }
            Values::Codes(codes) if small => {
                let x = codes.iter().map(|&c| i64::from(c) - zero);
                self.fill_columns_of::<i16>(x, at, y);
            }
            Values::Codes(codes) => {
                let x = codes.iter().map(|&c| i64::from(c) - zero);
                self.fill_columns_of::<i64>(x, at, y);
            }
            Values::Integers(integers) if self.bound <= FLOAT_BOUND => {
                self.fill_columns_of::<f64>(integers.iter().copied(), at, y);
            }
            Values::Integers(integers) if self.bound <= i128::from(i64::MAX) => {
                self.fill_columns_of::<i64>(integers.iter().copied(), at, y);
            }
            Values::Integers(integers) => {
                self.fill_columns_of::<i128>(integers.iter().copied(), at, y);
            }
        }
    }

    fn fill_columns_of<A: Operand>(
        &self,
        x: impl Iterator<Item = i64>,
        at: Range<usize>,
        y: &mut [i64],
    ) {
        let x: Vec<A> = x.map(A::new).collect();
        let (k, rows) = (self.shape.k, self.rows);
        let per_byte = self.shape.alphabet.per_byte();
        let digits = self.digits(|weight| A::new(weight.into()));
        y.par_chunks_mut(per_byte * rows)
            .zip(self.matrix.index.par_chunks(k))
            .enumerate()
            .for_each_init(
                || (vec![A::default(); k], vec![A::Sum::default(); at.len()]),
                |(weights, sums), (byte_column, (out, index))| {
                    for (digit, out) in out.chunks_exact_mut(rows).enumerate() {
                        let column = byte_column * per_byte + digit;
                        self.decode(index, digits.get(digit), column, weights);
                        product(&x, weights, sums);
                        let bias = self.bias(column);
                        for (out, &sum) in out[at.clone()].iter_mut().zip(sums.iter()) {
                            *out = narrow(A::integer(sum) + i128::from(bias));
                        }
                    }
                },
            );
    }

    /// [`Self::fill_matrix`] by blocks of rows and columns, where accumulators take 32 bits and weights
    /// [fit](Self::spans_bytes).
    ///
    /// With `x = x' + 128`, `x'` a signed byte, and `w = w' + least`, `w'` a byte,
    /// `sum (x - zero) w = sum x' w' + (128 - zero) sum w' + least sum (x - zero)`.
    fn fill_blocks(&self, codes: &[u8], at: Range<usize>, y: &mut [i64]) {
        let (k, rows, zero) = (self.shape.k, self.rows, i32::from(self.zero_code));
        let quads = k.div_ceil(4);
        // Blocks of rows, zeros beyond the last row and feature, and the rows' sums.
        let n_blocks = at.len().div_ceil(BLOCK_ROWS);
        let mut x = vec![[[0i8; 4]; BLOCK_ROWS]; quads * n_blocks];
        let mut row_sums = vec![[0i32; BLOCK_ROWS]; n_blocks];
        x.par_chunks_mut(quads).zip(&mut row_sums).enumerate().for_each(|(b, (block, sums))| {
            for (feature, column) in codes.chunks(at.len()).enumerate() {
                let column = &column[b * BLOCK_ROWS..];
                let out = &mut block[feature / 4];
                for ((row, sum), &code) in out.iter_mut().zip(sums.iter_mut()).zip(column) {
                    row[feature % 4] = (code ^ 0x80) as i8;
                    *sum = sum.wrapping_add(i32::from(code) - zero);
                }
            }
        });
        let above_least = self.digits(|weight| weight.wrapping_sub(self.least(0)) as u8);
        let digits: Vec<Digit> = above_least.into_iter().map(Digit::new).collect();
        y.par_chunks_mut(BLOCK_COLS * rows).enumerate().for_each_init(
            || vec![[0; 4]; self.decoded_quads()],
            |decoded, (b, out)| {
                // Beyond the last column it is multiplied again.
                let last = out.len() / rows - 1;
                let columns: [usize; BLOCK_COLS] =
                    core::array::from_fn(|c| b * BLOCK_COLS + c.min(last));
                let weights = self.above_least(columns, &digits, decoded);
                let least = columns.map(|column| self.least(column));
                let bias = columns.map(|column| self.bias(column));
                let constants = weights.map(|weights| {
                    let sum = if zero == 128 { 0 } else { sum(weights.as_flattened()) };
                    sum.wrapping_mul(128 - zero)
                });
                let runs = x.chunks(BLOCKS * quads).zip(row_sums.chunks(BLOCKS));
                for (run, (x, row_sums)) in runs.enumerate() {
                    let mut sums = [[[0; BLOCK_ROWS]; BLOCK_COLS]; BLOCKS];
                    let sums = &mut sums[..row_sums.len()];
                    kernels::add_quad_products(sums, x, weights);
                    let first = at.start + run * BLOCKS * BLOCK_ROWS;
                    let at = first..at.end.min(first + BLOCKS * BLOCK_ROWS);
                    for (c, out) in out.chunks_mut(rows).enumerate() {
                        let out = out[at.clone()].chunks_mut(BLOCK_ROWS);
                        for ((out, sums), row_sums) in out.zip(&*sums).zip(row_sums) {
                            for ((out, &sum), &row) in out.iter_mut().zip(&sums[c]).zip(row_sums) {
                                let more = least[c].wrapping_mul(row).wrapping_add(constants[c]);
                                *out = i64::from(sum.wrapping_add(more)) + bias[c];
                            }
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

    /// The least weight that a column can have.
    fn least(&self, column: usize) -> i32 {
        self.shape.alphabet.range(column).0
    }

    /// Room that [`Self::above_least`] takes for the columns of a block: none where bytes are the weights.
    fn decoded_quads(&self) -> usize {
        let is_spelled = matches!(self.shape.alphabet, Alphabet::Byte { .. });
        let is_whole = self.shape.k.is_multiple_of(4);
        if is_spelled && is_whole { 0 } else { BLOCK_COLS * self.shape.k.div_ceil(4) }
    }

    /// By how much the weights of columns exceed the least, four by four, with zeros beyond the last; `digits` are read
    /// where bytes spell several, and `decoded` has room for the weights if need be.
    fn above_least<'a>(
        &'a self,
        columns: [usize; BLOCK_COLS],
        digits: &[Digit],
        decoded: &'a mut [[u8; 4]],
    ) -> [&'a [[u8; 4]]; BLOCK_COLS] {
        let (k, per_byte) = (self.shape.k, self.shape.alphabet.per_byte());
        let spelled = |column: usize| &self.matrix.index[column / per_byte * k..][..k];
        if decoded.is_empty() {
            return columns.map(|column| spelled(column).as_chunks().0);
        }
        let quads = k.div_ceil(4);
        for (&column, decoded) in columns.iter().zip(decoded.chunks_mut(quads)) {
            let weights = decoded.as_flattened_mut().iter_mut().zip(spelled(column));
            match digits.get(column % per_byte) {
                None => weights.for_each(|(weight, &byte)| *weight = byte),
                Some(Digit::Bits { shift, mask }) => {
                    weights.for_each(|(weight, &byte)| *weight = byte >> shift & mask);
                }
                Some(Digit::Of(table)) => {
                    weights.for_each(|(weight, &byte)| *weight = table[usize::from(byte)]);
                }
            }
        }
        let decoded = &*decoded;
        core::array::from_fn(|c| &decoded[c * quads..][..quads])
    }

    /// `of` the weights that bytes spell, digit by digit; none where bytes are the weights.
    fn digits<T>(&self, of: impl Fn(i32) -> T) -> Vec<[T; 256]> {
        let alphabet = &self.shape.alphabet;
        match alphabet {
            Alphabet::Byte { .. } => vec![],
            Alphabet::Digits { per_byte, .. } => (0..*per_byte)
                .map(|digit| core::array::from_fn(|byte| of(alphabet.decode(byte as u8, digit, 0))))
                .collect(),
        }
    }

    /// The weights of a column, of whose bytes `digit` is read where they spell several.
    pub(super) fn decode<A: Operand>(
        &self,
        index: &[u8],
        digit: Option<&[A; 256]>,
        column: usize,
        weights: &mut [A],
    ) {
        let weights = weights.iter_mut().zip(index);
        match digit {
            None => {
                let offset = i64::from(self.least(column));
                weights.for_each(|(weight, &byte)| *weight = A::new(i64::from(byte) + offset));
            }
            Some(table) => {
                weights.for_each(|(weight, &byte)| *weight = table[usize::from(byte)]);
            }
        }
    }
}

/// The sum of bytes, wrapping.
fn sum(bytes: &[u8]) -> i32 {
    bytes.iter().fold(0i32, |sum, &byte| sum.wrapping_add(byte.into()))
}

/// A function of a byte.
#[derive(Debug, PartialEq)]
enum Digit {
    /// Some of its bits, from one on.
    Bits { shift: u32, mask: u8 },
    /// Any other.
    Of(Box<[u8; 256]>),
}

impl Digit {
    fn new(table: [u8; 256]) -> Self {
        let mask = table[255];
        let gives = |&shift: &u32| (0..=255u8).zip(table).all(|(b, of)| of == b >> shift & mask);
        let shift = (0..8).find(gives);
        shift.map_or_else(|| Self::Of(Box::new(table)), |shift| Self::Bits { shift, mask })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_of_a_byte_are_found() {
        let digit = |of: fn(u8) -> u8| Digit::new(core::array::from_fn(|byte| of(byte as u8)));
        assert_eq!(digit(|b| b >> 4), Digit::Bits { shift: 4, mask: 15 });
        assert_eq!(digit(|b| b >> 2 & 3), Digit::Bits { shift: 2, mask: 3 });
        assert_eq!(digit(|b| b & 1), Digit::Bits { shift: 0, mask: 1 });
        for of in [|b: u8| b % 3, |b: u8| 15 - (b >> 4)] {
            assert!(matches!(digit(of), Digit::Of(_)));
        }
    }
}
