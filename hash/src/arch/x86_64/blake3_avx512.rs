//! BLAKE3, sixteen messages at once, with AVX-512F.

use core::arch::x86_64::*;
use std::arch::is_x86_feature_detected;

use crate::Digest;
use crate::arch::generic::blake3::{self, Lanes};

backend!(
    Avx512,
    is_x86_feature_detected,
    ["avx512f"],
    fn hash_many(key: &[u8; 32], messages: &[u8], len: usize, digests: &mut [Digest]) =
        blake3::hash_many
);

impl Lanes for Avx512 {
    type V = __m512i;
    const N: usize = 16;

    #[inline(always)]
    fn splat(self, word: u32) -> __m512i {
        // SAFETY: a token is made only where AVX-512F is enabled.
        unsafe { _mm512_set1_epi32(word as i32) }
    }

    #[inline(always)]
    fn add(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: a token is made only where AVX-512F is enabled.
        unsafe { _mm512_add_epi32(a, b) }
    }

    #[inline(always)]
    fn xor(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: a token is made only where AVX-512F is enabled.
        unsafe { _mm512_xor_si512(a, b) }
    }

    #[inline(always)]
    fn rotate_right<const BITS: i32>(self, a: __m512i) -> __m512i {
        // SAFETY: a token is made only where AVX-512F is enabled.
        unsafe { _mm512_ror_epi32::<BITS>(a) }
    }

    #[inline(always)]
    fn load(self, blocks: &[u8], stride: usize) -> [__m512i; 16] {
        let zero = self.splat(0);
        let (mut rows, mut quads, mut words) = ([zero; 16], [zero; 16], [zero; 16]);
        for (i, row) in rows.iter_mut().enumerate() {
            let block = &blocks[i * stride..][..64];
            // SAFETY: the slice is 64 bytes; AVX-512F as above.
            *row = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
        }
        // SAFETY: a token is made only where AVX-512F is enabled.
        unsafe {
            // quads[4 g + c]: words 4 k + c of blocks 4 g .. 4 g + 3 in 128-bit lane k.
            for (quads, rows) in quads.chunks_exact_mut(4).zip(rows.chunks_exact(4)) {
                let [r0, r1, r2, r3] = [rows[0], rows[1], rows[2], rows[3]];
                let (a, b) = (_mm512_unpacklo_epi32(r0, r1), _mm512_unpackhi_epi32(r0, r1));
                let (c, d) = (_mm512_unpacklo_epi32(r2, r3), _mm512_unpackhi_epi32(r2, r3));
                quads[0] = _mm512_unpacklo_epi64(a, c);
                quads[1] = _mm512_unpackhi_epi64(a, c);
                quads[2] = _mm512_unpacklo_epi64(b, d);
                quads[3] = _mm512_unpackhi_epi64(b, d);
            }
            for c in 0..4 {
                let (q0, q1, q2, q3) = (quads[c], quads[4 + c], quads[8 + c], quads[12 + c]);
                let low01 = _mm512_shuffle_i32x4::<0b01_00_01_00>(q0, q1);
                let high01 = _mm512_shuffle_i32x4::<0b11_10_11_10>(q0, q1);
                let low23 = _mm512_shuffle_i32x4::<0b01_00_01_00>(q2, q3);
                let high23 = _mm512_shuffle_i32x4::<0b11_10_11_10>(q2, q3);
                words[c] = _mm512_shuffle_i32x4::<0b10_00_10_00>(low01, low23);
                words[4 + c] = _mm512_shuffle_i32x4::<0b11_01_11_01>(low01, low23);
                words[8 + c] = _mm512_shuffle_i32x4::<0b10_00_10_00>(high01, high23);
                words[12 + c] = _mm512_shuffle_i32x4::<0b11_01_11_01>(high01, high23);
            }
        }
        words
    }

    #[inline(always)]
    fn store(self, words: [__m512i; 8], digests: &mut [Digest]) {
        let digests = &mut digests[..16];
        let mut halves = [[self.splat(0); 4]; 2];
        // SAFETY: a token is made only where AVX-512F is enabled.
        unsafe {
            // halves[h][c]: words 4 h .. 4 h + 3 of message 4 k + c in 128-bit lane k.
            for (halves, rows) in halves.iter_mut().zip(words.chunks_exact(4)) {
                let [r0, r1, r2, r3] = [rows[0], rows[1], rows[2], rows[3]];
                let (a, b) = (_mm512_unpacklo_epi32(r0, r1), _mm512_unpackhi_epi32(r0, r1));
                let (c, d) = (_mm512_unpacklo_epi32(r2, r3), _mm512_unpackhi_epi32(r2, r3));
                *halves = [
                    _mm512_unpacklo_epi64(a, c),
                    _mm512_unpackhi_epi64(a, c),
                    _mm512_unpacklo_epi64(b, d),
                    _mm512_unpackhi_epi64(b, d),
                ];
            }
            let low = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
            let high = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
            for c in 0..4 {
                let (first, second) = (halves[0][c], halves[1][c]);
                let pair = _mm512_permutex2var_epi64(first, low, second);
                put(&mut digests[c], _mm512_castsi512_si256(pair));
                put(&mut digests[4 + c], _mm512_extracti64x4_epi64::<1>(pair));
                let pair = _mm512_permutex2var_epi64(first, high, second);
                put(&mut digests[8 + c], _mm512_castsi512_si256(pair));
                put(&mut digests[12 + c], _mm512_extracti64x4_epi64::<1>(pair));
            }
        }
    }
}

/// Stores a digest.
///
/// # Safety
///
/// The processor has AVX.
#[inline(always)]
unsafe fn put(digest: &mut Digest, value: __m256i) {
    // SAFETY: a digest is 32 bytes; AVX by the caller's word.
    unsafe { _mm256_storeu_si256(digest.as_mut_ptr().cast(), value) }
}
