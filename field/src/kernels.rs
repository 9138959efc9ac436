//! Slice kernels over [`F128`]: each call chooses its backend once, at run time.
//!
//! Lengths are preconditions: every function panics where two slices of one call differ in length
//! and its documentation does not say otherwise.

use crate::F128;

/// `dst[i] += src[i]`.
pub fn add_assign(dst: &mut [F128], src: &[F128]) {
    assert_eq!(dst.len(), src.len());
    for (d, &s) in dst.iter_mut().zip(src) {
        *d += s;
    }
}

/// `dst[i] = a[i] * b[i]`.
pub fn mul(dst: &mut [F128], a: &[F128], b: &[F128]) {
    assert!(dst.len() == a.len() && a.len() == b.len());
    for ((d, &x), &y) in dst.iter_mut().zip(a).zip(b) {
        *d = x * y;
    }
}

/// `dst[i] *= src[i]`.
pub fn mul_assign(dst: &mut [F128], src: &[F128]) {
    assert_eq!(dst.len(), src.len());
    for (d, &s) in dst.iter_mut().zip(src) {
        *d *= s;
    }
}

/// `dst[i] = src[i]^2`.
pub fn square(dst: &mut [F128], src: &[F128]) {
    assert_eq!(dst.len(), src.len());
    for (d, &s) in dst.iter_mut().zip(src) {
        *d = s.square();
    }
}

/// `dst[i] *= scalar`.
pub fn scale(dst: &mut [F128], scalar: F128) {
    for d in dst {
        *d *= scalar;
    }
}

/// `dst[i] += scalar * src[i]`.
pub fn add_scaled(dst: &mut [F128], src: &[F128], scalar: F128) {
    assert_eq!(dst.len(), src.len());
    for (d, &s) in dst.iter_mut().zip(src) {
        *d += scalar * s;
    }
}

/// `sum_i a[i] * b[i]`, reduced once.
pub fn inner_product(a: &[F128], b: &[F128]) -> F128 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(&x, &y)| x * y).sum()
}

/// Binds one variable of a multilinear to `r`, halves apart: `lo[i] += r * (lo[i] + hi[i])`.
pub fn fold(lo: &mut [F128], hi: &[F128], r: F128) {
    assert_eq!(lo.len(), hi.len());
    for (l, &h) in lo.iter_mut().zip(hi) {
        *l += r * (*l + h);
    }
}

/// Binds one variable of a multilinear to `r`, neighbours paired:
/// `dst[i] = src[2i] + r * (src[2i] + src[2i + 1])`. `src` is twice as long as `dst`.
pub fn fold_adjacent(dst: &mut [F128], src: &[F128], r: F128) {
    assert_eq!(2 * dst.len(), src.len());
    for (d, pair) in dst.iter_mut().zip(src.chunks_exact(2)) {
        *d = pair[0] + r * (pair[0] + pair[1]);
    }
}

/// The two sums a product sumcheck round needs, for factors `a` and `b` split into halves and
/// weights `w`: `(sum w * a_hi * b_hi, sum w * (a_lo + a_hi) * (b_lo + b_hi))`.
pub fn product_round(
    w: &[F128],
    a_lo: &[F128],
    a_hi: &[F128],
    b_lo: &[F128],
    b_hi: &[F128],
) -> (F128, F128) {
    let n = w.len();
    assert!(a_lo.len() == n && a_hi.len() == n && b_lo.len() == n && b_hi.len() == n);
    let (mut at_one, mut leading) = (F128::ZERO, F128::ZERO);
    for i in 0..n {
        at_one += w[i] * (a_hi[i] * b_hi[i]);
        leading += w[i] * ((a_lo[i] + a_hi[i]) * (b_lo[i] + b_hi[i]));
    }
    (at_one, leading)
}

/// The table of `eq(point, x)` over `x` in `{0,1}^n`; bit `i` of `x` pairs with `point[i]`.
pub fn eq_table(point: &[F128]) -> Vec<F128> {
    let mut table = Vec::with_capacity(1 << point.len());
    table.push(F128::ONE);
    for &r in point {
        for i in 0..table.len() {
            let high = table[i] * r;
            table[i] += high;
            table.push(high);
        }
    }
    table
}

/// Forward additive butterfly: `lo[i] += twiddle * hi[i]`, then `hi[i] += lo[i]`.
pub fn butterfly(lo: &mut [F128], hi: &mut [F128], twiddle: F128) {
    assert_eq!(lo.len(), hi.len());
    for (l, h) in lo.iter_mut().zip(hi) {
        *l += twiddle * *h;
        *h += *l;
    }
}

/// Inverse additive butterfly: `hi[i] += lo[i]`, then `lo[i] += twiddle * hi[i]`.
pub fn inverse_butterfly(lo: &mut [F128], hi: &mut [F128], twiddle: F128) {
    assert_eq!(lo.len(), hi.len());
    for (l, h) in lo.iter_mut().zip(hi) {
        *h += *l;
        *l += twiddle * *h;
    }
}

/// Bucket accumulation: `bins[index[i]] += weights[i]`. `bins` holds every index that occurs.
pub fn histogram(bins: &mut [F128], index: &[u8], weights: &[F128]) {
    assert_eq!(index.len(), weights.len());
    for (&i, &w) in index.iter().zip(weights) {
        bins[usize::from(i)] += w;
    }
}

/// Table look-up: `dst[i] = table[index[i]]`. `table` holds every index that occurs.
pub fn gather(dst: &mut [F128], table: &[F128], index: &[u8]) {
    assert_eq!(dst.len(), index.len());
    for (d, &i) in dst.iter_mut().zip(index) {
        *d = table[usize::from(i)];
    }
}

/// Bit `plane` of each byte, packed least significant bit first into 128-bit words.
/// `dst` holds `ceil(bytes.len() / 128)` words; the bits beyond are zero.
pub fn pack_plane(dst: &mut [F128], bytes: &[u8], plane: u32) {
    assert_eq!(dst.len(), bytes.len().div_ceil(128));
    for (d, chunk) in dst.iter_mut().zip(bytes.chunks(128)) {
        let word = chunk.iter().rev().fold(0u128, |acc, &b| acc << 1 | u128::from(b >> plane & 1));
        *d = F128::new(word);
    }
}
