//! Field arithmetic from a 64-bit carry-less multiply instruction.
//!
//! A product is three carry-less multiplies (Karatsuba) or four, and its reduction two; the sum of
//! many products is reduced once. A product by a prepared factor is four and its reduction one.

use super::{ByteLanes, Lanes, NibbleLanes};
use crate::F128;

/// A register of `N` 128-bit lanes with a carry-less multiply of 64-bit halves in each.
///
/// The same promise as [`Lanes`]: a value proves that the instructions exist.
pub(crate) trait Clmul<const N: usize>: Copy {
    type Register: Copy;
    type One: Lanes<1>;
    type Bytes: ByteLanes;
    type Nibbles: NibbleLanes;

    /// Whether three multiplies and what they need besides are cheaper than four.
    const KARATSUBA: bool = true;

    fn load(self, src: &[F128; N]) -> Self::Register;
    fn store(self, dst: &mut [F128; N], v: Self::Register);
    fn load_part(self, src: &[F128]) -> Self::Register;
    fn store_part(self, dst: &mut [F128], v: Self::Register);
    fn splat(self, x: F128) -> Self::Register;
    /// See [`Lanes::load_each`].
    #[inline(always)]
    fn load_each(self, src: [&F128; N]) -> Self::Register {
        self.load(&src.map(|x| *x))
    }
    fn xor(self, a: Self::Register, b: Self::Register) -> Self::Register;
    /// In each lane the product of one half of `a` and one of `b`: the high half of `a` where bit
    /// 0 of `HALVES` is set, the high half of `b` where bit 4 is.
    fn clmul<const HALVES: i32>(self, a: Self::Register, b: Self::Register) -> Self::Register;
    /// Exchanges the halves of each lane.
    fn swap(self, v: Self::Register) -> Self::Register;
    /// Moves the low half of each lane to its high half, over a zero low half.
    fn raise(self, v: Self::Register) -> Self::Register;
    fn sum(self, v: Self::Register) -> F128;
    fn deinterleave(self, a: Self::Register, b: Self::Register)
    -> (Self::Register, Self::Register);
    fn interleave(
        self,
        even: Self::Register,
        odd: Self::Register,
    ) -> (Self::Register, Self::Register);
    fn split_fours(self, a: Self::Register, b: Self::Register) -> (Self::Register, Self::Register);
    fn one(self) -> Self::One;
    fn byte_lanes(self) -> Option<Self::Bytes>;
    fn nibble_lanes(self) -> Option<Self::Nibbles>;
    fn plane(self, bytes: &[u8; 64], plane: u32) -> u64;

    /// The element `low + middle x^64 + high x^128` of each lane: one carry-less multiply and what
    /// [`Self::reduce_middle`] takes.
    #[inline(always)]
    fn reduce_parts(
        self,
        low: Self::Register,
        middle: Self::Register,
        high: Self::Register,
    ) -> Self::Register {
        // The low half of `high` has the weight of the top half of `middle`.
        self.reduce_middle(low, self.xor(self.fold_top(middle, high), self.raise(high)))
    }

    /// `middle`, to which the top half of `high` is added: it has weight x^192 = x^64 * x^128.
    #[inline(always)]
    fn fold_top(self, middle: Self::Register, high: Self::Register) -> Self::Register {
        self.xor(middle, self.clmul::<0x01>(high, self.splat(FOLD)))
    }

    /// The element `low + middle x^64` of each lane: one carry-less multiply.
    #[inline(always)]
    fn reduce_middle(self, low: Self::Register, middle: Self::Register) -> Self::Register {
        let low = self.xor(low, self.raise(middle));
        self.xor(low, self.clmul::<0x01>(middle, self.splat(FOLD)))
    }
}

/// `x^128` modulo the field's polynomial.
const FOLD: F128 = F128::new(0x87);

/// `low + middle x^64 + high x^128`, or Karatsuba's three products as they come:
/// `low + (low + middle + high) x^64 + high x^128`.
#[derive(Clone, Copy)]
pub(crate) struct Parts<R> {
    low: R,
    middle: R,
    high: R,
}

/// In each lane a factor `x`, and `x * x^64` modulo the field's polynomial.
#[derive(Clone, Copy)]
pub(crate) struct Factor<R> {
    x: R,
    shifted: R,
}

impl<const N: usize, T: Clmul<N>> Lanes<N> for T {
    type Vector = T::Register;
    type Wide = Parts<T::Register>;
    type Factor = Factor<T::Register>;
    type One = T::One;
    type Bytes = T::Bytes;
    type Nibbles = T::Nibbles;

