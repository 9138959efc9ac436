//! Two rounds of a product sumcheck in one pass over its factors.

use super::Lanes;
use crate::F128;
use crate::arch::{AHEAD, prefetch, prefetch_ahead, prefetch_behind};
use crate::kernels::Corner;

/// Vectors that are weighted at a time, so that they stay in the first cache.
pub(super) const BLOCK: usize = 16;

/// What [`product_grid`] sums, before the reduction.
pub(super) type Sums<W> = [W; 8];

/// See [`kernels::product_grid`](crate::kernels::product_grid).
#[inline(always)]
pub(crate) fn product_grid<const N: usize, L: Lanes<N>>(
    isa: L,
    w: &[F128],
    [a00, a10, a01, a11]: [&[F128]; 4],
    [b00, b10, b01, b11]: [&[F128]; 4],
    corner: Corner,
) -> [F128; 8] {
    let mut sums = [isa.zero_wide(); 8];
    let mut weighted = [[[F128::ZERO; N]; 5]; BLOCK];
    let (vectors, tail) = w.as_chunks::<N>();
    let (a0, a1) = (a00.as_chunks::<N>(), a10.as_chunks::<N>());
    let (a2, a3) = (a01.as_chunks::<N>(), a11.as_chunks::<N>());
    let (b0, b1) = (b00.as_chunks::<N>(), b10.as_chunks::<N>());
    let (b2, b3) = (b01.as_chunks::<N>(), b11.as_chunks::<N>());
    let (n, mut start) = (vectors.len(), 0);
    while start < n {
        let end = n.min(start + BLOCK);
        sums = grid_block::<true, N, L>(
            isa,
            sums,
            &mut weighted,
            &vectors[start..end],
            [&a0.0[start..end], &a1.0[start..end], &a2.0[start..end], &a3.0[start..end]],
            [&b0.0[start..end], &b1.0[start..end], &b2.0[start..end], &b3.0[start..end]],
            corner,
        );
        start = end;
    }
    if !tail.is_empty() {
        let w = padded(tail);
        let a = [padded(a0.1), padded(a1.1), padded(a2.1), padded(a3.1)];
        let b = [padded(b0.1), padded(b1.1), padded(b2.1), padded(b3.1)];
        let (a, b) = ([&a[0][..], &a[1], &a[2], &a[3]], [&b[0][..], &b[1], &b[2], &b[3]]);
        sums = grid_block::<false, N, L>(isa, sums, &mut weighted, &w, a, b, corner);
    }
    reduce(isa, sums)
}

#[inline(always)]
pub(super) fn reduce<const N: usize, L: Lanes<N>>(isa: L, sums: Sums<L::Wide>) -> [F128; 8] {
    let mut out = [F128::ZERO; 8];
    for (out, sum) in out.iter_mut().zip(sums) {
        *out = isa.sum(isa.reduce(sum));
    }
    out
}

/// The elements after the last whole vector, and zeros.
#[inline(always)]
pub(super) fn padded<const N: usize>(tail: &[F128]) -> [[F128; N]; 1] {
    let mut vector = [F128::ZERO; N];
    vector[..tail.len()].copy_from_slice(tail);
    [vector]
}

