//! Sums, products and sums of products.

use super::Lanes;
use crate::F128;
use crate::arch::prefetch_ahead;

#[inline(always)]
pub(crate) fn add_assign<const N: usize>(isa: impl Lanes<N>, dst: &mut [F128], src: &[F128]) {
    let (d, d_tail) = dst.as_chunks_mut::<N>();
    let (s, s_tail) = src.as_chunks::<N>();
    for (d, s) in d.iter_mut().zip(s) {
        isa.store(d, isa.add(isa.load(d), isa.load(s)));
    }
    for (d, &s) in d_tail.iter_mut().zip(s_tail) {
        *d += s;
    }
}

#[inline(always)]
pub(crate) fn sum<const N: usize>(isa: impl Lanes<N>, src: &[F128]) -> F128 {
    let (s, tail) = src.as_chunks::<N>();
    let mut total = isa.load(&[F128::ZERO; N]);
    for s in s {
        total = isa.add(total, isa.load(s));
    }
    let mut total = isa.sum(total);
    for &s in tail {
        total += s;
    }
    total
}

#[inline(always)]
pub(crate) fn mul<const N: usize>(isa: impl Lanes<N>, dst: &mut [F128], a: &[F128], b: &[F128]) {
    let (d, d_tail) = dst.as_chunks_mut::<N>();
    let (a, a_tail) = a.as_chunks::<N>();
    let (b, b_tail) = b.as_chunks::<N>();
    for ((d, a), b) in d.iter_mut().zip(a).zip(b) {
        for run in [&*d, a, b] {
            prefetch_ahead(run);
        }
        isa.store(d, isa.mul(isa.load(a), isa.load(b)));
    }
    if !d_tail.is_empty() {
        isa.store_part(d_tail, isa.mul(isa.load_part(a_tail), isa.load_part(b_tail)));
    }
}

#[inline(always)]
pub(crate) fn mul_assign<const N: usize>(isa: impl Lanes<N>, dst: &mut [F128], src: &[F128]) {
    let (d, d_tail) = dst.as_chunks_mut::<N>();
    let (s, s_tail) = src.as_chunks::<N>();
    for (d, s) in d.iter_mut().zip(s) {
        isa.store(d, isa.mul(isa.load(d), isa.load(s)));
    }
    if !d_tail.is_empty() {
        isa.store_part(d_tail, isa.mul(isa.load_part(d_tail), isa.load_part(s_tail)));
    }
}

/// `dst[i] = src[2i] * src[2i + 1]`.
#[inline(always)]
pub(crate) fn mul_adjacent<const N: usize>(isa: impl Lanes<N>, dst: &mut [F128], src: &[F128]) {
    let (d, d_tail) = dst.as_chunks_mut::<N>();
    let (s, s_tail) = src.split_at(2 * N * d.len());
    let (s, _) = s.as_chunks::<N>();
    for (d, s) in d.iter_mut().zip(s.as_chunks::<2>().0) {
        let (even, odd) = isa.deinterleave(isa.load(&s[0]), isa.load(&s[1]));
        isa.store(d, isa.mul(even, odd));
    }
    for (d, s) in d_tail.iter_mut().zip(s_tail.as_chunks::<2>().0) {
        *d = mul_one(isa, s[0], s[1]);
    }
}

/// `dst[i] += a[i] * b[i]`.
#[inline(always)]
pub(crate) fn add_products<const N: usize>(
    isa: impl Lanes<N>,
    dst: &mut [F128],
    a: &[F128],
    b: &[F128],
) {
    let (d, d_tail) = dst.as_chunks_mut::<N>();
    let (a, a_tail) = a.as_chunks::<N>();
    let (b, b_tail) = b.as_chunks::<N>();
    for ((d, a), b) in d.iter_mut().zip(a).zip(b) {
        let product = isa.mul(isa.load(a), isa.load(b));
        isa.store(d, isa.add(isa.load(d), product));
    }
    if !d_tail.is_empty() {
        let product = isa.mul(isa.load_part(a_tail), isa.load_part(b_tail));
        isa.store_part(d_tail, isa.add(isa.load_part(d_tail), product));
    }
}

