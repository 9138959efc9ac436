//! `F128`: GF(2^128) as GF(2)[x] / (x^128 + x^7 + x^2 + x + 1), the protocol field.

use core::fmt;
use core::iter::{Product, Sum};
use core::ops::{Add, AddAssign, Mul, MulAssign, Sub, SubAssign};

use bytemuck::{Pod, Zeroable};

use crate::arch::dispatch::{self, Backend};
use crate::{Field, count, frobenius};

/// An element of GF(2^128) in the GHASH representation: bit `i` is the coefficient of `x^i`.
///
/// Bit-compatible with Binius64's `BinaryField128bGhash`. Addition is exclusive or.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
#[repr(transparent)]
pub struct F128(u128);

impl F128 {
    /// The additive identity.
    pub const ZERO: Self = Self(0);
    /// The multiplicative identity.
    pub const ONE: Self = Self(1);

    /// The element whose coefficient of `x^i` is bit `i` of `bits`.
    pub const fn new(bits: u128) -> Self {
        Self(bits)
    }

    /// The coefficients, bit `i` being that of `x^i`.
    pub const fn to_bits(self) -> u128 {
        self.0
    }

    /// Little-endian bytes of [`Self::to_bits`].
    pub const fn to_le_bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }

    /// Inverse of [`Self::to_le_bytes`]; every string of 16 bytes is an element.
    pub const fn from_le_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_le_bytes(bytes))
    }

    /// Whether this is zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The square.
    #[inline]
    pub fn square(self) -> Self {
        count::scalar(0, 1, 0);
        dispatch::square_one(Backend::current(), self)
    }

    /// `self^(2^times)`: the Frobenius map applied `times` times. Its order is 128.
    pub fn frobenius(self, times: u32) -> Self {
        frobenius::apply(self, times % 128)
    }

    /// `self^(2^-times)`: the inverse Frobenius map applied `times` times.
    pub fn inverse_frobenius(self, times: u32) -> Self {
        self.frobenius(128 - times % 128)
    }

    /// `self^exponent`; the power with exponent zero is one.
    pub fn pow(self, exponent: u128) -> Self {
        count::scalar(exponent.count_ones(), u128::BITS - exponent.leading_zeros(), 0);
        dispatch::pow(Backend::current(), self, exponent)
    }

    /// The multiplicative inverse; the inverse of zero is zero.
    pub fn invert(self) -> Self {
        // After Itoh and Tsujii: self^(2^128 - 2) is the square of self^(2^127 - 1), and
        // x^(2^(a + b) - 1) = (x^(2^a - 1))^(2^b) * x^(2^b - 1), with 127 = 64 + 32 + ... + 1.
        let mut ones = [self; 7]; // ones[i] = self^(2^(2^i) - 1)
        for i in 1..7 {
            ones[i] = ones[i - 1] * ones[i - 1].frobenius(1 << (i - 1));
        }
        let [rest @ .., top] = ones;
        let mut power = top;
        for (i, x) in rest.into_iter().enumerate().rev() {
            power = power.frobenius(1 << i) * x;
        }
        power.square()
    }

    /// Inverts every non-zero element in place with one inversion; zeros stay zero.
    pub fn batch_invert(elements: &mut [Self]) {
        Field::batch_invert(elements);
    }

    /// `n` zeros: long ones as the system gives them, without writing them a second time.
    pub fn zeros(n: usize) -> Vec<Self> {
        bytemuck::zeroed_vec(n)
    }

    /// A uniformly random element.
    pub fn random(rng: &mut impl rand::RngCore) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Self::from_le_bytes(bytes)
    }
}

impl fmt::Debug for F128 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:032x}", self.0)
    }
}

impl Add for F128 {
    type Output = Self;
    #[inline]
    #[expect(clippy::suspicious_arithmetic_impl, reason = "addition in characteristic two")]
    fn add(self, other: Self) -> Self {
        count::scalar(0, 0, 1);
        Self(self.0 ^ other.0)
    }
}

impl Sub for F128 {
    type Output = Self;
    #[inline]
    #[expect(clippy::suspicious_arithmetic_impl, reason = "subtraction is addition")]
    fn sub(self, other: Self) -> Self {
        self + other
    }
}

impl Mul for F128 {
    type Output = Self;
    #[inline]
    fn mul(self, other: Self) -> Self {
        count::scalar(1, 0, 0);
        dispatch::mul_one(Backend::current(), self, other)
    }
}

impl AddAssign for F128 {
    #[inline]
    #[expect(clippy::suspicious_op_assign_impl, reason = "addition in characteristic two")]
    fn add_assign(&mut self, other: Self) {
        count::scalar(0, 0, 1);
        self.0 ^= other.0;
    }
}

impl SubAssign for F128 {
    #[inline]
    #[expect(clippy::suspicious_op_assign_impl, reason = "subtraction is addition")]
    fn sub_assign(&mut self, other: Self) {
        *self += other;
    }
}

impl MulAssign for F128 {
    #[inline]
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
    }
}

impl Sum for F128 {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

impl Product for F128 {
    fn product<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ONE, Mul::mul)
    }
}

impl Field for F128 {
    const BITS: u32 = 128;
    const ZERO: Self = Self::ZERO;
    const ONE: Self = Self::ONE;

    #[inline]
    fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    #[inline]
    fn to_bits(self) -> u128 {
        self.0
    }

    #[inline]
    fn square(self) -> Self {
        self.square()
    }

    fn invert(self) -> Self {
        self.invert()
    }

    fn frobenius(self, times: u32) -> Self {
        self.frobenius(times)
    }

    fn pow(self, exponent: u128) -> Self {
        self.pow(exponent)
    }
}