/// Three passes over a block, so that each keeps its sums in registers; a vector of `weighted` holds the four products
/// of the weights with `a`, and the weights' companions. Where the factors are `FAR`, in memory, each of the first two passes has those
/// of the next fetched.
#[inline(always)]
pub(super) fn grid_block<const FAR: bool, const N: usize, L: Lanes<N>>(
    isa: L,
    mut sums: Sums<L::Wide>,
    weighted: &mut [[[F128; N]; 5]; BLOCK],
    w: &[[F128; N]],
    [a00, a10, a01, a11]: [&[[F128; N]]; 4],
    [b00, b10, b01, b11]: [&[[F128; N]]; 4],
    corner: Corner,
) -> Sums<L::Wide> {
    let (mut zero, mut one, mut slope) = (sums[2], sums[3], sums[4]);
    let (a, b) = (a01.iter().zip(a11), b01.iter().zip(b11));
    let vectors = w.iter().zip(&mut *weighted).zip(a.zip(b)).enumerate();
    for (i, ((w, s), ((a0, a1), (b0, b1)))) in vectors {
        if FAR {
            for next in [a00, a10, b00, b10] {
                prefetch(next[i].as_ptr());
            }
        }
        let w = isa.load(w);
        let companions = isa.companions(w);
        isa.store(&mut s[4], companions);
        let w = isa.factors(w, companions);
        let (a0, a1) = (isa.mul_factor(isa.load(a0), w), isa.mul_factor(isa.load(a1), w));
        let (b0, b1) = (isa.load(b0), isa.load(b1));
        isa.store(&mut s[2], a0);
        isa.store(&mut s[3], a1);
        zero = isa.add_wide(zero, isa.mul_wide(a0, b0));
        one = isa.add_wide(one, isa.mul_wide(a1, b1));
        slope = isa.add_wide(slope, isa.mul_wide(isa.add(a0, a1), isa.add(b0, b1)));
    }
    (sums[2], sums[3], sums[4]) = (zero, one, slope);

    let mut slope = sums[1];
    let (a, b) = (a00.iter().zip(a10), b00.iter().zip(b10));
    let vectors = w.iter().zip(&mut *weighted).zip(a.zip(b)).enumerate();
    for (i, ((w, s), ((a0, a1), (b0, b1)))) in vectors {
        if FAR {
            for this in [a01, a11, b01, b11] {
                prefetch(this[i].as_ptr().wrapping_add(N * BLOCK));
            }
        }
        let w = isa.factors(isa.load(w), isa.load(&s[4]));
        let (a0, a1) = (isa.mul_factor(isa.load(a0), w), isa.mul_factor(isa.load(a1), w));
        let (b0, b1) = (isa.load(b0), isa.load(b1));
        isa.store(&mut s[0], a0);
        isa.store(&mut s[1], a1);
        slope = isa.add_wide(slope, isa.mul_wide(isa.add(a0, a1), isa.add(b0, b1)));
    }
    sums[1] = slope;

    let mut value = sums[0];
    match corner {
        Corner::Neither => {}
        Corner::Zero => {
            for (s, b) in weighted.iter().zip(b00) {
                value = isa.add_wide(value, isa.mul_wide(isa.load(&s[0]), isa.load(b)));
            }
        }
        Corner::One => {
            for (s, b) in weighted.iter().zip(b10) {
                value = isa.add_wide(value, isa.mul_wide(isa.load(&s[1]), isa.load(b)));
            }
        }
    }
    sums[0] = value;

    let (mut zero, mut one, mut slope) = (sums[5], sums[6], sums[7]);
    let b = b00.iter().zip(b10).zip(b01.iter().zip(b11));
    for (s, ((b00, b10), (b01, b11))) in weighted.iter().zip(b) {
        let a0 = isa.add(isa.load(&s[0]), isa.load(&s[2]));
        let a1 = isa.add(isa.load(&s[1]), isa.load(&s[3]));
        let b0 = isa.add(isa.load(b00), isa.load(b01));
        let b1 = isa.add(isa.load(b10), isa.load(b11));
        zero = isa.add_wide(zero, isa.mul_wide(a0, b0));
        one = isa.add_wide(one, isa.mul_wide(a1, b1));
        slope = isa.add_wide(slope, isa.mul_wide(isa.add(a0, a1), isa.add(b0, b1)));
    }
    (sums[5], sums[6], sums[7]) = (zero, one, slope);
    sums
}

/// See [`kernels::table_grid`](crate::kernels::table_grid).
#[inline(always)]
pub(crate) fn table_grid<const N: usize, L: Lanes<N>>(
    isa: L,
    [a00, a10, a01, a11]: [&[F128]; 4],
    [b00, b10, b01, b11]: [&[F128]; 4],
) -> [F128; 8] {
    let mut sums = [isa.zero_wide(); 8];
    let (a0, a1) = (a00.as_chunks::<N>(), a10.as_chunks::<N>());
    let (a2, a3) = (a01.as_chunks::<N>(), a11.as_chunks::<N>());
    let (b0, b1) = (b00.as_chunks::<N>(), b10.as_chunks::<N>());
    let (b2, b3) = (b01.as_chunks::<N>(), b11.as_chunks::<N>());
    let (n, mut start) = (a0.0.len(), 0);
    while start < n {
        let end = n.min(start + BLOCK);
        sums = table_block(
            isa,
            sums,
            [&a0.0[start..end], &a1.0[start..end], &a2.0[start..end], &a3.0[start..end]],
            [&b0.0[start..end], &b1.0[start..end], &b2.0[start..end], &b3.0[start..end]],
            4 * a00.len(),
        );
        start = end;
    }
    if !a0.1.is_empty() {
        let a = [padded(a0.1), padded(a1.1), padded(a2.1), padded(a3.1)];
        let b = [padded(b0.1), padded(b1.1), padded(b2.1), padded(b3.1)];
        let (a, b) = ([&a[0][..], &a[1], &a[2], &a[3]], [&b[0][..], &b[1], &b[2], &b[3]]);
        sums = table_block(isa, sums, a, b, 0);
    }
    reduce(isa, sums)
}

