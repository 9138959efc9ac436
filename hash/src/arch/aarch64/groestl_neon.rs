//! Groestl-256, two messages at once, with NEON and the AES instructions.

use core::arch::aarch64::*;
use std::arch::is_aarch64_feature_detected;

use crate::Digest;
use crate::arch::generic::groestl::{self, AES_SHIFTS, Lanes};

backend!(
    NeonAes,
    is_aarch64_feature_detected,
    ["neon", "aes"],
    fn hash_many(messages: &[u8], len: usize, digests: &mut [Digest]) = groestl::hash_many,
    fn compress_many(blocks: &[[u8; 64]], digests: &mut [Digest]) = groestl::compress_many
);

/// The shuffle that puts the bytes of two halves alternately.
static INTERLEAVE: [u8; 16] = [0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15];

impl Lanes for NeonAes {
    type V = uint8x16_t;
    const N: usize = 2;

    #[inline(always)]
    fn splat(self, row: u64) -> uint8x16_t {
        // SAFETY: a token is made only where NEON is enabled.
        unsafe { vreinterpretq_u8_u64(vdupq_n_u64(row)) }
    }

    #[inline(always)]
    fn xor(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        // SAFETY: a token is made only where NEON is enabled.
        unsafe { veorq_u8(a, b) }
    }

    #[inline(always)]
    fn double(self, a: uint8x16_t) -> uint8x16_t {
        // SAFETY: a token is made only where NEON is enabled.
        unsafe {
            let carries = vcltzq_s8(vreinterpretq_s8_u8(a));
            veorq_u8(vshlq_n_u8::<1>(a), vandq_u8(carries, vdupq_n_u8(0x1b)))
        }
    }

    #[inline(always)]
    fn substitute_and_shift<const BITS: i32>(self, a: uint8x16_t) -> uint8x16_t {
        // SAFETY: an entry of `AES_SHIFTS` is 16 bytes; a token is made only where NEON and AES are
        // enabled.
        unsafe {
            let shuffle = vld1q_u8(AES_SHIFTS[BITS as usize / 8].as_ptr());
            last_round(vqtbl1q_u8(a, shuffle))
        }
    }

    #[inline(always)]
    fn load(self, blocks: &[u8], stride: usize) -> [uint8x16_t; 8] {
        let mut states = [[self.splat(0); 4]; 2];
        for (i, state) in states.iter_mut().enumerate() {
            for (q, columns) in state.iter_mut().enumerate() {
                let bytes = &blocks[i * stride + 16 * q..][..16];
                // SAFETY: the slice is 16 bytes; NEON as above.
                *columns = unsafe { vld1q_u8(bytes.as_ptr()) };
            }
            *state = self.transpose_bytes(*state);
        }
        let mut rows = [self.splat(0); 8];
        for (q, rows) in rows.chunks_exact_mut(2).enumerate() {
            (rows[0], rows[1]) = self.exchange(states[0][q], states[1][q]);
        }
        rows
    }

    #[inline(always)]
    fn store(self, rows: [uint8x16_t; 8], digests: &mut [Digest]) {
        let mut states = [[self.splat(0); 4]; 2];
        for (q, rows) in rows.chunks_exact(2).enumerate() {
            (states[0][q], states[1][q]) = self.exchange(rows[0], rows[1]);
        }
        for (digest, &state) in digests[..2].iter_mut().zip(&states) {
            let [_, _, q2, q3] = self.transpose_bytes(state);
            let (low, high) = digest.split_at_mut(16);
            // SAFETY: the halves of a digest are 16 bytes; NEON as above.
            unsafe {
                vst1q_u8(low.as_mut_ptr(), q2);
                vst1q_u8(high.as_mut_ptr(), q3);
            }
        }
    }
}

/// `ShiftRows` and `SubBytes` of AES.
#[inline]
#[target_feature(enable = "neon", enable = "aes")]
fn last_round(a: uint8x16_t) -> uint8x16_t {
    vaeseq_u8(a, vdupq_n_u8(0))
}

impl NeonAes {
    /// The low halves of both vectors, and the high halves.
    #[inline(always)]
    fn exchange(self, a: uint8x16_t, b: uint8x16_t) -> (uint8x16_t, uint8x16_t) {
        // SAFETY: a token is made only where NEON is enabled.
        unsafe {
            let (a, b) = (vreinterpretq_u64_u8(a), vreinterpretq_u64_u8(b));
            (vreinterpretq_u8_u64(vtrn1q_u64(a, b)), vreinterpretq_u8_u64(vtrn2q_u64(a, b)))
        }
    }

    /// The transpose of an 8 x 8 matrix of bytes, two columns to a vector; its own inverse.
    #[inline(always)]
    fn transpose_bytes(self, columns: [uint8x16_t; 4]) -> [uint8x16_t; 4] {
        // SAFETY: `INTERLEAVE` is 16 bytes; a token is made only where NEON is enabled.
        unsafe {
            let interleave = vld1q_u8(INTERLEAVE.as_ptr());
            let a0 = vreinterpretq_u16_u8(vqtbl1q_u8(columns[0], interleave));
            let a1 = vreinterpretq_u16_u8(vqtbl1q_u8(columns[1], interleave));
            let a2 = vreinterpretq_u16_u8(vqtbl1q_u8(columns[2], interleave));
            let a3 = vreinterpretq_u16_u8(vqtbl1q_u8(columns[3], interleave));
            let low01 = vreinterpretq_u32_u16(vzip1q_u16(a0, a1));
            let high01 = vreinterpretq_u32_u16(vzip2q_u16(a0, a1));
            let low23 = vreinterpretq_u32_u16(vzip1q_u16(a2, a3));
            let high23 = vreinterpretq_u32_u16(vzip2q_u16(a2, a3));
            [
                vreinterpretq_u8_u32(vzip1q_u32(low01, low23)),
                vreinterpretq_u8_u32(vzip2q_u32(low01, low23)),
                vreinterpretq_u8_u32(vzip1q_u32(high01, high23)),
                vreinterpretq_u8_u32(vzip2q_u32(high01, high23)),
            ]
        }
    }
}
