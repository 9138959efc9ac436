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
    let factor = isa.factor(twiddle);
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

/// `hi[i] += lo[i]`, then `lo[i] += twiddle * hi[i]`.
#[inline(always)]
pub(crate) fn inverse_butterfly<const N: usize>(
    isa: impl Lanes<N>,
    lo: &mut [F128],
    hi: &mut [F128],
    twiddle: F128,
) {
    let factor = isa.factor(twiddle);
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
    let factor = isa.factor(r);
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