    #[inline(always)]
    fn load(self, src: &[F128; N]) -> T::Register {
        Clmul::load(self, src)
    }

    #[inline(always)]
    fn store(self, dst: &mut [F128; N], v: T::Register) {
        Clmul::store(self, dst, v);
    }

    #[inline(always)]
    fn load_part(self, src: &[F128]) -> T::Register {
        Clmul::load_part(self, src)
    }

    #[inline(always)]
    fn store_part(self, dst: &mut [F128], v: T::Register) {
        Clmul::store_part(self, dst, v);
    }

    #[inline(always)]
    fn load_each(self, src: [&F128; N]) -> T::Register {
        Clmul::load_each(self, src)
    }

    #[inline(always)]
    fn add(self, a: T::Register, b: T::Register) -> T::Register {
        self.xor(a, b)
    }

    #[inline(always)]
    fn sum(self, v: T::Register) -> F128 {
        Clmul::sum(self, v)
    }

    #[inline(always)]
    fn deinterleave(self, a: T::Register, b: T::Register) -> (T::Register, T::Register) {
        Clmul::deinterleave(self, a, b)
    }

    #[inline(always)]
    fn interleave(self, even: T::Register, odd: T::Register) -> (T::Register, T::Register) {
        Clmul::interleave(self, even, odd)
    }

    #[inline(always)]
    fn split_fours(self, a: T::Register, b: T::Register) -> (T::Register, T::Register) {
        Clmul::split_fours(self, a, b)
    }

    #[inline(always)]
    fn mul_wide(self, a: T::Register, b: T::Register) -> Self::Wide {
        let middle = if T::KARATSUBA {
            let both_a = self.xor(a, self.swap(a));
            let both_b = self.xor(b, self.swap(b));
            self.clmul::<0x00>(both_a, both_b)
        } else {
            self.xor(self.clmul::<0x01>(a, b), self.clmul::<0x10>(a, b))
        };
        Parts { low: self.clmul::<0x00>(a, b), middle, high: self.clmul::<0x11>(a, b) }
    }

    #[inline(always)]
    fn square_wide(self, a: T::Register) -> Self::Wide {
        let low = self.clmul::<0x00>(a, a);
        let high = self.clmul::<0x11>(a, a);
        let middle = if T::KARATSUBA { self.xor(low, high) } else { self.splat(F128::ZERO) };
        Parts { low, middle, high }
    }

    #[inline(always)]
    fn add_wide(self, a: Self::Wide, b: Self::Wide) -> Self::Wide {
        Parts {
            low: self.xor(a.low, b.low),
            middle: self.xor(a.middle, b.middle),
            high: self.xor(a.high, b.high),
        }
    }

    #[inline(always)]
    fn zero_wide(self) -> Self::Wide {
        let zero = self.splat(F128::ZERO);
        Parts { low: zero, middle: zero, high: zero }
    }

    #[inline(always)]
    fn reduce(self, w: Self::Wide) -> T::Register {
        let middle =
            if T::KARATSUBA { self.xor(self.xor(w.low, w.middle), w.high) } else { w.middle };
        self.reduce_parts(w.low, middle, w.high)
    }

    #[inline(always)]
    fn companions(self, x: T::Register) -> T::Register {
        self.reduce_middle(self.splat(F128::ZERO), x)
    }

    #[inline(always)]
    fn factor(self, x: F128, companion: F128) -> Self::Factor {
        Factor { x: self.splat(x), shifted: self.splat(companion) }
    }

    #[inline(always)]
    fn factors(self, x: T::Register, shifted: T::Register) -> Self::Factor {
        Factor { x, shifted }
    }

    /// Four carry-less multiplies: `a_0 x + a_1 (x x^64)` has degree below 192.
    #[inline(always)]
    fn mul_factor(self, a: T::Register, Factor { x, shifted }: Self::Factor) -> T::Register {
        let low = self.xor(self.clmul::<0x00>(a, x), self.clmul::<0x01>(a, shifted));
        let middle = self.xor(self.clmul::<0x10>(a, x), self.clmul::<0x11>(a, shifted));
        self.reduce_middle(low, middle)
    }

    #[inline(always)]
    fn one(self) -> T::One {
        Clmul::one(self)
    }

    #[inline(always)]
    fn byte_lanes(self) -> Option<T::Bytes> {
        Clmul::byte_lanes(self)
    }

    #[inline(always)]
    fn nibble_lanes(self) -> Option<T::Nibbles> {
        Clmul::nibble_lanes(self)
    }

    #[inline(always)]
    fn plane(self, bytes: &[u8; 64], plane: u32) -> u64 {
        Clmul::plane(self, bytes, plane)
    }
}
