//! A round of a sumcheck over a product of two to eight factors, which are lines in the round's variable.

use super::Lanes;
use crate::F128;
use crate::arch::prefetch_lines;

/// See [`kernels::lines_round`](crate::kernels::lines_round).
///
/// Two lines make a parabola in three products, two parabolas a quartic in six. The factors are taken in two halves, and
/// only the halves' products are summed before they are reduced.
#[inline(always)]
pub(crate) fn lines_round<const N: usize, L: Lanes<N>>(
    isa: L,
    w: &[F128],
    lo: &[&[F128]],
    hi: &[&[F128]],
) -> [F128; 9] {
    let slices = Slices { lo, hi };
    match lo.len() {
        2 => round::<N, L, Two, 2, 2, 2, 3>(isa, w, slices),
        3 => round::<N, L, Three, 3, 3, 2, 5>(isa, w, slices),
        4 => round::<N, L, Four, 4, 3, 3, 6>(isa, w, slices),
        5 => round::<N, L, Five, 5, 5, 2, 9>(isa, w, slices),
        6 => round::<N, L, Six, 6, 4, 4, 10>(isa, w, slices),
        7 => round::<N, L, Seven, 7, 5, 4, 14>(isa, w, slices),
        _ => round::<N, L, Eight, 8, 5, 5, 15>(isa, w, slices),
    }
}

/// See [`kernels::quartic_round`](crate::kernels::quartic_round).
#[inline(always)]
pub(crate) fn quartic_round<const N: usize, L: Lanes<N>>(
    isa: L,
    w: Option<&[F128]>,
    lo: [&[F128]; 4],
    hi: [&[F128]; 4],
    ahead: &[&[u8]],
) -> [F128; 4] {
    let source = Slices { lo: &lo, hi: &hi };
    let [second, third, fourth, at_one] = quartic_sums(isa, lo[0].len(), w, source, ahead);
    [at_one, second, third, fourth]
}

/// See [`kernels::gather_quartic`](crate::kernels::gather_quartic).
#[inline(always)]
pub(crate) fn gather_quartic<const N: usize, L: Lanes<N>>(
    isa: L,
    w: &[F128],
    tables: [&[F128; 256]; 8],
    index: [&[u8]; 8],
    ahead: &[&[u8]],
) -> [F128; 3] {
    quartic_sums(isa, w.len(), Some(w), LookUps { tables, index }, ahead)
}

/// Where the factors' values at zero and at one are.
///
/// A trait and not a closure: only functions are sure to be compiled with the instructions of their callers.
trait Source<const F: usize>: Copy {
    /// `N` elements of each from `start` on.
    fn load<const N: usize, L: Lanes<N>>(
        self,
        isa: L,
        start: usize,
    ) -> ([L::Vector; F], [L::Vector; F]);

    /// Those from `start` on, fewer than `N`, and any after them.
    fn load_part<const N: usize, L: Lanes<N>>(
        self,
        isa: L,
        start: usize,
    ) -> ([L::Vector; F], [L::Vector; F]);
}

#[derive(Clone, Copy)]
struct Slices<'a> {
    lo: &'a [&'a [F128]],
    hi: &'a [&'a [F128]],
}

impl<const F: usize> Source<F> for Slices<'_> {
    #[inline(always)]
    fn load<const N: usize, L: Lanes<N>>(
        self,
        isa: L,
        start: usize,
    ) -> ([L::Vector; F], [L::Vector; F]) {
        let zero = isa.load(&[F128::ZERO; N]);
        let (mut lows, mut highs) = ([zero; F], [zero; F]);
        for g in 0..F {
            let [lo, hi] = [self.lo[g], self.hi[g]].map(|of| &of[start..].as_chunks().0[0]);
            (lows[g], highs[g]) = (isa.load(lo), isa.load(hi));
        }
        (lows, highs)
    }

    #[inline(always)]
    fn load_part<const N: usize, L: Lanes<N>>(
        self,
        isa: L,
        start: usize,
    ) -> ([L::Vector; F], [L::Vector; F]) {
        let zero = isa.load(&[F128::ZERO; N]);
        let (mut lows, mut highs) = ([zero; F], [zero; F]);
        for g in 0..F {
            let [lo, hi] = [self.lo[g], self.hi[g]].map(|of| &of[start..]);
            (lows[g], highs[g]) = (isa.load_part(lo), isa.load_part(hi));
        }
        (lows, highs)
    }
}

