//! Sums of products of bytes: the arithmetic that the proofs are about.

use super::dispatch::Backend;

/// Rows of a block.
pub(crate) const ROWS: usize = 16;
/// Columns of a block.
pub(crate) const COLS: usize = 4;

/// The sums of a block.
type Sums = [[i32; ROWS]; COLS];
/// One step of a block's rows.
type Step = [[i8; 4]; ROWS];

/// `sums[b][c][r] += sum_i sum_t x[b n + i][r][t] w[c][i][t]`, wrapping, over `n` steps.
///
/// Precondition: all of `w` have `n` steps, and `x` as many for each block.
#[inline]
pub(crate) fn add_quad_products(
    backend: Backend,
    sums: &mut [Sums],
    x: &[Step],
    w: [&[[u8; 4]]; COLS],
) {
    #[cfg(target_arch = "x86_64")]
    if backend.has_avx512() && std::arch::is_x86_feature_detected!("avx512vnni") {
        // SAFETY: a `Backend` that has AVX-512F is only made after the processor was found to; it has AVX512-VNNI too.
        return unsafe { vnni(sums, x, w) };
    }
    let steps = w[0].len().max(1);
    for (sums, x) in sums.iter_mut().zip(x.chunks_exact(steps)) {
        #[cfg(target_arch = "x86_64")]
        if backend.has_avx2() {
            // SAFETY: a `Backend` that has AVX2 is only made after the processor was found to.
            unsafe { avx2(sums, x, w) };
            continue;
        }
        portable(sums, x, w);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = backend;
}

fn portable(sums: &mut Sums, x: &[Step], w: [&[[u8; 4]]; COLS]) {
    for (sums, w) in sums.iter_mut().zip(w) {
        for (x, w) in x.iter().zip(w) {
            for (sum, x) in sums.iter_mut().zip(x) {
                let products = x.iter().zip(w).map(|(&x, &w)| i32::from(x) * i32::from(w));
                *sum = sum.wrapping_add(products.sum());
            }
        }
    }
}

/// Two blocks at a time: a weight is read once for both.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
#[target_feature(enable = "avx512vnni")]
fn vnni(sums: &mut [Sums], x: &[Step], w: [&[[u8; 4]]; COLS]) {
    let n = w[0].len();
    let (pairs, last) = sums.as_chunks_mut::<2>();
    let (x_pairs, x_last) = x.split_at(2 * n * pairs.len());
    for (sums, x) in pairs.iter_mut().zip(x_pairs.chunks_exact(2 * n.max(1))) {
        vnni_blocks(sums, [&x[..n], &x[n..]], w);
    }
    if let [sums] = last {
        vnni_blocks(core::array::from_mut(sums), [&x_last[..n]], w);
    }
}

/// Two steps at a time into sums of their own: a sum takes a step every fifth cycle, all sums two a cycle.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
#[target_feature(enable = "avx512vnni")]
fn vnni_blocks<const N: usize>(sums: &mut [Sums; N], x: [&[Step]; N], w: [&[[u8; 4]]; COLS]) {
    use core::arch::x86_64::{
        _mm512_add_epi32, _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_set1_epi32,
        _mm512_setzero_si512, _mm512_storeu_si512,
    };

    let load = |x: &Step| {
        // SAFETY: `x` is 64 readable bytes.
        unsafe { _mm512_loadu_si512(x.as_ptr().cast()) }
    };
    let n = w.iter().fold(x.iter().fold(w[0].len(), |n, x| n.min(x.len())), |n, w| n.min(w.len()));
    let x_pairs = x.map(|x| &x.as_chunks::<2>().0[..n / 2]);
    let w_pairs = w.map(|w| &w.as_chunks::<2>().0[..n / 2]);
    let mut totals = [[[_mm512_setzero_si512(); 2]; COLS]; N];
    for i in 0..n / 2 {
        for t in 0..2 {
            let rows = x_pairs.map(|x| load(&x[i][t]));
            for (c, w) in w_pairs.iter().enumerate() {
                let four = _mm512_set1_epi32(bytemuck::cast(w[i][t]));
                for (totals, rows) in totals.iter_mut().zip(rows) {
                    totals[c][t] = _mm512_dpbusd_epi32(totals[c][t], four, rows);
                }
            }
        }
    }
    if !n.is_multiple_of(2) {
        for (c, w) in w.iter().enumerate() {
            let four = _mm512_set1_epi32(bytemuck::cast(w[n - 1]));
            for (totals, x) in totals.iter_mut().zip(x) {
                totals[c][0] = _mm512_dpbusd_epi32(totals[c][0], four, load(&x[n - 1]));
            }
        }
    }
    for (sums, totals) in sums.iter_mut().zip(totals) {
        for (column, [a, b]) in sums.iter_mut().zip(totals) {
            // SAFETY: `column` is 64 readable bytes.
            let sum = unsafe { _mm512_loadu_si512(column.as_ptr().cast()) };
            let sum = _mm512_add_epi32(sum, _mm512_add_epi32(a, b));
            // SAFETY: `column` is 64 writable bytes.
            unsafe { _mm512_storeu_si512(column.as_mut_ptr().cast(), sum) }
        }
    }
}

/// Even and odd bytes apart, as pairs of 16 bits: products of bytes two by two exceed these.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2(sums: &mut Sums, x: &[Step], w: [&[[u8; 4]]; COLS]) {
    use core::arch::x86_64::{
        __m256i, _mm256_add_epi32, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_set1_epi32,
        _mm256_slli_epi16, _mm256_srai_epi16, _mm256_storeu_si256,
    };

    let load = |half: *const __m256i| {
        // SAFETY: all callers pass a pointer to 32 readable bytes.
        unsafe { _mm256_loadu_si256(half) }
    };
    let pair = |low: u8, high: u8| _mm256_set1_epi32(i32::from(high) << 16 | i32::from(low));
    let mut totals = sums.each_ref().map(|column| {
        let (halves, _) = column.as_chunks::<8>();
        [load(halves[0].as_ptr().cast()), load(halves[1].as_ptr().cast())]
    });
    let n = w.iter().fold(x.len(), |n, w| n.min(w.len()));
    let w = w.map(|w| &w[..n]);
    for (i, x) in x[..n].iter().enumerate() {
        let (halves, _) = x.as_chunks::<8>();
        let rows = [load(halves[0].as_ptr().cast()), load(halves[1].as_ptr().cast())];
        let even = |row| _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(row));
        let rows = rows.map(|row| [even(row), _mm256_srai_epi16::<8>(row)]);
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
            blocks in 0usize..=5,
            w in vec(vec(byte(), 4 * COLS), 0..20),
            x in vec(byte(), 5 * 20 * 4 * ROWS),
        ) {
            let n = w.len();
            let x: Vec<Step> = x
                .chunks_exact(4 * ROWS)
                .map(|x| core::array::from_fn(|r| core::array::from_fn(|t| x[4 * r + t] as i8)))
                .take(blocks * n)
                .collect();
            let w: [Vec<[u8; 4]>; COLS] = core::array::from_fn(|c| {
                w.iter().map(|w| core::array::from_fn(|t| w[4 * c + t])).collect()
            });
            let w = w.each_ref().map(Vec::as_slice);
            let start = vec![[[i32::MAX; ROWS]; COLS]; blocks];
            let mut expected = start.clone();
            for (sums, x) in expected.iter_mut().zip(x.chunks_exact(n.max(1))) {
                for (c, column) in sums.iter_mut().enumerate() {
                    for (r, sum) in column.iter_mut().enumerate() {
                        for (x, w) in x.iter().zip(w[c]) {
                            for t in 0..4 {
                                let product = i32::from(x[r][t]) * i32::from(w[t]);
                                *sum = sum.wrapping_add(product);
                            }
                        }
                    }
                }
            }
            for backend in Backend::available() {
                let mut sums = start.clone();
                add_quad_products(backend, &mut sums, &x, w);
                prop_assert_eq!(&sums, &expected, "{:?}", backend);
            }
        }
    }
}
