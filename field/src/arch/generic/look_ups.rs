//! Products of elements that are looked up.

use super::bits::{ask_for, look_up_two};
use super::two_rounds::{BLOCK, Sums, grid_block, padded, reduce};
use super::{Lanes, gather, mul_one};
use crate::F128;
use crate::aligned::Aligned;
use crate::arch::prefetch_ahead;
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

/// `dst[i] = sum_k tables[2 k][index[2 k][i]] * tables[2 k + 1][index[2 k + 1][i]]`.
#[inline(always)]
pub(crate) fn gather_four_products<const N: usize, L: Lanes<N>>(
    isa: L,
    dst: &mut [F128],
    tables: [&[F128; 256]; 8],
    index: [&[u8]; 8],
) {
    let mut values = [[[F128::ZERO; N]; BLOCK]; 8];
    if dst.len() >= ASKED {
        tables.into_iter().for_each(|table| ask_for(isa, table));
    }
    for (block, dst) in dst.chunks_mut(N * BLOCK).enumerate() {
        gather_block(isa, &mut values, tables, index, block, dst.len());
        let (dst, tail) = dst.as_chunks_mut::<N>();
        for (i, dst) in dst.iter_mut().enumerate() {
            prefetch_ahead(dst);
            isa.store(dst, sum_of_four(isa, &values, i));
        }
        if !tail.is_empty() {
            isa.store_part(tail, sum_of_four(isa, &values, dst.len()));
        }
    }
}

/// The first `n` rows of a block of eight columns that are looked up.
#[inline(always)]
fn gather_block<const N: usize>(
    isa: impl Lanes<N>,
    values: &mut [[[F128; N]; BLOCK]; 8],
    tables: [&[F128; 256]; 8],
    index: [&[u8]; 8],
    block: usize,
    n: usize,
) {
    for ((values, table), index) in values.iter_mut().zip(tables).zip(index) {
        let index = &index[block * N * BLOCK..][..n];
        gather(isa, &mut values.as_flattened_mut()[..n], table, index);
    }
}

/// The sum of four products of vectors, of each two values vector `i`.
#[inline(always)]
fn sum_of_four<const N: usize, L: Lanes<N>>(
    isa: L,
    values: &[[[F128; N]; BLOCK]; 8],
    i: usize,
) -> L::Vector {
    let mut sum = isa.zero_wide();
    for k in 0..4 {
        let (a, b) = (isa.load(&values[2 * k][i]), isa.load(&values[2 * k + 1][i]));
        sum = isa.add_wide(sum, isa.mul_wide(a, b));
    }
    isa.reduce(sum)
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
        gather_block(isa, &mut values, tables, index, block, w.len());
        let (vectors, tail) = w.as_chunks::<N>();
        let n = vectors.len();
        let [a00, b00, a10, b10, a01, b01, a11, b11] = values.each_ref().map(|v| &v[..n]);
        let (a, b) = ([a00, a10, a01, a11], [b00, b10, b01, b11]);
        sums = grid_block::<false, N, L>(isa, sums, &mut weighted, vectors, a, b, corner);
        if !tail.is_empty() {
            // What is beyond the last row has the weight zero.
            let [a00, b00, a10, b10, a01, b01, a11, b11] = values.each_ref().map(|v| &v[n..=n]);
            let (a, b) = ([a00, a10, a01, a11], [b00, b10, b01, b11]);
            sums = grid_block::<false, N, L>(isa, sums, &mut weighted, &padded(tail), a, b, corner);
        }
    }
    reduce(isa, sums)
}

/// For each low nibble of a byte, the sums of the values of the high nibbles beside it, each of one of four bytes.
type Rows = [[F128; 4]; 16];

/// See [`kernels::nibble_products`](crate::kernels::nibble_products).
#[inline(always)]
pub(crate) fn nibble_products<const N: usize, L: Lanes<N>>(
    isa: L,
    low: &[F128; 16],
    high: &[[F128; 16]],
    index: [&[u8]; 4],
) -> [[F128; 4]; 4] {
    // A row is one register and one line of the cache.
    let mut rows = Aligned([[[F128::ZERO; 4]; 16]; 4]);
    let [i0, i1, i2, i3] = index;
    for ((high, (&i0, &i1)), (&i2, &i3)) in
        high.iter().zip(i0.iter().zip(i1)).zip(i2.iter().zip(i3))
    {
        add_to_rows(isa, &mut rows.0, high, [i0, i1, i2, i3]);
    }
    let [r0, r1, r2, r3] = &rows.0;
    [weigh(isa, low, r0), weigh(isa, low, r1), weigh(isa, low, r2), weigh(isa, low, r3)]
}

/// Adds the values of four high nibbles to the rows of the low ones beside them.
#[inline(always)]
fn add_to_rows<const N: usize, L: Lanes<N>>(
    isa: L,
    rows: &mut [Rows; 4],
    high: &[F128; 16],
    bytes: [u8; 4],
) {
    let values = bytes.map(|byte| &high[usize::from(byte >> 4)]);
    for (k, &values) in values.as_chunks::<N>().0.iter().enumerate() {
        let values = isa.load_each(values);
        for (rows, byte) in rows.iter_mut().zip(bytes) {
            let part = &mut rows[usize::from(byte & 0xf)].as_chunks_mut::<N>().0[k];
            isa.store(part, isa.add(isa.load(part), values));
        }
    }
}

/// The sum of rows, each times an element.
#[inline(always)]
fn weigh<const N: usize, L: Lanes<N>>(isa: L, weights: &[F128; 16], rows: &Rows) -> [F128; 4] {
    let mut sums = [F128::ZERO; 4];
    for (k, sums) in sums.as_chunks_mut::<N>().0.iter_mut().enumerate() {
        let mut total = isa.zero_wide();
        for (&weight, row) in weights.iter().zip(rows) {
            let part = isa.load(&row.as_chunks::<N>().0[k]);
            total = isa.add_wide(total, isa.mul_wide(part, isa.load(&[weight; N])));
        }
        isa.store(sums, isa.reduce(total));
    }
    sums
}
