//! Nibble lanes: TBL on twice 128 bits.

use core::arch::aarch64::{
    uint8x16_t, vandq_u8, vcgtq_s8, vdupq_n_s8, vdupq_n_u8, veorq_u8, vld1q_u8, vqaddq_s8,
    vqtbl1q_u8, vreinterpretq_s8_u8, vreinterpretq_u8_s8, vshrq_n_u8, vst1q_u8, vsubq_u8,
};

use super::super::generic::NibbleLanes;
use super::neon::Neon;

impl NibbleLanes for Neon {
    type Register = [uint8x16_t; 2];
    type Table = uint8x16_t;

    #[inline(always)]
    fn load_bytes(self, src: &[u8; 32]) -> [uint8x16_t; 2] {
        // SAFETY: `src` is 32 readable bytes; NEON is part of aarch64.
        unsafe { [vld1q_u8(src.as_ptr()), vld1q_u8(src.as_ptr().add(16))] }
    }

    #[inline(always)]
    fn store_bytes(self, dst: &mut [u8; 32], [low, high]: [uint8x16_t; 2]) {
        // SAFETY: `dst` is 32 writable bytes; NEON is part of aarch64.
        unsafe {
            vst1q_u8(dst.as_mut_ptr(), low);
            vst1q_u8(dst.as_mut_ptr().add(16), high);
        }
    }

    #[inline(always)]
    fn xor_bytes(self, a: [uint8x16_t; 2], b: [uint8x16_t; 2]) -> [uint8x16_t; 2] {
        // SAFETY: NEON is part of aarch64.
        unsafe { [veorq_u8(a[0], b[0]), veorq_u8(a[1], b[1])] }
    }

    #[inline(always)]
    fn nibbles(self, v: [uint8x16_t; 2]) -> [[uint8x16_t; 2]; 2] {
        // SAFETY: NEON is part of aarch64.
        unsafe {
            let mask = vdupq_n_u8(0xf);
            [
                [vandq_u8(v[0], mask), vandq_u8(v[1], mask)],
                [vshrq_n_u8::<4>(v[0]), vshrq_n_u8::<4>(v[1])],
            ]
        }
    }

    #[inline(always)]
    fn table(self, entries: &[u8; 16]) -> uint8x16_t {
        // SAFETY: `entries` is 16 readable bytes; NEON is part of aarch64.
        unsafe { vld1q_u8(entries.as_ptr()) }
    }

    #[inline(always)]
    fn entries(self, table: uint8x16_t, numbers: [uint8x16_t; 2]) -> [uint8x16_t; 2] {
        // SAFETY: NEON is part of aarch64.
        unsafe { [vqtbl1q_u8(table, numbers[0]), vqtbl1q_u8(table, numbers[1])] }
    }

    #[inline(always)]
    fn add_logarithms(self, a: [uint8x16_t; 2], b: [uint8x16_t; 2]) -> [uint8x16_t; 2] {
        // SAFETY: NEON is part of aarch64.
        let add = |a, b| unsafe {
            let sum = vqaddq_s8(vreinterpretq_s8_u8(a), vreinterpretq_s8_u8(b));
            let excess = vandq_u8(vcgtq_s8(sum, vdupq_n_s8(14)), vdupq_n_u8(15));
            vsubq_u8(vreinterpretq_u8_s8(sum), excess)
        };
        [add(a[0], b[0]), add(a[1], b[1])]
    }
}
