//! The additive NTT of many rows at once, rows interleaved, blocked for the caches.
//!
//! Symbols at one position are neighbours, so a butterfly acts on runs of at least `n_rows` elements.
//! A transform that exceeds the cache runs in passes: some of its top layers on columns, which are
//! narrow enough to stay in cache, then the rest on the blocks that are left.

use core::ops::Deref;

use binfer_field::{F128, kernels};
use binfer_iop::buffer::Buffer;
use rayon::prelude::*;

use crate::{Shape, code};

/// Elements of a block that a core's second-level cache holds.
const BLOCK: usize = 1 << 15;
/// Elements of a block that a core's first-level cache holds.
const SMALL_BLOCK: usize = 1 << 11;
/// Most layers that one pass over columns does.
const PASS_LAYERS: u32 = 6;
/// Elements of one run of a column.
const RUN: usize = 1 << 8;

/// The Reed-Solomon codewords of all rows of `words` by the additive NTT, interleaved: element
/// `x * n_rows + row` is symbol `x` of that row's codeword of `2^(log_row + log_inv_rate)` symbols
/// (Lin, Chung and Han 2014; DP24, section 2.3).
///
/// # Panics
/// If `words` are not `shape.n_words()`.
pub fn encode(words: &[F128], shape: Shape, log_inv_rate: u32) -> impl Deref<Target = [F128]> {
    assert_eq!(words.len(), shape.n_words());
    encode_rows(words, shape, log_inv_rate)
}

/// The codewords of all rows of `words`, interleaved: element `x * n_rows + row` is symbol `x` of
/// that row's codeword.
pub(super) fn encode_rows(words: &[F128], shape: Shape, log_inv_rate: u32) -> Buffer {
    let n_rows = shape.n_rows;
    let mut codeword = Buffer::unspecified(words.len() << log_inv_rate);
    if words.is_empty() {
        return codeword;
    }
    // The top layers meet zeros and copy the message into each of the cosets.
    let cosets = codeword.par_chunks_exact_mut(words.len()).enumerate();
    cosets.for_each(|(coset, block)| encode_block(words, n_rows, coset, block));
    codeword
}

/// Block `k` of the codewords of all rows of `words`, counted in blocks of a row's length and interleaved.
pub(super) fn encode_block(words: &[F128], n_rows: usize, k: usize, block: &mut [F128]) {
    let log_length = (block.len() / n_rows).ilog2().min(SMALL_BLOCK.ilog2());
    let twiddles = &code::twiddles(log_length.saturating_sub(1));
    Ntt { n_rows, twiddles }.transform(block, k, Some(words));
}

struct Ntt<'a> {
    n_rows: usize,
    /// The twiddles of the first blocks. Those of `2^i` blocks from a multiple of `2^i` on are the first
    /// ones plus the twiddle of that multiple, since twiddles are linear in the bits of a number.
    twiddles: &'a [F128],
}

impl Ntt<'_> {
    /// Transforms one block, number `k` of its size; with `source`, of its rows instead.
    fn transform(&self, block: &mut [F128], k: usize, source: Option<&[F128]>) {
        let length = block.len() / self.n_rows;
        if block.len() <= BLOCK || length == 1 {
            if let Some(words) = source {
                self.load(block, 0, words, length);
            }
            return self.transform_in_cache(block, k);
        }
        let excess = (block.len() / BLOCK).next_power_of_two().ilog2().max(1);
        let layers = excess.min(PASS_LAYERS).min(length.ilog2());
        let segment = block.len() >> layers;
        let run = (RUN / self.n_rows).max(1).next_power_of_two() * self.n_rows;
        let run = run.min(segment);

        let mut columns: Vec<Vec<&mut [F128]>> =
            (0..segment / run).map(|_| Vec::with_capacity(1 << layers)).collect();
        for segment in block.chunks_exact_mut(segment) {
            for (column, run) in columns.iter_mut().zip(segment.chunks_exact_mut(run)) {
                column.push(run);
            }
        }
        columns.into_par_iter().enumerate().for_each(|(i, mut column)| {
            if let Some(words) = source {
                for (j, part) in column.iter_mut().enumerate() {
                    let position = (j * segment + i * run) / self.n_rows;
                    self.load(part, position, words, length);
                }
            }
            self.transform_column(&mut column, k);
        });
        block
            .par_chunks_exact_mut(segment)
            .enumerate()
            .for_each(|(i, part)| self.transform(part, (k << layers) + i, None));
    }

    /// Interleaves the rows' words from `position` on.
    fn load(&self, part: &mut [F128], position: usize, words: &[F128], length: usize) {
        if self.n_rows == 1 {
            part.copy_from_slice(&words[position..][..part.len()]);
            return;
        }
        let n_words = part.len() / self.n_rows;
        let rows = words.chunks_exact(length).map(|row| &row[position..][..n_words]);
        let rows: Vec<&[F128]> = rows.collect();
        for (i, symbols) in part.chunks_exact_mut(self.n_rows).enumerate() {
            for (symbol, row) in symbols.iter_mut().zip(&rows) {
                *symbol = row[i];
            }
        }
    }

    /// The top `log2(column.len())` layers of block `k`, of which `column` holds one run a segment.
    fn transform_column(&self, column: &mut [&mut [F128]], k: usize) {
        let mut half = column.len() / 2;
        let mut first = k;
        while half > 0 {
            let offset = code::twiddle(first);
            for (runs, &t) in column.chunks_exact_mut(2 * half).zip(self.twiddles) {
                let (lo, hi) = runs.split_at_mut(half);
                for (lo, hi) in lo.iter_mut().zip(hi) {
                    kernels::butterfly(lo, hi, t + offset);
                }
            }
            half /= 2;
            first *= 2;
        }
    }

    /// All layers of block `k`, depth first down to what the first-level cache holds.
    fn transform_in_cache(&self, block: &mut [F128], k: usize) {
        if block.len() == self.n_rows {
            return;
        }
        if block.len() > SMALL_BLOCK && block.len() >= 4 * self.n_rows {
            let (lo, hi) = block.split_at_mut(block.len() / 2);
            kernels::butterfly(lo, hi, code::twiddle(k));
            self.transform_in_cache(lo, 2 * k);
            self.transform_in_cache(hi, 2 * k + 1);
            return;
        }
        let mut half = block.len() / 2;
        let mut n_blocks = 1;
        while half >= self.n_rows {
            let offset = code::twiddle(k * n_blocks);
            kernels::butterflies(block, half, &self.twiddles[..n_blocks], offset);
            half /= 2;
            n_blocks *= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    fn check(log_row: u32, n_rows: usize, rate: u32, seed: u64) {
        let mut rng = StdRng::seed_from_u64(seed);
        let words: Vec<F128> = (0..n_rows << log_row).map(|_| F128::random(&mut rng)).collect();
        let codeword = encode_rows(&words, Shape { log_row, n_rows }, rate);
        for (row, message) in words.chunks(1 << log_row).enumerate() {
            let symbols: Vec<F128> = codeword[row..].iter().step_by(n_rows).copied().collect();
            assert_eq!(symbols, code::encode(message, rate), "row {row}");
        }
    }

    proptest! {
        #[test]
        fn rows_are_encoded(log_row in 0u32..9, n_rows in 0usize..20, rate in 1u32..3, seed: u64) {
            check(log_row, n_rows, rate, seed);
        }
    }

    #[test]
    fn long_rows_are_encoded() {
        check(17, 1, 1, 1);
        check(14, 5, 2, 2);
        check(9, 300, 1, 3);
    }
}
