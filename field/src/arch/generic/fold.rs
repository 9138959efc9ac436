//! Binding one variable of a multilinear to a field element.

use super::{Lanes, mul_one};
use crate::F128;
use crate::arch::prefetch_ahead;

/// Elements of slices that are so long that they hardly lie in a cache.
const FAR: usize = 1 << 13;

/// `lo[i] += r * (lo[i] + hi[i])`.
#[inline(always)]
pub(crate) fn fold<const N: usize>(isa: impl Lanes<N>, lo: &mut [F128], hi: &[F128], r: F128) {
    let factor = isa.prepare(r);
    let (l, l_tail) = lo.as_chunks_mut::<N>();
    let (h, h_tail) = hi.as_chunks::<N>();
    let is_far = l.len() >= FAR / N;
    for (l, h) in l.iter_mut().zip(h) {
        if is_far {
            prefetch_ahead(l);
            prefetch_ahead(h);
        }
        let (low, high) = (isa.load(l), isa.load(h));
        isa.store(l, isa.add(low, isa.mul_factor(isa.add(low, high), factor)));
    }
    if !l_tail.is_empty() {
        let (low, high) = (isa.load_part(l_tail), isa.load_part(h_tail));
        isa.store_part(l_tail, isa.add(low, isa.mul_factor(isa.add(low, high), factor)));
    }
}

/// `dst[i] = lo[i] + r * (lo[i] + hi[i])`.
#[inline(always)]
pub(crate) fn fold_into<const N: usize>(
    isa: impl Lanes<N>,
    dst: &mut [F128],
    lo: &[F128],
    hi: &[F128],
    r: F128,
) {
    let factor = isa.prepare(r);
    let (d, d_tail) = dst.as_chunks_mut::<N>();
    let (l, l_tail) = lo.as_chunks::<N>();
    let (h, h_tail) = hi.as_chunks::<N>();
    for ((d, l), h) in d.iter_mut().zip(l).zip(h) {
        let (low, high) = (isa.load(l), isa.load(h));
        isa.store(d, isa.add(low, isa.mul_factor(isa.add(low, high), factor)));
    }
    if !d_tail.is_empty() {
        let (low, high) = (isa.load_part(l_tail), isa.load_part(h_tail));
        isa.store_part(d_tail, isa.add(low, isa.mul_factor(isa.add(low, high), factor)));
    }
}

/// `dst[i] = src[2i] + r * (src[2i] + src[2i + 1])`.
#[inline(always)]
pub(crate) fn fold_adjacent<const N: usize>(
    isa: impl Lanes<N>,
    dst: &mut [F128],
    src: &[F128],
    r: F128,
) {
    let factor = isa.prepare(r);
    let (d, d_tail) = dst.as_chunks_mut::<N>();
    let (s, s_tail) = src.split_at(2 * N * d.len());
    let (s, _) = s.as_chunks::<N>();
    for (d, s) in d.iter_mut().zip(s.as_chunks::<2>().0) {
        let (even, odd) = isa.deinterleave(isa.load(&s[0]), isa.load(&s[1]));
        isa.store(d, isa.add(even, isa.mul_factor(isa.add(even, odd), factor)));
    }
    for (d, s) in d_tail.iter_mut().zip(s_tail.as_chunks::<2>().0) {
        *d = s[0] + mul_one(isa, s[0] + s[1], r);
    }
}
