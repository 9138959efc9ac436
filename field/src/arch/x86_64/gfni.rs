//! Byte lanes: GFNI on 512 bits.

use core::arch::x86_64::{
    __m512i, _mm512_gf2p8affine_epi64_epi8, _mm512_gf2p8affineinv_epi64_epi8, _mm512_gf2p8mul_epi8,
    _mm512_loadu_si512, _mm512_set1_epi64, _mm512_storeu_si512, _mm512_unpackhi_epi8,
    _mm512_unpacklo_epi8,
};

use super::super::generic::{ByteLanes, Clmul};
use super::avx512::Avx512;

/// The matrix of the map that changes nothing.
const IDENTITY: i64 = 0x0102_0408_1020_4080;

impl ByteLanes for Avx512 {
    type Register = __m512i;

    #[inline(always)]
    fn load_bytes(self, src: &[u8; 64]) -> __m512i {
        // SAFETY: `src` is 64 readable bytes; `self` proves AVX-512F.
        unsafe { _mm512_loadu_si512(src.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store_bytes(self, dst: &mut [u8; 64], v: __m512i) {
        // SAFETY: `dst` is 64 writable bytes; `self` proves AVX-512F.
        unsafe { _mm512_storeu_si512(dst.as_mut_ptr().cast(), v) }
    }

    #[inline(always)]
    fn xor_bytes(self, a: __m512i, b: __m512i) -> __m512i {
        self.xor(a, b)
    }

    #[inline(always)]
    fn affine(self, v: __m512i, matrix: u64) -> __m512i {
        // SAFETY: `self` proves AVX-512F and GFNI.
        unsafe { _mm512_gf2p8affine_epi64_epi8::<0>(v, _mm512_set1_epi64(matrix as i64)) }
    }

    #[inline(always)]
    fn affine_each(self, v: __m512i, matrices: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512F and GFNI.
        unsafe { _mm512_gf2p8affine_epi64_epi8::<0>(v, matrices) }
    }

    #[inline(always)]
    fn functionals(self, v: __m512i, rows: u64) -> __m512i {
        // SAFETY: `self` proves AVX-512F and GFNI.
        unsafe { _mm512_gf2p8affine_epi64_epi8::<0>(_mm512_set1_epi64(rows as i64), v) }
    }

    #[inline(always)]
    fn mul_bytes(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512F and GFNI.
        unsafe { _mm512_gf2p8mul_epi8(a, b) }
    }

    #[inline(always)]
    fn invert_bytes(self, v: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512F and GFNI.
        unsafe { _mm512_gf2p8affineinv_epi64_epi8::<0>(v, _mm512_set1_epi64(IDENTITY)) }
    }

    #[inline(always)]
    fn interleave(self, a: __m512i, b: __m512i) -> (__m512i, __m512i) {
        // SAFETY: `self` proves AVX-512BW.
        unsafe { (_mm512_unpacklo_epi8(a, b), _mm512_unpackhi_epi8(a, b)) }
    }

    #[inline(always)]
    fn sum_lanes(self, v: __m512i) -> [u8; 16] {
        Clmul::sum(self, v).to_bits().to_le_bytes()
    }
}
