//! Vision Mark-32, 64 messages at once, with AVX-512 and GFNI.

use core::arch::x86_64::*;
use std::arch::is_x86_feature_detected;

use crate::Digest;
use crate::arch::generic::vision::{self, Lanes};

backend!(
    Avx512Gfni,
    is_x86_feature_detected,
    ["avx512f", "avx512bw", "gfni"],
    fn hash_many(messages: &[u8], len: usize, digests: &mut [Digest]) = vision::hash_many,
    fn compress_many(blocks: &[[u8; 64]], digests: &mut [Digest]) = vision::compress_many
);

/// The matrix of the map that changes nothing.
const IDENTITY: i64 = 0x0102_0408_1020_4080;

impl Lanes for Avx512Gfni {
    type V = __m512i;

    #[inline(always)]
    fn splat(self, byte: u8) -> __m512i {
        // SAFETY: a token is made only where AVX-512F is enabled.
        unsafe { _mm512_set1_epi8(byte as i8) }
    }

    #[inline(always)]
    fn load(self, bytes: &[u8; 64]) -> __m512i {
        // SAFETY: `bytes` is 64 readable bytes; a token is made only where AVX-512F is enabled.
        unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, bytes: &mut [u8; 64], v: __m512i) {
        // SAFETY: `bytes` is 64 writable bytes; a token is made only where AVX-512F is enabled.
        unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), v) }
    }

    #[inline(always)]
    fn xor(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: a token is made only where AVX-512F is enabled.
        unsafe { _mm512_xor_si512(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: a token is made only where AVX-512F and GFNI are enabled.
        unsafe { _mm512_gf2p8mul_epi8(a, b) }
    }

    #[inline(always)]
    fn invert(self, a: __m512i) -> __m512i {
        // SAFETY: a token is made only where AVX-512F and GFNI are enabled.
        unsafe { _mm512_gf2p8affineinv_epi64_epi8::<0>(a, _mm512_set1_epi64(IDENTITY)) }
    }

    #[inline(always)]
    fn affine(self, a: __m512i, matrix: u64) -> __m512i {
        // SAFETY: a token is made only where AVX-512F and GFNI are enabled.
        unsafe { _mm512_gf2p8affine_epi64_epi8::<0>(a, _mm512_set1_epi64(matrix as i64)) }
    }

    #[inline(always)]
    fn interleave(self, a: __m512i, b: __m512i) -> (__m512i, __m512i) {
        // SAFETY: a token is made only where AVX-512BW is enabled.
        unsafe { (_mm512_unpacklo_epi8(a, b), _mm512_unpackhi_epi8(a, b)) }
    }
}