#[derive(Clone, Copy)]
struct LookUps<'a> {
    tables: [&'a [F128; 256]; 8],
    index: [&'a [u8]; 8],
}

impl Source<4> for LookUps<'_> {
    #[inline(always)]
    fn load<const N: usize, L: Lanes<N>>(
        self,
        isa: L,
        start: usize,
    ) -> ([L::Vector; 4], [L::Vector; 4]) {
        let zero = isa.load(&[F128::ZERO; N]);
        let (mut lows, mut highs) = ([zero; 4], [zero; 4]);
        let [lo, hi] = [0, 4].map(|k| (&self.tables[k..], &self.index[k..]));
        for g in 0..4 {
            let [lo, hi] = [lo, hi].map(|(tables, index)| (tables[g], &index[g][start..]));
            lows[g] = isa.look_up(lo.0, &lo.1.as_chunks().0[0]);
            highs[g] = isa.look_up(hi.0, &hi.1.as_chunks().0[0]);
        }
        (lows, highs)
    }

    #[inline(always)]
    fn load_part<const N: usize, L: Lanes<N>>(
        self,
        isa: L,
        start: usize,
    ) -> ([L::Vector; 4], [L::Vector; 4]) {
        let rest = self.index.map(|index| {
            let mut rest = [0; N];
            rest.iter_mut().zip(&index[start..]).for_each(|(out, &i)| *out = i);
            rest
        });
        LookUps { index: rest.each_ref().map(|index| &index[..]), ..self }.load(isa, 0)
    }
}

/// The `n` factors' values from `start` on, the first's times the weights if there are such.
#[inline(always)]
fn weighted<const N: usize, L: Lanes<N>, const F: usize>(
    isa: L,
    n: usize,
    w: Option<&[F128]>,
    source: impl Source<F>,
    start: usize,
) -> ([L::Vector; F], [L::Vector; F]) {
    let is_whole = start + N <= n;
    let (mut lows, mut highs) =
        if is_whole { source.load(isa, start) } else { source.load_part(isa, start) };
    if let Some(w) = w {
        let weights = match w[start..].first_chunk() {
            Some(w) => isa.load(w),
            None => isa.load_part(&w[start..]),
        };
        let weights = isa.factors(weights, isa.companions(weights));
        lows[0] = isa.mul_factor(lows[0], weights);
        highs[0] = isa.mul_factor(highs[0], weights);
    }
    (lows, highs)
}

/// `F` lines as two polynomials of `A` and `B` coefficients, `B` at most `A`.
///
/// A trait for the reason that [`Source`] is one.
trait Halves<const F: usize, const A: usize, const B: usize> {
    fn of<const N: usize, L: Lanes<N>>(
        isa: L,
        lo: [L::Vector; F],
        hi: [L::Vector; F],
    ) -> ([L::Vector; A], [L::Vector; B]);
}

/// [`lines_round`] of `F` factors, whose halves' product is made of `P` products.
#[inline(always)]
fn round<
    const N: usize,
    L: Lanes<N>,
    H: Halves<F, A, B>,
    const F: usize,
    const A: usize,
    const B: usize,
    const P: usize,
>(
    isa: L,
    w: &[F128],
    source: impl Source<F>,
) -> [F128; 9] {
    let mut sums = [isa.zero_wide(); P];
    for start in (0..w.len()).step_by(N) {
        let (lows, highs) = weighted(isa, w.len(), Some(w), source, start);
        let (a, b) = H::of(isa, lows, highs);
        let pairs = pairs::<N, L, A, B, P>(isa, a, b);
        // Two loops, as one of fifteen such steps is not unrolled.
        for i in 0..P / 2 {
            sums[i] = isa.add_wide(sums[i], isa.mul_wide(pairs[i].0, pairs[i].1));
        }
        for i in P / 2..P {
            sums[i] = isa.add_wide(sums[i], isa.mul_wide(pairs[i].0, pairs[i].1));
        }
    }
    let mut products = [isa.load(&[F128::ZERO; N]); P];
    for (product, sum) in products.iter_mut().zip(sums) {
        *product = isa.reduce(sum);
    }
    let all: [L::Vector; 9] = coefficients::<N, L, A, B, 9, P>(isa, products);
    let mut sums = [F128::ZERO; 9];
    for (sum, of) in sums.iter_mut().zip(all) {
        *sum = isa.sum(of);
    }
    sums
}

