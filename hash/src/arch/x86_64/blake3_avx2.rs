//! BLAKE3, eight messages at once, with AVX2.

use core::arch::x86_64::*;
use std::arch::is_x86_feature_detected;

use crate::Digest;
use crate::arch::generic::blake3::{self, Lanes};

backend!(
    Avx2,
    is_x86_feature_detected,
    ["avx2"],
    fn hash_many(key: &[u8; 32], messages: &[u8], len: usize, digests: &mut [Digest]) =
        blake3::hash_many
);

/// `ROTATIONS[r]`: the shuffle that rotates four words by `r` bytes to the right.
static ROTATIONS: [[u8; 16]; 4] = {
    let mut shuffles = [[0; 16]; 4];
    let mut i = 0;
    while i < 64 {
        let (r, byte) = (i / 16, i % 16);
        shuffles[r][byte] = (byte / 4 * 4 + (byte + r) % 4) as u8;
        i += 1;
    }
    shuffles
};

impl Lanes for Avx2 {
    type V = __m256i;
    const N: usize = 8;

    #[inline(always)]
    fn splat(self, word: u32) -> __m256i {
        // SAFETY: a token is made only where AVX2 is enabled.
        unsafe { _mm256_set1_epi32(word as i32) }
    }

    #[inline(always)]
    fn add(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: a token is made only where AVX2 is enabled.
        unsafe { _mm256_add_epi32(a, b) }
    }

    #[inline(always)]
    fn xor(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: a token is made only where AVX2 is enabled.
        unsafe { _mm256_xor_si256(a, b) }
    }

    #[inline(always)]
    fn rotate_right<const BITS: i32>(self, a: __m256i) -> __m256i {
        // SAFETY: an entry of `ROTATIONS` is 16 bytes; a token is made only where AVX2 is enabled.
        unsafe {
            if BITS % 8 == 0 {
                let shuffle = _mm_loadu_si128(ROTATIONS[BITS as usize / 8].as_ptr().cast());
                _mm256_shuffle_epi8(a, _mm256_broadcastsi128_si256(shuffle))
            } else {
                _mm256_or_si256(
                    _mm256_srli_epi32::<BITS>(a),
                    _mm256_sll_epi32(a, _mm_cvtsi32_si128(32 - BITS)),
                )
            }
        }
    }

    #[inline(always)]
    fn load(self, blocks: &[u8], stride: usize) -> [__m256i; 16] {
        let zero = self.splat(0);
        let (mut words, mut half) = ([zero; 16], [zero; 8]);
        for (h, words) in words.chunks_exact_mut(8).enumerate() {
            for (i, row) in half.iter_mut().enumerate() {
                let bytes = &blocks[i * stride + 32 * h..][..32];
                // SAFETY: the slice is 32 bytes; AVX2 as above.
                *row = unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) };
            }
            words.copy_from_slice(&self.transpose(half));
        }
        words
    }

    #[inline(always)]
    fn store(self, words: [__m256i; 8], digests: &mut [Digest]) {
        for (digest, words) in digests[..8].iter_mut().zip(self.transpose(words)) {
            // SAFETY: a digest is 32 bytes; AVX2 as above.
            unsafe { _mm256_storeu_si256(digest.as_mut_ptr().cast(), words) }
        }
    }
}

impl Avx2 {
    /// The transpose of a square matrix of words, a row to a vector.
    #[inline(always)]
    fn transpose(self, rows: [__m256i; 8]) -> [__m256i; 8] {
        // SAFETY: a token is made only where AVX2 is enabled.
        unsafe {
            // quads[g][c]: columns c and c + 4 of rows 4 g .. 4 g + 3, in the two 128-bit lanes.
            let mut quads = [[rows[0]; 4]; 2];
            for (quads, rows) in quads.iter_mut().zip(rows.chunks_exact(4)) {
                let [r0, r1, r2, r3] = [rows[0], rows[1], rows[2], rows[3]];
                let (a, b) = (_mm256_unpacklo_epi32(r0, r1), _mm256_unpackhi_epi32(r0, r1));
                let (c, d) = (_mm256_unpacklo_epi32(r2, r3), _mm256_unpackhi_epi32(r2, r3));
                *quads = [
                    _mm256_unpacklo_epi64(a, c),
                    _mm256_unpackhi_epi64(a, c),
                    _mm256_unpacklo_epi64(b, d),
                    _mm256_unpackhi_epi64(b, d),
                ];
            }
            let mut columns = rows;
            for c in 0..4 {
                columns[c] = _mm256_permute2x128_si256::<0x20>(quads[0][c], quads[1][c]);
                columns[4 + c] = _mm256_permute2x128_si256::<0x31>(quads[0][c], quads[1][c]);
            }
            columns
        }
    }
}
