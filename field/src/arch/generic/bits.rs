//! Bucket accumulation, table look-up and bit planes.

use core::array;

use super::Lanes;
use crate::F128;
use crate::arch::{prefetch_ahead, prefetch_lines};

/// `bins[index[i]] += weights[i]`.
#[inline(always)]
pub(crate) fn histogram<const N: usize>(
    isa: impl Lanes<N>,
    bins: &mut [F128],
    index: &[u8],
    weights: &[F128],
) {
    let (index, index_tail) = index.as_chunks::<8>();
    let (weights, weights_tail) = weights.as_chunks::<8>();
    match <&mut [F128; 256]>::try_from(&mut *bins) {
        Ok(bins) => {
            for (index, weights) in index.iter().zip(weights) {
                let mut index = eight(index);
                for weight in weights {
                    add_to(isa.one(), &mut bins[index as usize & 0xff], weight);
                    index >>= 8;
                }
            }
        }
        Err(_) => {
            for (&i, &w) in index.as_flattened().iter().zip(weights.as_flattened()) {
                bins[usize::from(i)] += w;
            }
        }
    }
    for (&i, &w) in index_tail.iter().zip(weights_tail) {
        bins[usize::from(i)] += w;
    }
}

/// `*bin += weight` in a register of its size: not by halves.
#[inline(always)]
fn add_to(one: impl Lanes<1>, bin: &mut F128, weight: &F128) {
    let sum = one.add(one.load(array::from_ref(bin)), one.load(array::from_ref(weight)));
    one.store(array::from_mut(bin), sum);
}

/// `bins[k][index[i][first + k]] += weights[i]`.
#[inline(always)]
pub(crate) fn block_histograms<const N: usize>(
    isa: impl Lanes<N>,
    bins: &mut [[F128; 256]; 8],
    index: &[[u8; 16]],
    first: usize,
    weights: &[F128],
) {
    for (block, weight) in index.iter().zip(weights) {
        let mut index = block[first..].first_chunk().map_or(0, eight);
        for bins in bins.iter_mut() {
            add_to(isa.one(), &mut bins[index as usize & 0xff], weight);
            index >>= 8;
        }
    }
}

/// Eight indices in one word: opaque, so that they are taken apart in general registers, where addresses are made.
#[inline(always)]
fn eight(index: &[u8; 8]) -> u64 {
    core::hint::black_box(u64::from_le_bytes(*index))
}

/// Asks for a whole table at once, line by line: its misses do not wait for each other.
#[inline(always)]
pub(super) fn ask_for<const N: usize>(isa: impl Lanes<N>, table: &[F128; 256]) {
    let one = isa.one();
    let lines = table.as_chunks::<4>().0.iter();
    let sum = lines.fold(one.load(&[F128::ZERO]), |sum, [first, ..]| {
        one.add(sum, one.load(array::from_ref(first)))
    });
    core::hint::black_box(one.sum(sum));
}

/// `dst[i] = table[index[i]]`.
#[inline(always)]
pub(crate) fn gather<const N: usize>(
    isa: impl Lanes<N>,
    dst: &mut [F128],
    table: &[F128],
    index: &[u8],
) {
    let Ok(table) = <&[F128; 256]>::try_from(table) else {
        for (d, &i) in dst.iter_mut().zip(index) {
            *d = table[usize::from(i)];
        }
        return;
    };
    if index.len() >= 2 * table.len() {
        ask_for(isa, table);
    }
    let (dst, dst_tail) = dst.as_chunks_mut::<N>();
    let (index, index_tail) = index.as_chunks::<N>();
    for (d, i) in dst.iter_mut().zip(index) {
        isa.store(d, isa.look_up(table, i));
    }
    for (d, &i) in dst_tail.iter_mut().zip(index_tail) {
        *d = table[usize::from(i)];
    }
}

/// `dst[i] = tables[0][index[0][i]] + tables[1][index[1][i]]`.
#[inline(always)]
pub(crate) fn gather_two<const N: usize, L: Lanes<N>>(
    isa: L,
    dst: &mut [F128],
    tables: [&[F128; 256]; 2],
    index: [&[u8]; 2],
    ahead: &[&[u8]],
) {
    look_up_two(isa, dst, tables, index, ahead, |a, b| isa.add(a, b), |a, b| a + b);
}