/// Three passes over a block, so that each keeps its sums in registers. What lies `ahead` elements behind is fetched.
#[inline(always)]
fn table_block<const N: usize, L: Lanes<N>>(
    isa: L,
    mut sums: Sums<L::Wide>,
    [a00, a10, a01, a11]: [&[[F128; N]]; 4],
    [b00, b10, b01, b11]: [&[[F128; N]]; 4],
    ahead: usize,
) -> Sums<L::Wide> {
    let ones = isa.load(&[F128::ONE; N]);
    let (mut first, mut zero, mut one) = (sums[0], sums[2], sums[3]);
    let (a, b) = (a10.iter().zip(a01.iter().zip(a11)), b10.iter().zip(b01.iter().zip(b11)));
    for (a00, ((a10, (a01, a11)), (b10, (b01, b11)))) in a00.iter().zip(a.zip(b)) {
        for this in [a00, a10, a01, a11] {
            prefetch(this.as_ptr().wrapping_add(ahead));
        }
        let more = |a| isa.add(isa.load(a), ones);
        first = isa.add_wide(first, isa.mul_wide(more(a10), isa.load(b10)));
        zero = isa.add_wide(zero, isa.mul_wide(more(a01), isa.load(b01)));
        one = isa.add_wide(one, isa.mul_wide(more(a11), isa.load(b11)));
    }
    (sums[0], sums[2], sums[3]) = (first, zero, one);

    let both = |x, y| isa.add(isa.load(x), isa.load(y));
    let (mut low, mut high, mut all) = (sums[1], sums[4], sums[7]);
    let (a, b) = (a00.iter().zip(a10).zip(a01.iter().zip(a11)), b00.iter().zip(b10));
    for (((a00, a10), (a01, a11)), ((b00, b10), (b01, b11))) in a.zip(b.zip(b01.iter().zip(b11))) {
        for this in [b00, b10, b01, b11] {
            prefetch(this.as_ptr().wrapping_add(ahead));
        }
        let (a0, a1) = (both(a00, a10), both(a01, a11));
        let (b0, b1) = (both(b00, b10), both(b01, b11));
        low = isa.add_wide(low, isa.mul_wide(a0, b0));
        high = isa.add_wide(high, isa.mul_wide(a1, b1));
        all = isa.add_wide(all, isa.mul_wide(isa.add(a0, a1), isa.add(b0, b1)));
    }
    (sums[1], sums[4], sums[7]) = (low, high, all);

    let (mut zero, mut one) = (sums[5], sums[6]);
    let (a, b) = (a00.iter().zip(a01).zip(a10.iter().zip(a11)), b00.iter().zip(b01));
    for (((a00, a01), (a10, a11)), ((b00, b01), (b10, b11))) in a.zip(b.zip(b10.iter().zip(b11))) {
        zero = isa.add_wide(zero, isa.mul_wide(both(a00, a01), both(b00, b01)));
        one = isa.add_wide(one, isa.mul_wide(both(a10, a11), both(b10, b11)));
    }
    (sums[5], sums[6]) = (zero, one);
    sums
}

/// `dst[i] += sum_j weights[j] * (dst[i] + rest[j][i])`.
#[inline(always)]
pub(crate) fn fold_four<const N: usize, L: Lanes<N>>(
    isa: L,
    dst: &mut [F128],
    rest: [&[F128]; 3],
    weights: [F128; 3],
) {
    let (d, d_tail) = dst.as_chunks_mut::<N>();
    let [(x, x_tail), (y, y_tail), (z, z_tail)] = rest.map(|s| s.as_chunks::<N>());
    let weights = weights.map(|w| [w; N]);
    // Short runs are quarters of blocks that follow each other: what is read next lies behind the last of them.
    let is_short = rest[2].len() <= AHEAD;
    for (i, ((d, x), (y, z))) in d.iter_mut().zip(x).zip(y.iter().zip(z)).enumerate() {
        if is_short {
            let line = 4 * N * size_of::<F128>();
            prefetch_behind(bytemuck::cast_slice(rest[2]), i * line, line);
        } else {
            for run in [&*d, x, y, z] {
                prefetch_ahead(run);
            }
        }
        let rest = [isa.load(x), isa.load(y), isa.load(z)];
        isa.store(d, fold_vector(isa, isa.load(d), rest, &weights));
    }
    if !d_tail.is_empty() {
        let rest = [isa.load_part(x_tail), isa.load_part(y_tail), isa.load_part(z_tail)];
        isa.store_part(d_tail, fold_vector(isa, isa.load_part(d_tail), rest, &weights));
    }
}

#[inline(always)]
fn fold_vector<const N: usize, L: Lanes<N>>(
    isa: L,
    first: L::Vector,
    rest: [L::Vector; 3],
    weights: &[[F128; N]; 3],
) -> L::Vector {
    let mut total = isa.zero_wide();
    for (v, weight) in rest.into_iter().zip(weights) {
        total = isa.add_wide(total, isa.mul_wide(isa.add(first, v), isa.load(weight)));
    }
    isa.add(first, isa.reduce(total))
}