#[inline(always)]
pub(crate) fn square<const N: usize>(isa: impl Lanes<N>, dst: &mut [F128], src: &[F128]) {
    let (d, d_tail) = dst.as_chunks_mut::<N>();
    let (s, s_tail) = src.as_chunks::<N>();
    for (d, s) in d.iter_mut().zip(s) {
        isa.store(d, isa.reduce(isa.square_wide(isa.load(s))));
    }
    if !d_tail.is_empty() {
        isa.store_part(d_tail, isa.reduce(isa.square_wide(isa.load_part(s_tail))));
    }
}

#[inline(always)]
pub(crate) fn scale<const N: usize>(isa: impl Lanes<N>, dst: &mut [F128], scalar: F128) {
    let factor = isa.prepare(scalar);
    let (d, tail) = dst.as_chunks_mut::<N>();
    for d in d {
        isa.store(d, isa.mul_factor(isa.load(d), factor));
    }
    if !tail.is_empty() {
        isa.store_part(tail, isa.mul_factor(isa.load_part(tail), factor));
    }
}

#[inline(always)]
pub(crate) fn scale_into<const N: usize>(
    isa: impl Lanes<N>,
    dst: &mut [F128],
    src: &[F128],
    scalar: F128,
) {
    let factor = isa.prepare(scalar);
    let (d, d_tail) = dst.as_chunks_mut::<N>();
    let (s, s_tail) = src.as_chunks::<N>();
    for (d, s) in d.iter_mut().zip(s) {
        isa.store(d, isa.mul_factor(isa.load(s), factor));
    }
    if !d_tail.is_empty() {
        isa.store_part(d_tail, isa.mul_factor(isa.load_part(s_tail), factor));
    }
}

#[inline(always)]
pub(crate) fn add_scaled<const N: usize>(
    isa: impl Lanes<N>,
    dst: &mut [F128],
    src: &[F128],
    scalar: F128,
) {
    let factor = isa.prepare(scalar);
    let (d, d_tail) = dst.as_chunks_mut::<N>();
    let (s, s_tail) = src.as_chunks::<N>();
    for (d, s) in d.iter_mut().zip(s) {
        isa.store(d, isa.add(isa.load(d), isa.mul_factor(isa.load(s), factor)));
    }
    if !d_tail.is_empty() {
        let product = isa.mul_factor(isa.load_part(s_tail), factor);
        isa.store_part(d_tail, isa.add(isa.load_part(d_tail), product));
    }
}

#[inline(always)]
pub(crate) fn inner_product<const N: usize>(isa: impl Lanes<N>, a: &[F128], b: &[F128]) -> F128 {
    let (a, a_tail) = a.as_chunks::<N>();
    let (b, b_tail) = b.as_chunks::<N>();
    let mut total = isa.zero_wide();
    for (a, b) in a.iter().zip(b) {
        total = isa.add_wide(total, isa.mul_wide(isa.load(a), isa.load(b)));
    }
    if !a_tail.is_empty() {
        let product = isa.mul_wide(isa.load_part(a_tail), isa.load_part(b_tail));
        total = isa.add_wide(total, product);
    }
    isa.sum(isa.reduce(total))
}

/// `(sum w * a_hi * b_hi, sum w * (a_lo + a_hi) * (b_lo + b_hi))`.
#[inline(always)]
pub(crate) fn product_round<const N: usize>(
    isa: impl Lanes<N>,
    w: &[F128],
    a_lo: &[F128],
    a_hi: &[F128],
    b_lo: &[F128],
    b_hi: &[F128],
) -> (F128, F128) {
    let (w, w_tail) = w.as_chunks::<N>();
    let (a_lo, a_lo_tail) = a_lo.as_chunks::<N>();
    let (a_hi, a_hi_tail) = a_hi.as_chunks::<N>();
    let (b_lo, b_lo_tail) = b_lo.as_chunks::<N>();
    let (b_hi, b_hi_tail) = b_hi.as_chunks::<N>();
    let mut sums = (isa.zero_wide(), isa.zero_wide());
    for ((((w, a_lo), a_hi), b_lo), b_hi) in w.iter().zip(a_lo).zip(a_hi).zip(b_lo).zip(b_hi) {
        let lo = (isa.load(a_lo), isa.load(b_lo));
        let hi = (isa.load(a_hi), isa.load(b_hi));
        sums = add_round(isa, sums, isa.load(w), lo, hi);
    }
    if !w_tail.is_empty() {
        let lo = (isa.load_part(a_lo_tail), isa.load_part(b_lo_tail));
        let hi = (isa.load_part(a_hi_tail), isa.load_part(b_hi_tail));
        sums = add_round(isa, sums, isa.load_part(w_tail), lo, hi);
    }
    (isa.sum(isa.reduce(sums.0)), isa.sum(isa.reduce(sums.1)))
}

