//! One lane: PCLMULQDQ on 128 bits.

use core::arch::x86_64::{
    __m128i, _mm_clmulepi64_si128, _mm_cvtsi32_si128, _mm_cvtsi128_si64, _mm_loadu_si128,
    _mm_movemask_epi8, _mm_set_epi64x, _mm_shuffle_epi32, _mm_sll_epi16, _mm_slli_si128,
    _mm_storeu_si128, _mm_unpackhi_epi64, _mm_xor_si128,
};
use std::arch::is_x86_feature_detected;

use super::super::generic::{Clmul, NoByteLanes};
use crate::F128;
use crate::kernels::Corner;

backend!(Pclmul, is_x86_feature_detected, ["sse2", "ssse3", "pclmulqdq"]);

impl Pclmul {
    /// # Safety
    ///
    /// The processor has SSSE3 and PCLMULQDQ.
    #[inline(always)]
    pub(super) unsafe fn assume() -> Self {
        Self(())
    }
}

#[inline(always)]
fn unpack(v: __m128i) -> F128 {
    // SAFETY: SSE2 is part of x86-64.
    let (low, high) = unsafe {
        (_mm_cvtsi128_si64(v) as u64, _mm_cvtsi128_si64(_mm_unpackhi_epi64(v, v)) as u64)
    };
    F128::new(u128::from(low) | u128::from(high) << 64)
}

impl Clmul<1> for Pclmul {
    type Register = __m128i;
    type One = Self;
    type Bytes = NoByteLanes;
    type Nibbles = Self;

    #[inline(always)]
    fn load(self, src: &[F128; 1]) -> __m128i {
        // SAFETY: `src` is 16 readable bytes; SSE2 is part of x86-64.
        unsafe { _mm_loadu_si128(src.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, dst: &mut [F128; 1], v: __m128i) {
        // SAFETY: `dst` is 16 writable bytes; SSE2 is part of x86-64.
        unsafe { _mm_storeu_si128(dst.as_mut_ptr().cast(), v) }
    }

    #[inline(always)]
    fn load_part(self, _src: &[F128]) -> __m128i {
        self.splat(F128::ZERO)
    }

    #[inline(always)]
    fn store_part(self, _dst: &mut [F128], _v: __m128i) {}

    #[inline(always)]
    fn splat(self, x: F128) -> __m128i {
        let bits = x.to_bits();
        // SAFETY: SSE2 is part of x86-64.
        unsafe { _mm_set_epi64x((bits >> 64) as i64, bits as i64) }
    }

    #[inline(always)]
    fn xor(self, a: __m128i, b: __m128i) -> __m128i {
        // SAFETY: SSE2 is part of x86-64.
        unsafe { _mm_xor_si128(a, b) }
    }

    #[inline(always)]
    fn clmul<const HALVES: i32>(self, a: __m128i, b: __m128i) -> __m128i {
        // SAFETY: `self` proves PCLMULQDQ.
        unsafe { _mm_clmulepi64_si128::<HALVES>(a, b) }
    }

    #[inline(always)]
    fn swap(self, v: __m128i) -> __m128i {
        // SAFETY: SSE2 is part of x86-64.
        unsafe { _mm_shuffle_epi32::<0b01_00_11_10>(v) }
    }

    #[inline(always)]
    fn raise(self, v: __m128i) -> __m128i {
        // SAFETY: SSE2 is part of x86-64.
        unsafe { _mm_slli_si128::<8>(v) }
    }

    #[inline(always)]
    fn sum(self, v: __m128i) -> F128 {
        unpack(v)
    }

    #[inline(always)]
    fn deinterleave(self, a: __m128i, b: __m128i) -> (__m128i, __m128i) {
        (a, b)
    }

    #[inline(always)]
    fn interleave(self, even: __m128i, odd: __m128i) -> (__m128i, __m128i) {
        (even, odd)
    }

    #[inline(always)]
    fn split_fours(self, a: __m128i, b: __m128i) -> (__m128i, __m128i) {
        (a, b)
    }

    #[inline(always)]
    fn one(self) -> Self {
        self
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
        for (i, sixteen) in bytes.as_chunks::<16>().0.iter().enumerate() {
            // SAFETY: `sixteen` is 16 readable bytes; SSE2 is part of x86-64.
            let mask = unsafe {
                let v = _mm_loadu_si128(sixteen.as_ptr().cast());
                _mm_movemask_epi8(_mm_sll_epi16(v, _mm_cvtsi32_si128(7 - plane as i32)))
            };
            bits |= (mask as u64) << (16 * i);
        }
        bits
    }
}
