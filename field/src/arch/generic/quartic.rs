//! A round of a sumcheck over a product of four factors.

use super::Lanes;
use crate::F128;

/// See [`kernels::quartic_round`](crate::kernels::quartic_round).
///
/// Two factors make a parabola in three products, two parabolas a quartic in six.
#[inline(always)]
pub(crate) fn quartic_round<const N: usize, L: Lanes<N>>(
    isa: L,
    w: &[F128],
    lo: [&[F128]; 4],
    hi: [&[F128]; 4],
) -> [F128; 5] {
    let mut sums = [isa.zero_wide(); 6];
    let (w, w_tail) = w.as_chunks::<N>();
    let [(l0, l0_tail), (l1, l1_tail), (l2, l2_tail), (l3, l3_tail)] =
        lo.map(|s| s.as_chunks::<N>());
    let [(h0, h0_tail), (h1, h1_tail), (h2, h2_tail), (h3, h3_tail)] =
        hi.map(|s| s.as_chunks::<N>());
    let first = l0.iter().zip(h0).zip(l1.iter().zip(h1));
    let second = l2.iter().zip(h2).zip(l3.iter().zip(h3));
    for ((w, ((l0, h0), (l1, h1))), ((l2, h2), (l3, h3))) in w.iter().zip(first).zip(second) {
        let lo = [isa.load(l0), isa.load(l1), isa.load(l2), isa.load(l3)];
        let hi = [isa.load(h0), isa.load(h1), isa.load(h2), isa.load(h3)];
        sums = add_quartic(isa, sums, isa.load(w), lo, hi);
    }
    if !w_tail.is_empty() {
        let part = |tail: &[F128]| isa.load_part(tail);
        let lo = [part(l0_tail), part(l1_tail), part(l2_tail), part(l3_tail)];
        let hi = [part(h0_tail), part(h1_tail), part(h2_tail), part(h3_tail)];
        sums = add_quartic(isa, sums, isa.load_part(w_tail), lo, hi);
    }
    let sum = |wide: L::Wide| isa.sum(isa.reduce(wide));
    let [low, middle, high] = [sum(sums[0]), sum(sums[1]), sum(sums[2])];
    let [low_middle, low_high, middle_high] = [sum(sums[3]), sum(sums[4]), sum(sums[5])];
    [
        low,
        low_middle + low + middle,
        low_high + low + high + middle,
        middle_high + middle + high,
        high,
    ]
}

/// The parabola `low + middle X + high X^2` that is the product of two lines.
#[inline(always)]
fn parabola<const N: usize, L: Lanes<N>>(
    isa: L,
    lo: (L::Vector, L::Vector),
    hi: (L::Vector, L::Vector),
) -> [L::Vector; 3] {
    let low = isa.mul(lo.0, lo.1);
    let one = isa.mul(hi.0, hi.1);
    let high = isa.mul(isa.add(lo.0, hi.0), isa.add(lo.1, hi.1));
    [low, isa.add(isa.add(low, one), high), high]
}

/// Adds the products of the parabolas' coefficients: low, middle, high, and of the sums of two of them.
#[inline(always)]
fn add_quartic<const N: usize, L: Lanes<N>>(
    isa: L,
    sums: [L::Wide; 6],
    w: L::Vector,
    [l0, l1, l2, l3]: [L::Vector; 4],
    [h0, h1, h2, h3]: [L::Vector; 4],
) -> [L::Wide; 6] {
    let w = isa.factors(w, isa.companions(w));
    let [a0, a1, a2] = parabola(isa, (isa.mul_factor(l0, w), l1), (isa.mul_factor(h0, w), h1));
    let [b0, b1, b2] = parabola(isa, (l2, l3), (h2, h3));
    let add = |sum: L::Wide, a: L::Vector, b: L::Vector| isa.add_wide(sum, isa.mul_wide(a, b));
    [
        add(sums[0], a0, b0),
        add(sums[1], a1, b1),
        add(sums[2], a2, b2),
        add(sums[3], isa.add(a0, a1), isa.add(b0, b1)),
        add(sums[4], isa.add(a0, a2), isa.add(b0, b2)),
        add(sums[5], isa.add(a1, a2), isa.add(b1, b2)),
    ]
}