/// What [`quartic_round`] gives, the value at one last, or without that. The product of the parabolas' values at zero is not needed for it.
#[inline(always)]
fn quartic_sums<const N: usize, L: Lanes<N>, const SUMS: usize>(
    isa: L,
    n: usize,
    w: Option<&[F128]>,
    source: impl Source<4>,
    ahead: &[&[u8]],
) -> [F128; SUMS] {
    let mut sums = [isa.zero_wide(); 5];
    // Three coefficients are four products.
    let n_products = SUMS + 1;
    for start in (0..n).step_by(N) {
        prefetch_lines(ahead, start);
        let (lows, highs) = weighted(isa, n, w, source, start);
        let [a0, a1, a2] = three_values(isa, [lows[0], lows[1]], [highs[0], highs[1]]);
        let [b0, b1, b2] = three_values(isa, [lows[2], lows[3]], [highs[2], highs[3]]);
        let (a01, b01) = (isa.add(a0, a1), isa.add(b0, b1));
        let pairs = [
            (a2, b2),
            // The coefficients of X, with each other and with those of X^2.
            (isa.add(a01, a2), isa.add(b01, b2)),
            (a01, b01),
            (isa.add(a0, a2), isa.add(b0, b2)),
            (a1, b1),
        ];
        for i in 0..n_products {
            sums[i] = isa.add_wide(sums[i], isa.mul_wide(pairs[i].0, pairs[i].1));
        }
    }
    let mut products = [F128::ZERO; 5];
    for i in 0..n_products {
        products[i] = isa.sum(isa.reduce(sums[i]));
    }
    let [fourth, linear, third, second, at_one] = products;
    let all = [second + fourth + linear, third + fourth + linear, fourth, at_one];
    core::array::from_fn(|i| all[i])
}

/// What is multiplied for the coefficients of a product of two polynomials: coefficients of one degree, sums of two of either, and
/// each of those of the first beyond the second's with all of the second.
#[inline(always)]
fn pairs<const N: usize, L: Lanes<N>, const A: usize, const B: usize, const P: usize>(
    isa: L,
    a: [L::Vector; A],
    b: [L::Vector; B],
) -> [(L::Vector, L::Vector); P] {
    let mut pairs = [(a[0], b[0]); P];
    for i in 0..B {
        pairs[i] = (a[i], b[i]);
    }
    let mut at = B;
    for i in 0..B {
        for j in i + 1..B {
            pairs[at] = (isa.add(a[i], a[j]), isa.add(b[i], b[j]));
            at += 1;
        }
    }
    for a in &a[B..] {
        for b in &b {
            pairs[at] = (*a, *b);
            at += 1;
        }
    }
    pairs
}

/// The coefficients, given the products of [`pairs`], and zeros.
#[inline(always)]
fn coefficients<
    const N: usize,
    L: Lanes<N>,
    const A: usize,
    const B: usize,
    const C: usize,
    const P: usize,
>(
    isa: L,
    products: [L::Vector; P],
) -> [L::Vector; C] {
    let mut all = [isa.load(&[F128::ZERO; N]); C];
    for i in 0..B {
        all[2 * i] = isa.add(all[2 * i], products[i]);
    }
    let mut at = B;
    for i in 0..B {
        for j in i + 1..B {
            let both = isa.add(products[i], products[j]);
            all[i + j] = isa.add(all[i + j], isa.add(products[at], both));
            at += 1;
        }
    }
    for i in B..A {
        for j in 0..B {
            all[i + j] = isa.add(all[i + j], products[at]);
            at += 1;
        }
    }
    all
}

/// The product of two polynomials, `C` coefficients of `P` products.
#[inline(always)]
fn product<
    const N: usize,
    L: Lanes<N>,
    const A: usize,
    const B: usize,
    const C: usize,
    const P: usize,
>(
    isa: L,
    a: [L::Vector; A],
    b: [L::Vector; B],
) -> [L::Vector; C] {
    let pairs = pairs::<N, L, A, B, P>(isa, a, b);
    let mut products = [a[0]; P];
    for i in 0..P {
        products[i] = isa.mul(pairs[i].0, pairs[i].1);
    }
    coefficients::<N, L, A, B, C, P>(isa, products)
}

/// `low + slope X`.
#[inline(always)]
fn line<const N: usize, L: Lanes<N>>(isa: L, lo: L::Vector, hi: L::Vector) -> [L::Vector; 2] {
    [lo, isa.add(lo, hi)]
}

/// The parabola that is the product of two lines.
#[inline(always)]
fn parabola<const N: usize, L: Lanes<N>>(
    isa: L,
    lo: [L::Vector; 2],
    hi: [L::Vector; 2],
) -> [L::Vector; 3] {
    let [low, one, high] = three_values(isa, lo, hi);
    [low, isa.add(isa.add(low, one), high), high]
}

/// The values at zero, at one and at infinity of the parabola that is the product of two lines.
#[inline(always)]
fn three_values<const N: usize, L: Lanes<N>>(
    isa: L,
    lo: [L::Vector; 2],
    hi: [L::Vector; 2],
) -> [L::Vector; 3] {
    let slopes = [isa.add(lo[0], hi[0]), isa.add(lo[1], hi[1])];
    [isa.mul(lo[0], lo[1]), isa.mul(hi[0], hi[1]), isa.mul(slopes[0], slopes[1])]
}

