//! Products of elements that are looked up.

use super::bits::{ask_for, look_up_two};
use super::{Lanes, mul_one};
use crate::F128;
use crate::aligned::Aligned;
use crate::arch::{prefetch_ahead, prefetch_lines};

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
    look_up_two(isa, dst, tables, index, &[], |a, b| isa.mul(a, b), |a, b| mul_one(isa, a, b));
}

/// See [`kernels::gather_four_products`](crate::kernels::gather_four_products).
#[inline(always)]
pub(crate) fn gather_four_products<const N: usize, L: Lanes<N>>(
    isa: L,
    dst: &mut [F128],
    tables: [&[F128; 256]; 4],
    index: [&[u8]; 4],
    ahead: &[&[u8]],
) {
    let [t0, t1, t2, t3] = tables;
    let ([i0, i1, i2, i3], (dst, dst_tail)) = (index, dst.as_chunks_mut::<N>());
    let (i0, tail0) = i0.as_chunks::<N>();
    let (i1, tail1) = i1.as_chunks::<N>();
    let (i2, tail2) = i2.as_chunks::<N>();
    let (i3, tail3) = i3.as_chunks::<N>();
    let index = i0.iter().zip(i1).zip(i2.iter().zip(i3));
    for (k, (d, ((i0, i1), (i2, i3)))) in dst.iter_mut().zip(index).enumerate() {
        prefetch_ahead(d);
        prefetch_lines(ahead, N * k);
        let first = isa.mul(isa.look_up(t0, i0), isa.look_up(t1, i1));
        let second = isa.mul(isa.look_up(t2, i2), isa.look_up(t3, i3));
        isa.store(d, isa.mul(first, second));
    }
    let index = tail0.iter().zip(tail1).zip(tail2.iter().zip(tail3));
    for (d, ((&i0, &i1), (&i2, &i3))) in dst_tail.iter_mut().zip(index) {
        let first = mul_one(isa, t0[usize::from(i0)], t1[usize::from(i1)]);
        let second = mul_one(isa, t2[usize::from(i2)], t3[usize::from(i3)]);
        *d = mul_one(isa, first, second);
    }
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
