//! Matmuls of matrices that are nearly all zero, such as one-hot rows: the others one by one.

use super::MatMul;
use rayon::prelude::*;
use std::ops::Range;

/// A matrix of which at most one element in so many is not zero is sparse.
const SPARSE: usize = 32;

/// An element that is not zero.
pub(super) struct Entry {
    /// The feature.
    k: usize,
    row: usize,
    value: i64,
}

impl MatMul<'_> {
    /// The elements that are not zero of a matrix `[feature][row]` of codes with `rows` rows, if it is sparse.
    pub(super) fn sparse(&self, codes: &[u8], rows: usize) -> Option<Vec<Entry>> {
        let zero = self.zero_code;
        let most = codes.len() / SPARSE;
        if codes.iter().filter(|&&code| code != zero).count() > most {
            return None;
        }
        let mut entries = Vec::with_capacity(most);
        for (k, column) in codes.chunks(rows.max(1)).enumerate() {
            for (row, &code) in column.iter().enumerate().filter(|&(_, &code)| code != zero) {
                entries.push(Entry { k, row, value: i64::from(code) - i64::from(zero) });
            }
        }
        Some(entries)
    }

    /// [`Self::fill_matrix`] of these elements.
    pub(super) fn fill_sparse(&self, entries: &[Entry], at: Range<usize>, y: &mut [i64]) {
        let (k, rows, alphabet) = (self.shape.k, self.rows, &self.shape.alphabet);
        let per_byte = alphabet.per_byte();
        y.par_chunks_mut(rows).enumerate().for_each_init(
            || vec![0i64; at.len()],
            |sums, (column, out)| {
                sums.fill(self.bias(column));
                let index = &self.matrix.index[column / per_byte * k..][..k];
                for entry in entries {
                    let weight = alphabet.decode(index[entry.k], column % per_byte, column);
                    sums[entry.row] += entry.value * i64::from(weight);
                }
                out[at.clone()].copy_from_slice(sums);
            },
        );
    }
}
