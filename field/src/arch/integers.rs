//! Sums of products of bytes: the arithmetic that the proofs are about.

use super::dispatch::Backend;

/// Rows of a block.
pub(crate) const ROWS: usize = 16;
/// Columns of a block.
pub(crate) const COLS: usize = 4;

/// `sums[c][r] += sum_i sum_t x[i][r][t] w[c][i][t]`, wrapping, over the shortest length.
#[inline]
pub(crate) fn add_quad_products(
    backend: Backend,
    sums: &mut [[i32; ROWS]; COLS],
    x: &[[[u8; 4]; ROWS]],
    w: [&[[i8; 4]]; COLS],
) {
    #[cfg(target_arch = "x86_64")]
    if backend.has_avx512() && std::arch::is_x86_feature_detected!("avx512vnni") {
        // SAFETY: a `Backend` that has AVX-512F is only made after the processor was found to; it has AVX512-VNNI too.
        return unsafe { vnni(sums, x, w) };
    }
    #[cfg(target_arch = "x86_64")]
    if backend.has_avx2() {
        // SAFETY: a `Backend` that has AVX2 is only made after the processor was found to.
        return unsafe { avx2(sums, x, w) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = backend;
    portable(sums, x, w);
}

fn portable(sums: &mut [[i32; ROWS]; COLS], x: &[[[u8; 4]; ROWS]], w: [&[[i8; 4]]; COLS]) {
    for (sums, w) in sums.iter_mut().zip(w) {
        for (x, w) in x.iter().zip(w) {
            for (sum, x) in sums.iter_mut().zip(x) {
                let products = x.iter().zip(w).map(|(&x, &w)| i32::from(x) * i32::from(w));
                *sum = sum.wrapping_add(products.sum());
            }
        }
    }
}

/// Two steps at a time into sums of their own: a sum takes one step in as many cycles as four columns take in two.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
#[target_feature(enable = "avx512vnni")]
fn vnni(sums: &mut [[i32; ROWS]; COLS], x: &[[[u8; 4]; ROWS]], w: [&[[i8; 4]]; COLS]) {
    use core::arch::x86_64::{
        _mm512_add_epi32, _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_set1_epi32,
        _mm512_setzero_si512, _mm512_storeu_si512,
    };

    let mut totals = sums.each_ref().map(|column| {
        // SAFETY: `column` is 64 readable bytes.
        let first = unsafe { _mm512_loadu_si512(column.as_ptr().cast()) };
        [first, _mm512_setzero_si512()]
    });
    let n = w.iter().fold(x.len(), |n, w| n.min(w.len()));
    let w = w.map(|w| w[..n].as_chunks::<2>());
    let (steps, last) = x[..n].as_chunks::<2>();
    let [w0, w1, w2, w3] = w.map(|w| w.0);
    let w_steps = w0.iter().zip(w1).zip(w2.iter().zip(w3));
    let add = |total, x: &[[u8; 4]; ROWS], four: [i8; 4]| {
        // SAFETY: `x` is 64 readable bytes.
        let rows = unsafe { _mm512_loadu_si512(x.as_ptr().cast()) };
        _mm512_dpbusd_epi32(total, rows, _mm512_set1_epi32(bytemuck::cast(four)))
    };
    for (x, ((w0, w1), (w2, w3))) in steps.iter().zip(w_steps) {
        for t in 0..2 {
            for (total, w) in totals.iter_mut().zip([w0, w1, w2, w3]) {
                total[t] = add(total[t], &x[t], w[t]);
            }
        }
    }
    for x in last {
        for (total, w) in totals.iter_mut().zip(w) {
            total[0] = w.1.first().map_or(total[0], |&four| add(total[0], x, four));
        }
    }
    for (column, [a, b]) in sums.iter_mut().zip(totals) {
        // SAFETY: `column` is 64 writable bytes.
        unsafe { _mm512_storeu_si512(column.as_mut_ptr().cast(), _mm512_add_epi32(a, b)) }
    }
}

/// Even and odd bytes apart, as pairs of 16 bits: products of bytes two by two exceed these.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2(sums: &mut [[i32; ROWS]; COLS], x: &[[[u8; 4]; ROWS]], w: [&[[i8; 4]]; COLS]) {
    use core::arch::x86_64::{
        __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_loadu_si256, _mm256_madd_epi16,
        _mm256_set1_epi16, _mm256_set1_epi32, _mm256_srli_epi16, _mm256_storeu_si256,
    };

    let load = |half: *const __m256i| {
        // SAFETY: all callers pass a pointer to 32 readable bytes.
        unsafe { _mm256_loadu_si256(half) }
    };
    let pair = |low: i8, high: i8| {
        _mm256_set1_epi32(i32::from(high) << 16 | i32::from(i16::from(low) as u16))
    };
    let mut totals = sums.each_ref().map(|column| {
        let (halves, _) = column.as_chunks::<8>();
        [load(halves[0].as_ptr().cast()), load(halves[1].as_ptr().cast())]
    });
    let n = w.iter().fold(x.len(), |n, w| n.min(w.len()));
    let w = w.map(|w| &w[..n]);
    let even = _mm256_set1_epi16(0xff);
    for (i, x) in x[..n].iter().enumerate() {
        let (halves, _) = x.as_chunks::<8>();
        let rows = [load(halves[0].as_ptr().cast()), load(halves[1].as_ptr().cast())];
        let rows = rows.map(|row| [_mm256_and_si256(row, even), _mm256_srli_epi16::<8>(row)]);
        for (total, w) in totals.iter_mut().zip(w) {
            let [w0, w1, w2, w3] = w[i];
            let weights = [pair(w0, w2), pair(w1, w3)];
            for (total, row) in total.iter_mut().zip(rows) {
                for (row, weights) in row.into_iter().zip(weights) {
                    *total = _mm256_add_epi32(*total, _mm256_madd_epi16(row, weights));
                }
            }
        }
    }
    for (column, total) in sums.iter_mut().zip(totals) {
        let (halves, _) = column.as_chunks_mut::<8>();
        for (half, total) in halves.iter_mut().zip(total) {
            // SAFETY: `half` is 32 writable bytes.
            unsafe { _mm256_storeu_si256(half.as_mut_ptr().cast(), total) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// Bytes, the largest often.
    fn byte() -> impl Strategy<Value = u8> {
        prop_oneof![any::<u8>(), Just(0x80), Just(0xff)]
    }

    proptest! {
        #[test]
        fn every_backend_multiplies_integers(
            x in vec(vec(byte(), 4 * ROWS), 0..20),
            w in vec(vec(byte(), 4 * COLS), 0..20),
        ) {
            let x: Vec<[[u8; 4]; ROWS]> =
                x.iter().map(|x| core::array::from_fn(|r| core::array::from_fn(|t| x[4 * r + t]))).collect();
            let w: [Vec<[i8; 4]>; COLS] = core::array::from_fn(|c| {
                w.iter().map(|w| core::array::from_fn(|t| w[4 * c + t] as i8)).collect()
            });
            let w = w.each_ref().map(Vec::as_slice);
            let start = [[i32::MAX; ROWS]; COLS];
            let mut expected = start;
            for (c, column) in expected.iter_mut().enumerate() {
                for (r, sum) in column.iter_mut().enumerate() {
                    for (x, w) in x.iter().zip(w[c]) {
                        for t in 0..4 {
                            let product = i32::from(x[r][t]) * i32::from(w[t]);
                            *sum = sum.wrapping_add(product);
                        }
                    }
                }
            }
            for backend in Backend::available() {
                let mut sums = start;
                add_quad_products(backend, &mut sums, &x, w);
                prop_assert_eq!(sums, expected, "{:?}", backend);
            }
        }
    }
}