/// `(sum (a_hi + 1) * b_hi, sum (a_lo + a_hi) * (b_lo + b_hi))`.
#[inline(always)]
pub(crate) fn table_round<const N: usize>(
    isa: impl Lanes<N>,
    a_lo: &[F128],
    a_hi: &[F128],
    b_lo: &[F128],
    b_hi: &[F128],
) -> (F128, F128) {
    let (a_lo, a_lo_tail) = a_lo.as_chunks::<N>();
    let (a_hi, a_hi_tail) = a_hi.as_chunks::<N>();
    let (b_lo, b_lo_tail) = b_lo.as_chunks::<N>();
    let (b_hi, b_hi_tail) = b_hi.as_chunks::<N>();
    let mut sums = (isa.zero_wide(), isa.zero_wide());
    for (((a_lo, a_hi), b_lo), b_hi) in a_lo.iter().zip(a_hi).zip(b_lo).zip(b_hi) {
        let lo = (isa.load(a_lo), isa.load(b_lo));
        sums = add_table_round(isa, sums, lo, (isa.load(a_hi), isa.load(b_hi)));
    }
    if !a_lo_tail.is_empty() {
        let lo = (isa.load_part(a_lo_tail), isa.load_part(b_lo_tail));
        let hi = (isa.load_part(a_hi_tail), isa.load_part(b_hi_tail));
        sums = add_table_round(isa, sums, lo, hi);
    }
    (isa.sum(isa.reduce(sums.0)), isa.sum(isa.reduce(sums.1)))
}

#[inline(always)]
fn add_table_round<const N: usize, L: Lanes<N>>(
    isa: L,
    (at_one, leading): (L::Wide, L::Wide),
    lo: (L::Vector, L::Vector),
    hi: (L::Vector, L::Vector),
) -> (L::Wide, L::Wide) {
    let more = isa.add(hi.0, isa.load(&[F128::ONE; N]));
    let both = isa.mul_wide(isa.add(lo.0, hi.0), isa.add(lo.1, hi.1));
    (isa.add_wide(at_one, isa.mul_wide(more, hi.1)), isa.add_wide(leading, both))
}

#[inline(always)]
fn add_round<const N: usize, L: Lanes<N>>(
    isa: L,
    (at_one, leading): (L::Wide, L::Wide),
    w: L::Vector,
    lo: (L::Vector, L::Vector),
    hi: (L::Vector, L::Vector),
) -> (L::Wide, L::Wide) {
    let w = isa.factors(w, isa.companions(w));
    let (low, high) = (isa.mul_factor(lo.0, w), isa.mul_factor(hi.0, w));
    let both = isa.mul_wide(isa.add(low, high), isa.add(lo.1, hi.1));
    (isa.add_wide(at_one, isa.mul_wide(high, hi.1)), isa.add_wide(leading, both))
}

/// One product.
#[inline(always)]
pub(crate) fn mul_one<const N: usize>(isa: impl Lanes<N>, a: F128, b: F128) -> F128 {
    let one = isa.one();
    one.sum(one.mul(one.load(&[a]), one.load(&[b])))
}

/// One square.
#[inline(always)]
pub(crate) fn square_one<const N: usize>(isa: impl Lanes<N>, a: F128) -> F128 {
    square_times(isa, a, 1)
}

/// `a^(2^times)` by squaring.
#[inline(always)]
pub(crate) fn square_times<const N: usize>(isa: impl Lanes<N>, a: F128, times: u32) -> F128 {
    let one = isa.one();
    let mut power = one.load(&[a]);
    for _ in 0..times {
        power = one.reduce(one.square_wide(power));
    }
    one.sum(power)
}

/// `a^exponent` by squaring and multiplying.
#[inline(always)]
pub(crate) fn pow<const N: usize>(isa: impl Lanes<N>, a: F128, exponent: u128) -> F128 {
    let one = isa.one();
    let base = one.load(&[a]);
    let mut power = one.load(&[F128::ONE]);
    for i in (0..u128::BITS - exponent.leading_zeros()).rev() {
        power = one.reduce(one.square_wide(power));
        if exponent >> i & 1 == 1 {
            power = one.mul(power, base);
        }
    }
    one.sum(power)
}
