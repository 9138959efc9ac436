//! Sums of functions of nibbles, byte by byte of their values or by tables for two nibbles.

use super::{ByteLanes, Lanes};
use crate::F128;
use crate::arch::prefetch_behind;
use crate::nibbles::{ByteRows, MOST_SLICES, Tables};

/// Positions at a time.
const RUN: usize = 64;

/// Whether [`Tables::Rows`] can be looked up in.
#[inline(always)]
pub(crate) fn has_byte_lanes<const N: usize>(isa: impl Lanes<N>) -> bool {
    isa.byte_lanes().is_some()
}

/// See [`NibbleSums::apply`](crate::NibbleSums::apply).
#[inline(always)]
pub(crate) fn nibble_sums<const N: usize, L: Lanes<N>>(
    isa: L,
    dst: &mut [F128],
    index: &[&[u8]],
    is_high: bool,
    tables: &Tables,
) {
    match tables {
        Tables::Pairs(pairs) => by_pairs(isa, dst, index, is_high, pairs),
        Tables::Rows(rows) => {
            if let Some(lanes) = isa.byte_lanes() {
                by_rows(lanes, dst, index, is_high, rows);
            }
        }
    }
}

#[inline(always)]
fn by_rows<B: ByteLanes>(
    lanes: B,
    dst: &mut [F128],
    index: &[&[u8]],
    is_high: bool,
    rows: &[ByteRows],
) {
    let (blocks, tail) = dst.as_chunks_mut::<RUN>();
    for (k, dst) in blocks.iter_mut().enumerate() {
        sum_block(lanes, dst, index, k * RUN, is_high, rows);
    }
    if !tail.is_empty() {
        let start = RUN * blocks.len();
        let mut rest = [[0; RUN]; MOST_SLICES];
        for (rest, slice) in rest.iter_mut().zip(index) {
            rest[..tail.len()].copy_from_slice(&slice[start..]);
        }
        let rest = rest.each_ref().map(|rest| &rest[..]);
        let mut sums = [F128::ZERO; RUN];
        sum_block(lanes, &mut sums, &rest[..index.len()], 0, is_high, rows);
        tail.copy_from_slice(&sums[..tail.len()]);
    }
}

#[inline(always)]
fn by_pairs<const N: usize, L: Lanes<N>>(
    isa: L,
    dst: &mut [F128],
    index: &[&[u8]],
    is_high: bool,
    pairs: &[[F128; 256]],
) {
    for (run, dst) in dst.chunks_mut(RUN).enumerate() {
        let mut joined = [[0; RUN]; MOST_SLICES / 2];
        let joined = &mut joined[..pairs.len()];
        for (joined, slices) in joined.iter_mut().zip(index.as_chunks::<2>().0) {
            let [first, second] = slices.map(|slice| &slice[run * RUN..][..dst.len()]);
            join(joined, first, second, is_high);
        }
        add_up(isa, dst, pairs, joined);
    }
}

/// The sums at positions from `start` on.
#[inline(always)]
fn sum_block<B: ByteLanes>(
    lanes: B,
    dst: &mut [F128; 64],
    index: &[&[u8]],
    start: usize,
    is_high: bool,
    rows: &[ByteRows],
) {
    let nibbles = |slice: &[u8]| {
        prefetch_behind(slice, start, 64);
        let bytes = lanes.load_bytes(&slice[start..].as_chunks().0[0]);
        lanes.spread(lanes.nibbles(bytes, is_high))
    };
    let mut sums = [lanes.load_bytes(&[0; 64]); 16];
    for ([a, b], [f, g]) in index.as_chunks::<2>().0.iter().zip(rows.as_chunks::<2>().0) {
        let (a, b) = (nibbles(a), nibbles(b));
        for (sum, (f, g)) in sums.iter_mut().zip(f.0.iter().zip(&g.0)) {
            let f = lanes.entries(lanes.load_bytes(f), a);
            let g = lanes.entries(lanes.load_bytes(g), b);
            *sum = lanes.xor_bytes(*sum, lanes.xor_bytes(f, g));
        }
    }
    lanes.store_block(bytemuck::cast_mut(dst), lanes.transpose(sums));
}

/// A nibble of both bytes, the second's above the first's.
#[inline(always)]
fn join(out: &mut [u8; RUN], first: &[u8], second: &[u8], is_high: bool) {
    let joined = out.iter_mut().zip(first.iter().zip(second));
    if is_high {
        joined.for_each(|(out, (&a, &b))| *out = a >> 4 | b & 0xf0);
    } else {
        joined.for_each(|(out, (&a, &b))| *out = a & 0xf | b << 4);
    }
}

/// `dst[i] = sum_k pairs[k][joined[k][i]]`.
#[inline(always)]
fn add_up<const N: usize, L: Lanes<N>>(
    isa: L,
    dst: &mut [F128],
    pairs: &[[F128; 256]],
    joined: &[[u8; RUN]],
) {
    let (vectors, tail) = dst.as_chunks_mut::<N>();
    let whole = N * vectors.len();
    for (k, dst) in vectors.iter_mut().enumerate() {
        let mut sum = isa.load(&[F128::ZERO; N]);
        for (pair, joined) in pairs.iter().zip(joined) {
            sum = isa.add(sum, isa.look_up(pair, &joined.as_chunks().0[k]));
        }
        isa.store(dst, sum);
    }
    for (i, dst) in (whole..).zip(tail) {
        let entries = pairs.iter().zip(joined);
        *dst = entries.map(|(pair, joined)| pair[usize::from(joined[i])]).sum();
    }
}