/// What `vector`, or `one` of single elements, makes of the entries of two tables.
#[inline(always)]
pub(super) fn look_up_two<const N: usize, L: Lanes<N>>(
    isa: L,
    dst: &mut [F128],
    [t0, t1]: [&[F128; 256]; 2],
    index: [&[u8]; 2],
    ahead: &[&[u8]],
    vector: impl Fn(L::Vector, L::Vector) -> L::Vector,
    one: impl Fn(F128, F128) -> F128,
) {
    let (dst, dst_tail) = dst.as_chunks_mut::<N>();
    let [(i0, tail0), (i1, tail1)] = index.map(|i| i.as_chunks::<N>());
    for (k, (d, (i0, i1))) in dst.iter_mut().zip(i0.iter().zip(i1)).enumerate() {
        prefetch_ahead(d);
        prefetch_lines(ahead, N * k);
        isa.store(d, vector(isa.look_up(t0, i0), isa.look_up(t1, i1)));
    }
    for (d, (&i0, &i1)) in dst_tail.iter_mut().zip(tail0.iter().zip(tail1)) {
        *d = one(t0[usize::from(i0)], t1[usize::from(i1)]);
    }
}

/// Bit `plane` of each byte, packed least significant bit first.
#[inline(always)]
pub(crate) fn pack_plane<const N: usize>(
    isa: impl Lanes<N>,
    dst: &mut [F128],
    bytes: &[u8],
    plane: u32,
) {
    let (words, tail) = bytes.as_chunks::<128>();
    let (d, d_tail) = dst.split_at_mut(words.len());
    for (d, word) in d.iter_mut().zip(words) {
        *d = pack_word(isa, word, plane);
    }
    if let [d, ..] = d_tail {
        let mut word = [0; 128];
        word[..tail.len()].copy_from_slice(tail);
        *d = pack_word(isa, &word, plane);
    }
}

/// Words of a run of which all planes are packed before the next: its bytes stay in the first cache.
const PACKED: usize = 1 << 5;

/// All eight planes in one pass over the bytes.
#[inline(always)]
pub(crate) fn pack_planes<const N: usize>(
    isa: impl Lanes<N>,
    mut planes: [&mut [F128]; 8],
    bytes: &[u8],
) {
    let (words, tail) = bytes.as_chunks::<128>();
    for (run, words) in words.chunks(PACKED).enumerate() {
        for (plane, dst) in (0..).zip(&mut planes) {
            for (d, word) in dst[run * PACKED..].iter_mut().zip(words) {
                *d = pack_word(isa, word, plane);
            }
        }
    }
    let mut last = [0; 128];
    last[..tail.len()].copy_from_slice(tail);
    for (plane, dst) in (0..).zip(planes) {
        if let Some(d) = dst.get_mut(words.len()) {
            *d = pack_word(isa, &last, plane);
        }
    }
}

/// Transposes 128 x 128 bits: in seven steps, blocks of 64, 32, ... 1 bits change places across
/// the diagonal of the block twice as large that holds them.
#[inline(always)]
pub(crate) fn transpose<const N: usize>(_isa: impl Lanes<N>, rows: &mut [F128; 128]) {
    let rows: &mut [[u64; 2]; 128] = bytemuck::cast_mut(rows);
    let (top, bottom) = rows.split_at_mut(64);
    for (top, bottom) in top.iter_mut().zip(bottom) {
        core::mem::swap(&mut top[1], &mut bottom[0]);
    }
    // Were the sizes known to the compiler, it would unroll all six steps into 64 exchanges each.
    let mut size = core::hint::black_box(32);
    while size > 0 {
        exchange(rows, size);
        size /= 2;
    }
}

/// Exchanges the upper right and the lower left block of `size` bits of each block twice as large.
#[inline(always)]
fn exchange(rows: &mut [[u64; 2]; 128], size: usize) {
    let low = u64::MAX / ((1 << size) + 1);
    for block in rows.chunks_exact_mut(2 * size) {
        let (top, bottom) = block.split_at_mut(size);
        for (top, bottom) in top.as_flattened_mut().iter_mut().zip(bottom.as_flattened_mut()) {
            let swapped = (*top >> size ^ *bottom) & low;
            *bottom ^= swapped;
            *top ^= swapped << size;
        }
    }
}

#[inline(always)]
fn pack_word<const N: usize>(isa: impl Lanes<N>, bytes: &[u8; 128], plane: u32) -> F128 {
    let (halves, _) = bytes.as_chunks::<64>();
    let low = isa.plane(&halves[0], plane);
    let high = isa.plane(&halves[1], plane);
    F128::new(u128::from(low) | u128::from(high) << 64)
}
