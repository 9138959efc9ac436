//! Sums of functions of nibbles.

use crate::aligned::Aligned;
use crate::arch::dispatch::{self, Backend};
use crate::{F128, count};

/// Slices whose nibbles are looked up together, at most.
pub(crate) const MOST_SLICES: usize = 16;

/// A function's values by the bytes they consist of: row `j` has byte `j` of each value, once for each lane of a register.
pub(crate) type ByteRows = Aligned<[[u8; 64]; 16]>;

/// Positions from which it is worth it to take functions' values apart.
const WORTH_ROWS: usize = 1 << 11;

/// Functions of a nibble, one for each of some slices of bytes.
pub struct NibbleSums {
    backend: Backend,
    tables: Tables,
}

/// What nibbles are looked up in.
pub(crate) enum Tables {
    /// For each two slices, the sum of their functions' values by the byte that has the first's nibble below the second's.
    Pairs(Vec<[F128; 256]>),
    /// For each slice, on a backend that has byte lanes.
    Rows(Vec<ByteRows>),
}

impl NibbleSums {
    /// Of `functions[p]` for slice `p`, made for sums at about `n` positions.
    ///
    /// # Panics
    /// Unless they are an even number from two to sixteen.
    pub fn new(functions: &[[F128; 16]], n: usize) -> Self {
        Self::on(Backend::current(), functions, n)
    }

    /// [`Self::new`] on a backend of choice.
    pub(crate) fn on(backend: Backend, functions: &[[F128; 16]], n: usize) -> Self {
        assert!(functions.len().is_multiple_of(2) && (2..=MOST_SLICES).contains(&functions.len()));
        let _counted = count::kernel(128 * functions.len(), 0, 0, 1);
        let tables = if n >= WORTH_ROWS && dispatch::has_byte_lanes(backend) {
            Tables::Rows(functions.iter().map(byte_rows).collect())
        } else {
            Tables::Pairs(functions.as_chunks().0.iter().map(pair).collect())
        };
        Self { backend, tables }
    }

    /// `dst[i]` is the sum over `p` of what the function of slice `p` has for the low nibble of `index[p][i]`, or the high one. As much as a
    /// slice takes is fetched from behind it meanwhile, which will be read next.
    ///
    /// # Panics
    /// Where there are not as many slices as functions, or they are not as long as `dst`.
    pub fn apply(&self, dst: &mut [F128], index: &[&[u8]], is_high: bool) {
        let n_functions = match &self.tables {
            Tables::Pairs(pairs) => 2 * pairs.len(),
            Tables::Rows(rows) => rows.len(),
        };
        assert_eq!(index.len(), n_functions);
        assert!(index.iter().all(|bytes| bytes.len() == dst.len()));
        let _counted = count::kernel(dst.len(), 0, 0, n_functions as u32 / 2 - 1);
        dispatch::nibble_sums(self.backend, dst, index, is_high, &self.tables);
    }
}

/// The sums of both functions' values.
fn pair([low, high]: &[[F128; 16]; 2]) -> [F128; 256] {
    let mut pair = [F128::ZERO; 256];
    for (row, &high) in pair.as_chunks_mut::<16>().0.iter_mut().zip(high) {
        *row = low.map(|low| low + high);
    }
    pair
}

/// The bytes of sixteen elements transposed: blocks of eight, four, two bytes and one change places across the diagonal.
fn byte_rows(function: &[F128; 16]) -> ByteRows {
    let mut rows = function.map(F128::to_bits);
    for size in [8, 4, 2, 1] {
        let low = u128::MAX / ((1 << (8 * size)) + 1);
        for block in rows.chunks_exact_mut(2 * size) {
            let (top, bottom) = block.split_at_mut(size);
            for (top, bottom) in top.iter_mut().zip(bottom) {
                let swapped = (*top >> (8 * size) ^ *bottom) & low;
                *bottom ^= swapped;
                *top ^= swapped << (8 * size);
            }
        }
    }
    Aligned(rows.map(|row| bytemuck::cast([row.to_le_bytes(); 4])))
}
