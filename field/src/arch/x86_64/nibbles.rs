//! Nibble lanes: byte shuffles, of AVX2 on 256 bits and of SSSE3 on twice 128.

use core::arch::x86_64::{
    __m128i, __m256i, _mm_adds_epi8, _mm_and_si128, _mm_cmpgt_epi8, _mm_loadu_si128, _mm_set1_epi8,
    _mm_shuffle_epi8, _mm_srli_epi16, _mm_storeu_si128, _mm_sub_epi8, _mm_xor_si128,
    _mm256_adds_epi8, _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_cmpgt_epi8,
    _mm256_loadu_si256, _mm256_set1_epi8, _mm256_shuffle_epi8, _mm256_srli_epi16,
    _mm256_storeu_si256, _mm256_sub_epi8, _mm256_xor_si256,
};

use super::super::generic::NibbleLanes;
use super::avx2::Avx2;
use super::pclmul::Pclmul;

impl NibbleLanes for Avx2 {
    type Register = __m256i;
    type Table = __m256i;

    #[inline(always)]
    fn load_bytes(self, src: &[u8; 32]) -> __m256i {
        // SAFETY: `src` is 32 readable bytes; `self` proves AVX2.
        unsafe { _mm256_loadu_si256(src.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store_bytes(self, dst: &mut [u8; 32], v: __m256i) {
        // SAFETY: `dst` is 32 writable bytes; `self` proves AVX2.
        unsafe { _mm256_storeu_si256(dst.as_mut_ptr().cast(), v) }
    }

    #[inline(always)]
    fn xor_bytes(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_xor_si256(a, b) }
    }

    #[inline(always)]
    fn nibbles(self, v: __m256i) -> [__m256i; 2] {
        // SAFETY: `self` proves AVX2.
        unsafe {
            let mask = _mm256_set1_epi8(0xf);
            [_mm256_and_si256(v, mask), _mm256_and_si256(_mm256_srli_epi16::<4>(v), mask)]
        }
    }

    #[inline(always)]
    fn table(self, entries: &[u8; 16]) -> __m256i {
        // SAFETY: `entries` is 16 readable bytes; `self` proves AVX2.
        unsafe { _mm256_broadcastsi128_si256(_mm_loadu_si128(entries.as_ptr().cast())) }
    }

    #[inline(always)]
    fn entries(self, table: __m256i, numbers: __m256i) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_shuffle_epi8(table, numbers) }
    }

    /// From 15 on one more is 16 and the rest, of which shuffles take the rest.
    #[inline(always)]
    fn add_logarithms(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe {
            let sum = _mm256_adds_epi8(a, b);
            _mm256_sub_epi8(sum, _mm256_cmpgt_epi8(sum, _mm256_set1_epi8(14)))
        }
    }
}

impl NibbleLanes for Pclmul {
    type Register = [__m128i; 2];
    type Table = __m128i;

    const SUMS: usize = 6;

    #[inline(always)]
    fn load_bytes(self, src: &[u8; 32]) -> [__m128i; 2] {
        let src = src.as_ptr().cast::<__m128i>();
        // SAFETY: `src` is 32 readable bytes; SSE2 is part of x86-64.
        unsafe { [_mm_loadu_si128(src), _mm_loadu_si128(src.add(1))] }
    }

    #[inline(always)]
    fn store_bytes(self, dst: &mut [u8; 32], [low, high]: [__m128i; 2]) {
        let dst = dst.as_mut_ptr().cast::<__m128i>();
        // SAFETY: `dst` is 32 writable bytes; SSE2 is part of x86-64.
        unsafe {
            _mm_storeu_si128(dst, low);
            _mm_storeu_si128(dst.add(1), high);
        }
    }

    #[inline(always)]
    fn xor_bytes(self, a: [__m128i; 2], b: [__m128i; 2]) -> [__m128i; 2] {
        // SAFETY: SSE2 is part of x86-64.
        unsafe { [_mm_xor_si128(a[0], b[0]), _mm_xor_si128(a[1], b[1])] }
    }

    #[inline(always)]
    fn nibbles(self, v: [__m128i; 2]) -> [[__m128i; 2]; 2] {
        // SAFETY: SSE2 is part of x86-64.
        unsafe {
            let mask = _mm_set1_epi8(0xf);
            let high = [_mm_srli_epi16::<4>(v[0]), _mm_srli_epi16::<4>(v[1])];
            [
                [_mm_and_si128(v[0], mask), _mm_and_si128(v[1], mask)],
                [_mm_and_si128(high[0], mask), _mm_and_si128(high[1], mask)],
            ]
        }
    }

    #[inline(always)]
    fn table(self, entries: &[u8; 16]) -> __m128i {
        // SAFETY: `entries` is 16 readable bytes; SSE2 is part of x86-64.
        unsafe { _mm_loadu_si128(entries.as_ptr().cast()) }
    }

    #[inline(always)]
    fn entries(self, table: __m128i, numbers: [__m128i; 2]) -> [__m128i; 2] {
        // SAFETY: `self` proves SSSE3.
        unsafe { [_mm_shuffle_epi8(table, numbers[0]), _mm_shuffle_epi8(table, numbers[1])] }
    }

    /// As on 256 bits.
    #[inline(always)]
    fn add_logarithms(self, a: [__m128i; 2], b: [__m128i; 2]) -> [__m128i; 2] {
        // SAFETY: SSE2 is part of x86-64.
        unsafe {
            let (low, high) = (_mm_adds_epi8(a[0], b[0]), _mm_adds_epi8(a[1], b[1]));
            let most = _mm_set1_epi8(14);
            [
                _mm_sub_epi8(low, _mm_cmpgt_epi8(low, most)),
                _mm_sub_epi8(high, _mm_cmpgt_epi8(high, most)),
            ]
        }
    }
}
