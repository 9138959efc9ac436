//! Two lanes: VPCLMULQDQ on 256 bits.

use core::arch::x86_64::{
    __m128i, __m256i, _mm_cvtsi32_si128, _mm_loadu_si128, _mm_storeu_si128, _mm_xor_si128,
    _mm256_bslli_epi128, _mm256_castsi128_si256, _mm256_castsi256_si128, _mm256_clmulepi64_epi128,
    _mm256_extracti128_si256, _mm256_inserti128_si256, _mm256_loadu_si256, _mm256_movemask_epi8,
    _mm256_permute2x128_si256, _mm256_set_epi64x, _mm256_setzero_si256, _mm256_shuffle_epi32,
    _mm256_sll_epi16, _mm256_storeu_si256, _mm256_xor_si256, _mm256_zextsi128_si256,
};
use std::arch::is_x86_feature_detected;

use super::super::generic::{Clmul, NoByteLanes};
use super::pclmul::Pclmul;
use crate::F128;
use crate::kernels::Corner;

backend!(Avx2, is_x86_feature_detected, ["sse2", "pclmulqdq", "avx2", "vpclmulqdq"]);

impl Clmul<2> for Avx2 {
    type Register = __m256i;
    type One = Pclmul;
    type Bytes = NoByteLanes;
    type Nibbles = Self;

    #[inline(always)]
    fn load(self, src: &[F128; 2]) -> __m256i {
        // SAFETY: `src` is 32 readable bytes; `self` proves AVX2.
        unsafe { _mm256_loadu_si256(src.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, dst: &mut [F128; 2], v: __m256i) {
        // SAFETY: `dst` is 32 writable bytes; `self` proves AVX2.
        unsafe { _mm256_storeu_si256(dst.as_mut_ptr().cast(), v) }
    }

    #[inline(always)]
    fn load_part(self, src: &[F128]) -> __m256i {
        match src {
            // SAFETY: `x` is 16 readable bytes; `self` proves AVX2.
            [x, ..] => unsafe {
                let x: *const F128 = x;
                _mm256_zextsi128_si256(_mm_loadu_si128(x.cast()))
            },
            // SAFETY: `self` proves AVX2.
            [] => unsafe { _mm256_setzero_si256() },
        }
    }

    #[inline(always)]
    fn store_part(self, dst: &mut [F128], v: __m256i) {
        if let [x, ..] = dst {
            let x: *mut F128 = x;
            // SAFETY: `x` is 16 writable bytes; `self` proves AVX2.
            unsafe { _mm_storeu_si128(x.cast(), _mm256_castsi256_si128(v)) }
        }
    }

    /// Parts are loaded to their places: stores that a wider load waits for would take longer.
    #[inline(always)]
    fn load_each(self, src: [&F128; 2]) -> __m256i {
        // SAFETY: an element is 16 readable bytes; `self` proves SSE2.
        let part = |k: usize| unsafe { _mm_loadu_si128(core::ptr::from_ref(src[k]).cast()) };
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(part(0)), part(1)) }
    }

    #[inline(always)]
    fn splat(self, x: F128) -> __m256i {
        let (low, high) = (x.to_bits() as i64, (x.to_bits() >> 64) as i64);
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_set_epi64x(high, low, high, low) }
    }

    #[inline(always)]
    fn xor(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_xor_si256(a, b) }
    }

    #[inline(always)]
    fn clmul<const HALVES: i32>(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves VPCLMULQDQ.
        unsafe { _mm256_clmulepi64_epi128::<HALVES>(a, b) }
    }

    #[inline(always)]
    fn swap(self, v: __m256i) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_shuffle_epi32::<0b01_00_11_10>(v) }
    }

    #[inline(always)]
    fn raise(self, v: __m256i) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_bslli_epi128::<8>(v) }
    }

    #[inline(always)]
    fn sum(self, v: __m256i) -> F128 {
        // SAFETY: `self` proves AVX2.
        let total: __m128i =
            unsafe { _mm_xor_si128(_mm256_castsi256_si128(v), _mm256_extracti128_si256::<1>(v)) };
        Clmul::sum(self.one(), total)
    }

    #[inline(always)]
    fn deinterleave(self, a: __m256i, b: __m256i) -> (__m256i, __m256i) {
        // SAFETY: `self` proves AVX2.
        unsafe {
            (_mm256_permute2x128_si256::<0x20>(a, b), _mm256_permute2x128_si256::<0x31>(a, b))
        }
    }

    #[inline(always)]
    fn interleave(self, even: __m256i, odd: __m256i) -> (__m256i, __m256i) {
        self.deinterleave(even, odd)
    }

    #[inline(always)]
    fn split_fours(self, a: __m256i, b: __m256i) -> (__m256i, __m256i) {
        (a, b)
    }

    #[inline(always)]
    fn one(self) -> Pclmul {
        // SAFETY: `self` proves AVX2, which includes SSSE3, and PCLMULQDQ.
        unsafe { Pclmul::assume() }
    }

    #[inline(always)]
    fn byte_lanes(self) -> Option<NoByteLanes> {
        None
    }

    #[inline(always)]
    fn nibble_lanes(self) -> Option<Self> {
        Some(self)
    }

    #[inline(always)]
    fn plane(self, bytes: &[u8; 64], plane: u32) -> u64 {
        let mut bits = 0;
        for (i, half) in bytes.as_chunks::<32>().0.iter().enumerate() {
            // SAFETY: `half` is 32 readable bytes; `self` proves AVX2.
            let mask = unsafe {
                let v = _mm256_loadu_si256(half.as_ptr().cast());
                _mm256_movemask_epi8(_mm256_sll_epi16(v, _mm_cvtsi32_si128(7 - plane as i32)))
            };
            bits |= u64::from(mask as u32) << (32 * i);
        }
        bits
    }
}
