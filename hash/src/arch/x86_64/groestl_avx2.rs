//! Groestl-256, four messages at once, with AVX2 and VAES.

use core::arch::x86_64::*;
use std::arch::is_x86_feature_detected;

use crate::Digest;
use crate::arch::generic::groestl::{self, AES_SHIFTS, Lanes};

backend!(
    Avx2Vaes,
    is_x86_feature_detected,
    ["avx2", "vaes"],
    fn hash_many(messages: &[u8], len: usize, digests: &mut [Digest]) = groestl::hash_many,
    fn compress_many(blocks: &[[u8; 64]], digests: &mut [Digest]) = groestl::compress_many
);

impl Lanes for Avx2Vaes {
    type V = __m256i;
    const N: usize = 4;

    #[inline(always)]
    fn splat(self, row: u64) -> __m256i {
        // SAFETY: a token is made only where AVX2 is enabled.
        unsafe { _mm256_set1_epi64x(row as i64) }
    }

    #[inline(always)]
    fn xor(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: a token is made only where AVX2 is enabled.
        unsafe { _mm256_xor_si256(a, b) }
    }

    #[inline(always)]
    fn double(self, a: __m256i) -> __m256i {
        // SAFETY: a token is made only where AVX2 is enabled.
        unsafe {
            let carries = _mm256_cmpgt_epi8(_mm256_setzero_si256(), a);
            let reduction = _mm256_and_si256(carries, _mm256_set1_epi8(0x1b));
            _mm256_xor_si256(_mm256_add_epi8(a, a), reduction)
        }
    }

    #[inline(always)]
    fn substitute_and_shift<const BITS: i32>(self, a: __m256i) -> __m256i {
        // SAFETY: an entry of `AES_SHIFTS` is 16 bytes; a token is made only where AVX2 and VAES are
        // enabled.
        unsafe {
            let shuffle = _mm_loadu_si128(AES_SHIFTS[BITS as usize / 8].as_ptr().cast());
            let shifted = _mm256_shuffle_epi8(a, _mm256_broadcastsi128_si256(shuffle));
            _mm256_aesenclast_epi128(shifted, _mm256_setzero_si256())
        }
    }

    #[inline(always)]
    fn load(self, blocks: &[u8], stride: usize) -> [__m256i; 8] {
        let mut rows = [self.splat(0); 8];
        let mut state = [self.splat(0); 4];
        // SAFETY: the slices are 16 bytes; a token is made only where AVX2 is enabled.
        unsafe {
            // States i and i + 2 share vectors; vector q has columns 2 q and 2 q + 1, and after
            // transposition rows 2 q and 2 q + 1.
            for i in 0..2 {
                for (q, columns) in state.iter_mut().enumerate() {
                    let low = &blocks[i * stride + 16 * q..][..16];
                    let high = &blocks[(i + 2) * stride + 16 * q..][..16];
                    *columns = _mm256_set_m128i(
                        _mm_loadu_si128(high.as_ptr().cast()),
                        _mm_loadu_si128(low.as_ptr().cast()),
                    );
                }
                rows[4 * i..][..4].copy_from_slice(&self.transpose_bytes(state));
            }
            let [a0, a1, a2, a3, b0, b1, b2, b3] = rows;
            [
                _mm256_unpacklo_epi64(a0, b0),
                _mm256_unpackhi_epi64(a0, b0),
                _mm256_unpacklo_epi64(a1, b1),
                _mm256_unpackhi_epi64(a1, b1),
                _mm256_unpacklo_epi64(a2, b2),
                _mm256_unpackhi_epi64(a2, b2),
                _mm256_unpacklo_epi64(a3, b3),
                _mm256_unpackhi_epi64(a3, b3),
            ]
        }
    }

    #[inline(always)]
    fn store(self, rows: [__m256i; 8], digests: &mut [Digest]) {
        let [r0, r1, r2, r3, r4, r5, r6, r7] = rows;
        // SAFETY: a digest is 32 bytes; a token is made only where AVX2 is enabled.
        unsafe {
            let states = [
                [
                    _mm256_unpacklo_epi64(r0, r1),
                    _mm256_unpacklo_epi64(r2, r3),
                    _mm256_unpacklo_epi64(r4, r5),
                    _mm256_unpacklo_epi64(r6, r7),
                ],
                [
                    _mm256_unpackhi_epi64(r0, r1),
                    _mm256_unpackhi_epi64(r2, r3),
                    _mm256_unpackhi_epi64(r4, r5),
                    _mm256_unpackhi_epi64(r6, r7),
                ],
            ];
            for (i, &state) in states.iter().enumerate() {
                let [_, _, q2, q3] = self.transpose_bytes(state);
                let low = _mm256_permute2x128_si256::<0x20>(q2, q3);
                let high = _mm256_permute2x128_si256::<0x31>(q2, q3);
                _mm256_storeu_si256(digests[i].as_mut_ptr().cast(), low);
                _mm256_storeu_si256(digests[i + 2].as_mut_ptr().cast(), high);
            }
        }
    }
}

impl Avx2Vaes {
    /// The transpose of an 8 x 8 matrix of bytes in each 128-bit lane, two columns to a vector;
    /// its own inverse.
    #[inline(always)]
    fn transpose_bytes(self, columns: [__m256i; 4]) -> [__m256i; 4] {
        // SAFETY: a token is made only where AVX2 is enabled.
        unsafe {
            let interleave = _mm256_broadcastsi128_si256(_mm_setr_epi8(
                0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15,
            ));
            let a0 = _mm256_shuffle_epi8(columns[0], interleave);
            let a1 = _mm256_shuffle_epi8(columns[1], interleave);
            let a2 = _mm256_shuffle_epi8(columns[2], interleave);
            let a3 = _mm256_shuffle_epi8(columns[3], interleave);
            let (low01, high01) = (_mm256_unpacklo_epi16(a0, a1), _mm256_unpackhi_epi16(a0, a1));
            let (low23, high23) = (_mm256_unpacklo_epi16(a2, a3), _mm256_unpackhi_epi16(a2, a3));
            [
                _mm256_unpacklo_epi32(low01, low23),
                _mm256_unpackhi_epi32(low01, low23),
                _mm256_unpacklo_epi32(high01, high23),
                _mm256_unpackhi_epi32(high01, high23),
            ]
        }
    }
}
