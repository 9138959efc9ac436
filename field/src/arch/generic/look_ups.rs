//! Products of elements that are looked up.

use super::bits::{ask_for, look_up_two};
use super::two_rounds::{BLOCK, Sums, grid_block, padded, reduce};
use super::{Lanes, gather, mul_one};
use crate::F128;
use crate::kernels::Corner;

/// Rows from which tables are asked for.
const ASKED: usize = 256;

/// `dst[i] = tables[0][index[0][i]] * tables[1][index[1][i]]`.
#[inline(always)]
pub(crate) fn gather_products<const N: usize, L: Lanes<N>>(
    isa: L,
    dst: &mut [F128],
    tables: [&[F128; 256]; 2],
    index: [&[u8]; 2],
) {
    if dst.len() >= ASKED {
        tables.into_iter().for_each(|table| ask_for(isa, table));
    }
    look_up_two(isa, dst, tables, index, |a, b| isa.mul(a, b), |a, b| mul_one(isa, a, b));
}

/// See [`kernels::gather_grid`](crate::kernels::gather_grid).
#[inline(always)]
pub(crate) fn gather_grid<const N: usize, L: Lanes<N>>(
    isa: L,
    w: &[F128],
    tables: [&[F128; 256]; 8],
    index: [&[u8]; 8],
    corner: Corner,
) -> [F128; 8] {
    let mut sums: Sums<L::Wide> = [isa.zero_wide(); 8];
    let mut weighted = [[[F128::ZERO; N]; 5]; BLOCK];
    let mut values = [[[F128::ZERO; N]; BLOCK]; 8];
    if w.len() >= ASKED {
        tables.into_iter().for_each(|table| ask_for(isa, table));
    }
    for (block, w) in w.chunks(N * BLOCK).enumerate() {
        let start = block * N * BLOCK;
        for ((values, table), index) in values.iter_mut().zip(tables).zip(index) {
            let values = &mut values.as_flattened_mut()[..w.len()];
            gather(isa, values, table, &index[start..][..w.len()]);
        }
        let (vectors, tail) = w.as_chunks::<N>();
        let n = vectors.len();
        let [a00, b00, a10, b10, a01, b01, a11, b11] = values.each_ref().map(|v| &v[..n]);
        let (a, b) = ([a00, a10, a01, a11], [b00, b10, b01, b11]);
        sums = grid_block(isa, sums, &mut weighted, vectors, a, b, corner);
        if !tail.is_empty() {
            // What is beyond the last row has the weight zero.
            let [a00, b00, a10, b10, a01, b01, a11, b11] = values.each_ref().map(|v| &v[n..=n]);
            let (a, b) = ([a00, a10, a01, a11], [b00, b10, b01, b11]);
            sums = grid_block(isa, sums, &mut weighted, &padded(tail), a, b, corner);
        }
    }
    reduce(isa, sums)
}
