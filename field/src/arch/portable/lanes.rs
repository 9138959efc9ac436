//! One lane in general registers.

use super::super::generic::{Lanes, NoByteLanes, NoNibbleLanes};
use super::clmul::{clmul, reduce, square};
use crate::F128;

/// One element at a time, on any processor.
#[derive(Clone, Copy)]
pub(super) struct Portable;

/// `low + high x^128`, of degree below 255.
#[derive(Clone, Copy)]
pub(super) struct Wide {
    low: u128,
    high: u128,
}

impl Lanes<1> for Portable {
    type Vector = F128;
    type Wide = Wide;
    type Factor = F128;
    type One = Self;
    type Bytes = NoByteLanes;
    type Nibbles = NoNibbleLanes;

    #[inline(always)]
    fn load(self, src: &[F128; 1]) -> F128 {
        src[0]
    }

    #[inline(always)]
    fn store(self, dst: &mut [F128; 1], v: F128) {
        dst[0] = v;
    }

    #[inline(always)]
    fn load_part(self, _src: &[F128]) -> F128 {
        F128::ZERO
    }

    #[inline(always)]
    fn store_part(self, _dst: &mut [F128], _v: F128) {}

    #[inline(always)]
    fn load_each(self, [x]: [&F128; 1]) -> F128 {
        *x
    }

    #[inline(always)]
    fn add(self, a: F128, b: F128) -> F128 {
        a + b
    }

    #[inline(always)]
    fn sum(self, v: F128) -> F128 {
        v
    }

    #[inline(always)]
    fn deinterleave(self, a: F128, b: F128) -> (F128, F128) {
        (a, b)
    }

    #[inline(always)]
    fn interleave(self, even: F128, odd: F128) -> (F128, F128) {
        (even, odd)
    }

    #[inline(always)]
    fn split_fours(self, a: F128, b: F128) -> (F128, F128) {
        (a, b)
    }

    #[inline(always)]
    fn mul_wide(self, a: F128, b: F128) -> Wide {
        let (a, b) = (a.to_bits(), b.to_bits());
        let (a0, a1) = (a as u64, (a >> 64) as u64);
        let (b0, b1) = (b as u64, (b >> 64) as u64);
        let (low, high) = (clmul(a0, b0), clmul(a1, b1));
        let middle = clmul(a0 ^ a1, b0 ^ b1) ^ low ^ high;
        Wide { low: low ^ middle << 64, high: high ^ middle >> 64 }
    }

    #[inline(always)]
    fn square_wide(self, a: F128) -> Wide {
        let a = a.to_bits();
        Wide { low: square(a as u64), high: square((a >> 64) as u64) }
    }

    #[inline(always)]
    fn add_wide(self, a: Wide, b: Wide) -> Wide {
        Wide { low: a.low ^ b.low, high: a.high ^ b.high }
    }

    #[inline(always)]
    fn zero_wide(self) -> Wide {
        Wide { low: 0, high: 0 }
    }

    #[inline(always)]
    fn reduce(self, w: Wide) -> F128 {
        F128::new(reduce(w.low, w.high))
    }

    #[inline(always)]
    fn companions(self, x: F128) -> F128 {
        x
    }

    #[inline(always)]
    fn factor(self, x: F128, _companion: F128) -> F128 {
        x
    }

    #[inline(always)]
    fn factors(self, x: F128, _companions: F128) -> F128 {
        x
    }

    #[inline(always)]
    fn mul_factor(self, a: F128, factor: F128) -> F128 {
        self.mul(a, factor)
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
    fn nibble_lanes(self) -> Option<NoNibbleLanes> {
        None
    }

    #[inline(always)]
    fn plane(self, bytes: &[u8; 64], plane: u32) -> u64 {
        let mut bits = 0;
        for (i, eight) in bytes.as_chunks::<8>().0.iter().enumerate() {
            let ones = u64::from_le_bytes(*eight) >> plane & 0x0101_0101_0101_0101;
            bits |= ones.wrapping_mul(0x0102_0408_1020_4080) >> 56 << (8 * i);
        }
        bits
    }
}
