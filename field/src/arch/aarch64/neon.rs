//! One lane: PMULL and PMULL2 on 128 bits.

use core::arch::aarch64::{
    uint64x2_t, vaddv_u8, vandq_u8, vcombine_u64, vcreate_u64, vdupq_n_u8, vdupq_n_u64, veorq_u64,
    vextq_u64, vget_high_u8, vget_low_u8, vgetq_lane_u64, vld1q_u8, vld1q_u64, vmull_p64,
    vreinterpretq_u64_p128, vst1q_u64, vtstq_u8,
};
use std::arch::is_aarch64_feature_detected;

use super::super::generic::{Clmul, NoByteLanes};
use crate::F128;
use crate::kernels::Corner;

backend!(Neon, is_aarch64_feature_detected, ["neon", "aes"]);

/// Bit `i` modulo 8 in byte `i`.
const WEIGHTS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];

#[inline(always)]
fn unpack(v: uint64x2_t) -> F128 {
    // SAFETY: NEON is part of aarch64.
    let (low, high) = unsafe { (vgetq_lane_u64::<0>(v), vgetq_lane_u64::<1>(v)) };
    F128::new(u128::from(low) | u128::from(high) << 64)
}

/// The carry-less product of two 64-bit polynomials.
#[inline]
#[target_feature(enable = "neon", enable = "aes")]
fn pmull(a: u64, b: u64) -> uint64x2_t {
    vreinterpretq_u64_p128(vmull_p64(a, b))
}

impl Clmul<1> for Neon {
    type Register = uint64x2_t;
    type One = Self;
    type Bytes = NoByteLanes;
    type Nibbles = Self;

    #[inline(always)]
    fn load(self, src: &[F128; 1]) -> uint64x2_t {
        // SAFETY: `src` is 16 readable bytes; NEON is part of aarch64.
        unsafe { vld1q_u64(src.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, dst: &mut [F128; 1], v: uint64x2_t) {
        // SAFETY: `dst` is 16 writable bytes; NEON is part of aarch64.
        unsafe { vst1q_u64(dst.as_mut_ptr().cast(), v) }
    }

    #[inline(always)]
    fn load_part(self, _src: &[F128]) -> uint64x2_t {
        self.splat(F128::ZERO)
    }

    #[inline(always)]
    fn store_part(self, _dst: &mut [F128], _v: uint64x2_t) {}

    #[inline(always)]
    fn splat(self, x: F128) -> uint64x2_t {
        let bits = x.to_bits();
        // SAFETY: NEON is part of aarch64.
        unsafe { vcombine_u64(vcreate_u64(bits as u64), vcreate_u64((bits >> 64) as u64)) }
    }

    #[inline(always)]
    fn xor(self, a: uint64x2_t, b: uint64x2_t) -> uint64x2_t {
        // SAFETY: NEON is part of aarch64.
        unsafe { veorq_u64(a, b) }
    }

    #[inline(always)]
    fn clmul<const HALVES: i32>(self, a: uint64x2_t, b: uint64x2_t) -> uint64x2_t {
        // SAFETY: NEON is part of aarch64.
        let (a, b) = unsafe {
            (
                if HALVES & 1 == 0 { vgetq_lane_u64::<0>(a) } else { vgetq_lane_u64::<1>(a) },
                if HALVES & 16 == 0 { vgetq_lane_u64::<0>(b) } else { vgetq_lane_u64::<1>(b) },
            )
        };
        // SAFETY: `self` proves PMULL, which the `aes` feature includes.
        unsafe { pmull(a, b) }
    }

    #[inline(always)]
    fn swap(self, v: uint64x2_t) -> uint64x2_t {
        // SAFETY: NEON is part of aarch64.
        unsafe { vextq_u64::<1>(v, v) }
    }

    #[inline(always)]
    fn raise(self, v: uint64x2_t) -> uint64x2_t {
        // SAFETY: NEON is part of aarch64.
        unsafe { vextq_u64::<1>(vdupq_n_u64(0), v) }
    }

    #[inline(always)]
    fn sum(self, v: uint64x2_t) -> F128 {
        unpack(v)
    }

    #[inline(always)]
    fn deinterleave(self, a: uint64x2_t, b: uint64x2_t) -> (uint64x2_t, uint64x2_t) {
        (a, b)
    }

    #[inline(always)]
    fn interleave(self, even: uint64x2_t, odd: uint64x2_t) -> (uint64x2_t, uint64x2_t) {
        (even, odd)
    }

    #[inline(always)]
    fn split_fours(self, a: uint64x2_t, b: uint64x2_t) -> (uint64x2_t, uint64x2_t) {
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
            // SAFETY: `sixteen` and `WEIGHTS` are 16 readable bytes; NEON is part of aarch64.
            let (low, high) = unsafe {
                let chosen = vtstq_u8(vld1q_u8(sixteen.as_ptr()), vdupq_n_u8(1 << plane));
                let weighed = vandq_u8(chosen, vld1q_u8(WEIGHTS.as_ptr()));
                (vaddv_u8(vget_low_u8(weighed)), vaddv_u8(vget_high_u8(weighed)))
            };
            bits |= (u64::from(low) | u64::from(high) << 8) << (16 * i);
        }
        bits
    }
}