/// The product of three lines.
#[inline(always)]
fn cubic<const N: usize, L: Lanes<N>>(
    isa: L,
    [l0, l1, l2]: [L::Vector; 3],
    [h0, h1, h2]: [L::Vector; 3],
) -> [L::Vector; 4] {
    product::<N, L, 3, 2, 4, 5>(isa, parabola(isa, [l0, l1], [h0, h1]), line(isa, l2, h2))
}

/// The product of four lines.
#[inline(always)]
fn quartic<const N: usize, L: Lanes<N>>(
    isa: L,
    [l0, l1, l2, l3]: [L::Vector; 4],
    [h0, h1, h2, h3]: [L::Vector; 4],
) -> [L::Vector; 5] {
    let (a, b) = (parabola(isa, [l0, l1], [h0, h1]), parabola(isa, [l2, l3], [h2, h3]));
    product::<N, L, 3, 3, 5, 6>(isa, a, b)
}

struct Two;

impl Halves<2, 2, 2> for Two {
    #[inline(always)]
    fn of<const N: usize, L: Lanes<N>>(
        isa: L,
        [l0, l1]: [L::Vector; 2],
        [h0, h1]: [L::Vector; 2],
    ) -> ([L::Vector; 2], [L::Vector; 2]) {
        (line(isa, l0, h0), line(isa, l1, h1))
    }
}

struct Three;

impl Halves<3, 3, 2> for Three {
    #[inline(always)]
    fn of<const N: usize, L: Lanes<N>>(
        isa: L,
        [l0, l1, l2]: [L::Vector; 3],
        [h0, h1, h2]: [L::Vector; 3],
    ) -> ([L::Vector; 3], [L::Vector; 2]) {
        (parabola(isa, [l0, l1], [h0, h1]), line(isa, l2, h2))
    }
}

struct Four;

impl Halves<4, 3, 3> for Four {
    #[inline(always)]
    fn of<const N: usize, L: Lanes<N>>(
        isa: L,
        [l0, l1, l2, l3]: [L::Vector; 4],
        [h0, h1, h2, h3]: [L::Vector; 4],
    ) -> ([L::Vector; 3], [L::Vector; 3]) {
        (parabola(isa, [l0, l1], [h0, h1]), parabola(isa, [l2, l3], [h2, h3]))
    }
}

struct Five;

impl Halves<5, 5, 2> for Five {
    #[inline(always)]
    fn of<const N: usize, L: Lanes<N>>(
        isa: L,
        [l0, l1, l2, l3, l4]: [L::Vector; 5],
        [h0, h1, h2, h3, h4]: [L::Vector; 5],
    ) -> ([L::Vector; 5], [L::Vector; 2]) {
        (quartic(isa, [l0, l1, l2, l3], [h0, h1, h2, h3]), line(isa, l4, h4))
    }
}

struct Six;

impl Halves<6, 4, 4> for Six {
    #[inline(always)]
    fn of<const N: usize, L: Lanes<N>>(
        isa: L,
        [l0, l1, l2, l3, l4, l5]: [L::Vector; 6],
        [h0, h1, h2, h3, h4, h5]: [L::Vector; 6],
    ) -> ([L::Vector; 4], [L::Vector; 4]) {
        (cubic(isa, [l0, l1, l2], [h0, h1, h2]), cubic(isa, [l3, l4, l5], [h3, h4, h5]))
    }
}

struct Seven;

impl Halves<7, 5, 4> for Seven {
    #[inline(always)]
    fn of<const N: usize, L: Lanes<N>>(
        isa: L,
        [l0, l1, l2, l3, l4, l5, l6]: [L::Vector; 7],
        [h0, h1, h2, h3, h4, h5, h6]: [L::Vector; 7],
    ) -> ([L::Vector; 5], [L::Vector; 4]) {
        (quartic(isa, [l0, l1, l2, l3], [h0, h1, h2, h3]), cubic(isa, [l4, l5, l6], [h4, h5, h6]))
    }
}

struct Eight;

impl Halves<8, 5, 5> for Eight {
    #[inline(always)]
    fn of<const N: usize, L: Lanes<N>>(
        isa: L,
        [l0, l1, l2, l3, l4, l5, l6, l7]: [L::Vector; 8],
        [h0, h1, h2, h3, h4, h5, h6, h7]: [L::Vector; 8],
    ) -> ([L::Vector; 5], [L::Vector; 5]) {
        (
            quartic(isa, [l0, l1, l2, l3], [h0, h1, h2, h3]),
            quartic(isa, [l4, l5, l6, l7], [h4, h5, h6, h7]),
        )
    }
}
