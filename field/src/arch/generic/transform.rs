//! Butterflies and the doubling step of eq tables.

use super::Lanes;
use crate::F128;

/// `lo[i] += twiddle * hi[i]`, then `hi[i] += lo[i]`.
#[inline(always)]
pub(crate) fn butterfly<const N: usize>(
    isa: impl Lanes<N>,
    lo: &mut [F128],
    hi: &mut [F128],
    twiddle: F128,
) {
    butterfly_by(isa, lo, hi, isa.prepare(twiddle));
}

/// [`butterfly`] by a prepared twiddle.
#[inline(always)]
fn butterfly_by<const N: usize, L: Lanes<N>>(
    isa: L,
    lo: &mut [F128],
    hi: &mut [F128],
    factor: L::Factor,
) {
    let (l, l_tail) = lo.as_chunks_mut::<N>();
    let (h, h_tail) = hi.as_chunks_mut::<N>();
    for (l, h) in l.iter_mut().zip(h) {
        let high = isa.load(h);
        let low = isa.add(isa.load(l), isa.mul_factor(high, factor));
        isa.store(l, low);
        isa.store(h, isa.add(high, low));
    }
    if !l_tail.is_empty() {
        let high = isa.load_part(h_tail);
        let low = isa.add(isa.load_part(l_tail), isa.mul_factor(high, factor));
        isa.store_part(l_tail, low);
        isa.store_part(h_tail, isa.add(high, low));
    }
}

/// A [`butterfly`] of the halves of each `2 half` elements, with `twiddles[i]` in block `i`.
#[inline(always)]
pub(crate) fn butterflies<const N: usize>(
    isa: impl Lanes<N>,
    data: &mut [F128],
    half: usize,
    twiddles: &[F128],
) {
    match half {
        1 if N > 1 => butterflies_of_neighbours(isa, data, twiddles),
        2 if N >= 4 => butterflies_of_fours(isa, data, twiddles),
        _ => butterflies_of_runs(isa, data, half, twiddles),
    }
}

/// Runs of any length. The twiddles' companions are computed `N` at once.
#[inline(always)]
fn butterflies_of_runs<const N: usize>(
    isa: impl Lanes<N>,
    data: &mut [F128],
    half: usize,
    twiddles: &[F128],
) {
    for (blocks, twiddles) in data.chunks_mut(2 * half * N).zip(twiddles.chunks(N)) {
        let mut companions = [F128::ZERO; N];
        let vector = match twiddles.first_chunk() {
            Some(twiddles) => isa.load(twiddles),
            None => isa.load_part(twiddles),
        };
        isa.store(&mut companions, isa.companions(vector));
        let blocks = blocks.chunks_exact_mut(2 * half);
        for ((block, &t), &companion) in blocks.zip(twiddles).zip(&companions) {
            let (lo, hi) = block.split_at_mut(half);
            butterfly_by(isa, lo, hi, isa.factor(t, companion));
        }
    }
}

/// Runs of one element: those of `N` blocks at a time are sorted into two registers.
#[inline(always)]
fn butterflies_of_neighbours<const N: usize>(
    isa: impl Lanes<N>,
    data: &mut [F128],
    twiddles: &[F128],
) {
    let (t, t_tail) = twiddles.as_chunks::<N>();
    let (data, tail) = data.split_at_mut(2 * N * t.len());
    for ([a, b], t) in data.as_chunks_mut::<N>().0.as_chunks_mut().0.iter_mut().zip(t) {
        let (lo, hi) = isa.deinterleave(isa.load(a), isa.load(b));
        let lo = isa.add(lo, isa.mul(hi, isa.load(t)));
        let (first, second) = isa.interleave(lo, isa.add(hi, lo));
        isa.store(a, first);
        isa.store(b, second);
    }
    butterflies_of_runs(isa, tail, 1, t_tail);
}

/// Runs of two elements, `N` at least four: likewise.
#[inline(always)]
fn butterflies_of_fours<const N: usize>(isa: impl Lanes<N>, data: &mut [F128], twiddles: &[F128]) {
    let (t, t_tail) = twiddles.as_chunks::<N>();
    let (data, tail) = data.split_at_mut(4 * N * t.len());
    for ([a, b, c, d], t) in data.as_chunks_mut::<N>().0.as_chunks_mut().0.iter_mut().zip(t) {
        // Each twiddle twice.
        let t = isa.load(t);
        let (t_first, t_second) = isa.interleave(t, t);
        for (a, b, t) in [(a, b, t_first), (c, d, t_second)] {
            let (lo, hi) = isa.split_fours(isa.load(a), isa.load(b));
            let lo = isa.add(lo, isa.mul(hi, t));
            let (first, second) = isa.split_fours(lo, isa.add(hi, lo));
            isa.store(a, first);
            isa.store(b, second);
        }
    }
    butterflies_of_runs(isa, tail, 2, t_tail);
}

/// `hi[i] += lo[i]`, then `lo[i] += twiddle * hi[i]`.
#[inline(always)]
pub(crate) fn inverse_butterfly<const N: usize>(
    isa: impl Lanes<N>,
    lo: &mut [F128],
    hi: &mut [F128],
    twiddle: F128,
) {
    let factor = isa.prepare(twiddle);
    let (l, l_tail) = lo.as_chunks_mut::<N>();
    let (h, h_tail) = hi.as_chunks_mut::<N>();
    for (l, h) in l.iter_mut().zip(h) {
        let low = isa.load(l);
        let high = isa.add(isa.load(h), low);
        isa.store(h, high);
        isa.store(l, isa.add(low, isa.mul_factor(high, factor)));
    }
    if !l_tail.is_empty() {
        let low = isa.load_part(l_tail);
        let high = isa.add(isa.load_part(h_tail), low);
        isa.store_part(h_tail, high);
        isa.store_part(l_tail, isa.add(low, isa.mul_factor(high, factor)));
    }
}

/// `hi[i] = r * lo[i]`, then `lo[i] += hi[i]`.
#[inline(always)]
pub(crate) fn eq_expand<const N: usize>(
    isa: impl Lanes<N>,
    lo: &mut [F128],
    hi: &mut [F128],
    r: F128,
) {
    let factor = isa.prepare(r);
    let (l, l_tail) = lo.as_chunks_mut::<N>();
    let (h, h_tail) = hi.as_chunks_mut::<N>();
    for (l, h) in l.iter_mut().zip(h) {
        let low = isa.load(l);
        let high = isa.mul_factor(low, factor);
        isa.store(h, high);
        isa.store(l, isa.add(low, high));
    }
    if !l_tail.is_empty() {
        let low = isa.load_part(l_tail);
        let high = isa.mul_factor(low, factor);
        isa.store_part(h_tail, high);
        isa.store_part(l_tail, isa.add(low, high));
    }
}
