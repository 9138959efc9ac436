//! The lane trait: a register of `N` field elements and the arithmetic a processor has for it.

use super::{ByteLanes, NibbleLanes};
use crate::F128;

/// A processor's way to compute on `N` elements of [`F128`] at a time.
///
/// A value is a proof that the instructions it uses exist on this processor: it has no safe
/// constructor outside its backend. Every method is `#[inline(always)]`, so that it is compiled
/// inside the shell that enables those instructions.
pub(crate) trait Lanes<const N: usize>: Copy {
    /// `N` elements.
    type Vector: Copy;
    /// `N` products of elements before their reduction modulo the field's polynomial.
    type Wide: Copy;
    /// Elements prepared as factors of many products.
    type Factor: Copy;
    /// The same processor's narrowest register.
    type One: Lanes<1>;
    /// The same processor's way to compute on bytes.
    type Bytes: ByteLanes;
    /// The same processor's way to look up nibbles.
    type Nibbles: NibbleLanes;

    fn load(self, src: &[F128; N]) -> Self::Vector;
    fn store(self, dst: &mut [F128; N], v: Self::Vector);
    /// Loads fewer than `N` elements and zeros after them.
    fn load_part(self, src: &[F128]) -> Self::Vector;
    /// Stores the first `dst.len()` elements, which are fewer than `N`.
    fn store_part(self, dst: &mut [F128], v: Self::Vector);
    /// Loads elements that lie apart.
    fn load_each(self, src: [&F128; N]) -> Self::Vector;
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The sum of the `N` elements.
    fn sum(self, v: Self::Vector) -> F128;
    /// The elements of even and of odd positions of the `2 N` elements of `a` and then `b`.
    fn deinterleave(self, a: Self::Vector, b: Self::Vector) -> (Self::Vector, Self::Vector);
    /// Inverse of [`Self::deinterleave`].
    fn interleave(self, even: Self::Vector, odd: Self::Vector) -> (Self::Vector, Self::Vector);
    /// The first and the second two of each four of the `2 N` elements of `a` and then `b`, its own
    /// inverse. `N` is at least 4.
    fn split_fours(self, a: Self::Vector, b: Self::Vector) -> (Self::Vector, Self::Vector);

    fn mul_wide(self, a: Self::Vector, b: Self::Vector) -> Self::Wide;
    fn square_wide(self, a: Self::Vector) -> Self::Wide;
    fn add_wide(self, a: Self::Wide, b: Self::Wide) -> Self::Wide;
    fn zero_wide(self) -> Self::Wide;
    fn reduce(self, w: Self::Wide) -> Self::Vector;

    /// What [`Self::factor`] takes besides each element, for `N` of them at once.
    fn companions(self, x: Self::Vector) -> Self::Vector;
    /// The factor `x` with its companion.
    fn factor(self, x: F128, companion: F128) -> Self::Factor;
    fn mul_factor(self, a: Self::Vector, factor: Self::Factor) -> Self::Vector;
    /// A factor of its own in each lane, from [`Self::companions`] of them.
    fn factors(self, x: Self::Vector, companions: Self::Vector) -> Self::Factor;

    /// [`Self::factor`] of one element.
    #[inline(always)]
    fn prepare(self, x: F128) -> Self::Factor {
        let one = self.one();
        let companion = one.sum(one.companions(one.load(&[x])));
        self.factor(x, companion)
    }

    /// The entries of a table that the bytes of `index` number.
    #[inline(always)]
    fn look_up(self, table: &[F128; 256], index: &[u8; N]) -> Self::Vector {
        self.load_each(index.each_ref().map(|&i| &table[usize::from(i)]))
    }

    #[inline(always)]
    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        self.reduce(self.mul_wide(a, b))
    }

    /// The lanes for single elements.
    fn one(self) -> Self::One;

    /// The byte lanes, if the processor has them.
    fn byte_lanes(self) -> Option<Self::Bytes>;

    /// The nibble lanes, if the processor has them and no byte lanes.
    fn nibble_lanes(self) -> Option<Self::Nibbles>;

    /// Bit `plane` of each byte, the first byte's as the least significant bit.
    fn plane(self, bytes: &[u8; 64], plane: u32) -> u64;
}
