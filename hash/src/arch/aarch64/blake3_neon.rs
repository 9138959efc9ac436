//! BLAKE3, four messages at once, with NEON.

use core::arch::aarch64::*;
use std::arch::is_aarch64_feature_detected;

use crate::Digest;
use crate::arch::generic::blake3::{self, Lanes};

backend!(
    Neon,
    is_aarch64_feature_detected,
    ["neon"],
    fn hash_many(key: &[u8; 32], messages: &[u8], len: usize, digests: &mut [Digest]) =
        blake3::hash_many
);

impl Lanes for Neon {
    type V = uint32x4_t;
    const N: usize = 4;

    #[inline(always)]
    fn splat(self, word: u32) -> uint32x4_t {
        // SAFETY: a token is made only where NEON is enabled.
        unsafe { vdupq_n_u32(word) }
    }

    #[inline(always)]
    fn add(self, a: uint32x4_t, b: uint32x4_t) -> uint32x4_t {
        // SAFETY: a token is made only where NEON is enabled.
        unsafe { vaddq_u32(a, b) }
    }

    #[inline(always)]
    fn xor(self, a: uint32x4_t, b: uint32x4_t) -> uint32x4_t {
        // SAFETY: a token is made only where NEON is enabled.
        unsafe { veorq_u32(a, b) }
    }

    #[inline(always)]
    fn rotate_right<const BITS: i32>(self, a: uint32x4_t) -> uint32x4_t {
        // SAFETY: a token is made only where NEON is enabled.
        unsafe {
            if BITS == 16 {
                vreinterpretq_u32_u16(vrev32q_u16(vreinterpretq_u16_u32(a)))
            } else {
                vsriq_n_u32::<BITS>(vshlq_u32(a, vdupq_n_s32(32 - BITS)), a)
            }
        }
    }

    #[inline(always)]
    fn load(self, blocks: &[u8], stride: usize) -> [uint32x4_t; 16] {
        let zero = self.splat(0);
        let (mut words, mut quarter) = ([zero; 16], [zero; 4]);
        for (q, words) in words.chunks_exact_mut(4).enumerate() {
            for (i, row) in quarter.iter_mut().enumerate() {
                let bytes = &blocks[i * stride + 16 * q..][..16];
                // SAFETY: the slice is 16 bytes; NEON as above.
                *row = unsafe { vreinterpretq_u32_u8(vld1q_u8(bytes.as_ptr())) };
            }
            words.copy_from_slice(&self.transpose(quarter));
        }
        words
    }

    #[inline(always)]
    fn store(self, words: [uint32x4_t; 8], digests: &mut [Digest]) {
        let [w0, w1, w2, w3, w4, w5, w6, w7] = words;
        let halves = [self.transpose([w0, w1, w2, w3]), self.transpose([w4, w5, w6, w7])];
        for (i, digest) in digests[..4].iter_mut().enumerate() {
            let (low, high) = digest.split_at_mut(16);
            // SAFETY: the halves of a digest are 16 bytes; NEON as above.
            unsafe {
                vst1q_u8(low.as_mut_ptr(), vreinterpretq_u8_u32(halves[0][i]));
                vst1q_u8(high.as_mut_ptr(), vreinterpretq_u8_u32(halves[1][i]));
            }
        }
    }
}

impl Neon {
    /// The transpose of a square matrix of words, a row to a vector.
    #[inline(always)]
    fn transpose(self, [r0, r1, r2, r3]: [uint32x4_t; 4]) -> [uint32x4_t; 4] {
        // SAFETY: a token is made only where NEON is enabled.
        unsafe {
            // Columns of one parity, of two rows.
            let even01 = vreinterpretq_u64_u32(vtrn1q_u32(r0, r1));
            let odd01 = vreinterpretq_u64_u32(vtrn2q_u32(r0, r1));
            let even23 = vreinterpretq_u64_u32(vtrn1q_u32(r2, r3));
            let odd23 = vreinterpretq_u64_u32(vtrn2q_u32(r2, r3));
            [
                vreinterpretq_u32_u64(vtrn1q_u64(even01, even23)),
                vreinterpretq_u32_u64(vtrn1q_u64(odd01, odd23)),
                vreinterpretq_u32_u64(vtrn2q_u64(even01, even23)),
                vreinterpretq_u32_u64(vtrn2q_u64(odd01, odd23)),
            ]
        }
    }
}
