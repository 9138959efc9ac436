//! Groestl-256, eight messages at once, with AVX-512 and GFNI.

use core::arch::x86_64::*;
use std::arch::is_x86_feature_detected;

use crate::Digest;
use crate::arch::generic::groestl::{self, Lanes};

backend!(
    Avx512Gfni,
    is_x86_feature_detected,
    ["avx512f", "avx512bw", "avx512vbmi", "gfni"],
    fn hash_many(messages: &[u8], len: usize, digests: &mut [Digest]) = groestl::hash_many,
    fn compress_many(blocks: &[[u8; 64]], digests: &mut [Digest]) = groestl::compress_many
);

/// The linear part of the affine map of the AES S-box, as `GF2P8AFFINEINVQB` takes it: byte `7 - i`
/// selects the bits of bit `i` of the result.
const SUBSTITUTION: i64 = 0xf1e3_c78f_1f3e_7cf8_u64 as i64;

/// `TRANSPOSE[8 i + j] = 8 j + i`.
const TRANSPOSE: [u8; 64] = {
    let mut indices = [0; 64];
    let mut i = 0;
    while i < 64 {
        indices[i] = (i % 8 * 8 + i / 8) as u8;
        i += 1;
    }
    indices
};

impl Lanes for Avx512Gfni {
    type V = __m512i;
    const N: usize = 8;

    #[inline(always)]
    fn splat(self, row: u64) -> __m512i {
        // SAFETY: a token is made only where AVX-512F is enabled.
        unsafe { _mm512_set1_epi64(row as i64) }
    }

    #[inline(always)]
    fn xor(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: a token is made only where AVX-512F is enabled.
        unsafe { _mm512_xor_si512(a, b) }
    }

    #[inline(always)]
    fn double(self, a: __m512i) -> __m512i {
        // SAFETY: a token is made only where AVX-512F and GFNI are enabled.
        unsafe { _mm512_gf2p8mul_epi8(a, _mm512_set1_epi8(2)) }
    }

    #[inline(always)]
    fn substitute_and_shift<const BITS: i32>(self, a: __m512i) -> __m512i {
        // SAFETY: a token is made only where AVX-512F and GFNI are enabled.
        unsafe {
            let matrix = _mm512_set1_epi64(SUBSTITUTION);
            _mm512_gf2p8affineinv_epi64_epi8::<0x63>(_mm512_ror_epi64::<BITS>(a), matrix)
        }
    }

    #[inline(always)]
    fn load(self, blocks: &[u8], stride: usize) -> [__m512i; 8] {
        let mut states = [self.splat(0); 8];
        for (i, state) in states.iter_mut().enumerate() {
            let block = &blocks[i * stride..][..64];
            // SAFETY: the slice is 64 bytes; AVX-512F as above.
            *state = self.transpose_bytes(unsafe { _mm512_loadu_si512(block.as_ptr().cast()) });
        }
        self.transpose_lanes(states)
    }

    #[inline(always)]
    fn store(self, rows: [__m512i; 8], digests: &mut [Digest]) {
        for (digest, state) in digests[..8].iter_mut().zip(self.transpose_lanes(rows)) {
            let state = self.transpose_bytes(state);
            // SAFETY: a digest is 32 bytes; AVX-512F as above.
            unsafe {
                let half = _mm512_extracti64x4_epi64::<1>(state);
                _mm256_storeu_si256(digest.as_mut_ptr().cast(), half);
            }
        }
    }
}

impl Avx512Gfni {
    /// Rows from columns, within one state; its own inverse.
    #[inline(always)]
    fn transpose_bytes(self, state: __m512i) -> __m512i {
        // SAFETY: `TRANSPOSE` is 64 bytes; a token is made only where AVX-512VBMI is enabled.
        unsafe { _mm512_permutexvar_epi8(_mm512_loadu_si512(TRANSPOSE.as_ptr().cast()), state) }
    }

    /// The transpose of a square matrix of 64-bit words, a row to a vector.
    #[inline(always)]
    fn transpose_lanes(self, rows: [__m512i; 8]) -> [__m512i; 8] {
        let (mut pairs, mut quads, mut columns) = (rows, rows, rows);
        // SAFETY: a token is made only where AVX-512F is enabled.
        unsafe {
            for i in [0, 2, 4, 6] {
                // The columns of one parity, of rows i and i + 1.
                pairs[i] = _mm512_unpacklo_epi64(rows[i], rows[i + 1]);
                pairs[i + 1] = _mm512_unpackhi_epi64(rows[i], rows[i + 1]);
            }
            for i in [0, 1, 4, 5] {
                // Two of these columns, of rows i to i + 3.
                quads[i] = _mm512_shuffle_i64x2::<0b01_00_01_00>(pairs[i], pairs[i + 2]);
                quads[i + 2] = _mm512_shuffle_i64x2::<0b11_10_11_10>(pairs[i], pairs[i + 2]);
            }
            for i in 0..4 {
                let column = i % 2 + i / 2 * 4;
                columns[column] = _mm512_shuffle_i64x2::<0b10_00_10_00>(quads[i], quads[i + 4]);
                columns[column + 2] = _mm512_shuffle_i64x2::<0b11_01_11_01>(quads[i], quads[i + 4]);
            }
        }
        columns
    }
}
