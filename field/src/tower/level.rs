//! The eight fields of the tower, each level's arithmetic from the level below.

use core::fmt;
use core::iter::{Product, Sum};
use core::ops::{Add, AddAssign, Mul, MulAssign, Sub, SubAssign};

use bytemuck::{Pod, Zeroable};

use super::byte;
use crate::Field;

/// A field of the tower as a type: everything but its products.
macro_rules! tower_type {
    ($name:ident, $bits:literal, $int:ty $(, $derive:ident)*) => {
        #[doc = concat!("The tower field with `2^", $bits, "` elements.")]
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Zeroable $(, $derive)*)]
        #[repr(transparent)]
        pub struct $name($int);

        impl $name {
            /// The additive identity.
            pub const ZERO: Self = Self(0);
            /// The multiplicative identity.
            pub const ONE: Self = Self(1);
            const MASK: $int = <$int>::MAX >> (<$int>::BITS - $bits);

            #[doc = concat!("The element with the lowest ", $bits, " bits of `bits`, the low half \
                             of which is the constant coefficient; other bits are ignored.")]
            pub const fn new(bits: $int) -> Self {
                Self(bits & Self::MASK)
            }

            /// The bits, the low half of which is the constant coefficient.
            pub const fn to_bits(self) -> $int {
                self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:#0width$x}", self.0, width = 2 + ($bits as usize).div_ceil(4))
            }
        }

        impl Add for $name {
            type Output = Self;
            #[inline]
            #[expect(clippy::suspicious_arithmetic_impl, reason = "addition in characteristic two")]
            fn add(self, other: Self) -> Self {
                Self(self.0 ^ other.0)
            }
        }

        impl Sub for $name {
            type Output = Self;
            #[inline]
            #[expect(clippy::suspicious_arithmetic_impl, reason = "subtraction is addition")]
            fn sub(self, other: Self) -> Self {
                self + other
            }
        }

        impl AddAssign for $name {
            #[inline]
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }

        impl SubAssign for $name {
            #[inline]
            fn sub_assign(&mut self, other: Self) {
                *self = *self - other;
            }
        }

        impl MulAssign for $name {
            #[inline]
            fn mul_assign(&mut self, other: Self) {
                *self = *self * other;
            }
        }

        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
                iter.fold(Self::ZERO, Add::add)
            }
        }

        impl Product for $name {
            fn product<I: Iterator<Item = Self>>(iter: I) -> Self {
                iter.fold(Self::ONE, Mul::mul)
            }
        }
    };
}

/// The parts of `Field` that are the same on every level.
macro_rules! common_field_items {
    ($bits:literal, $int:ty) => {
        const BITS: u32 = $bits;
        const ZERO: Self = Self::ZERO;
        const ONE: Self = Self::ONE;

        #[inline]
        fn from_bits(bits: u128) -> Self {
            Self::new(bits as $int)
        }

        #[inline]
        fn to_bits(self) -> u128 {
            u128::from(self.0)
        }
    };
}

/// A quadratic extension of the level below.
macro_rules! extension {
    ($name:ident, $bits:literal, $int:ty, $half:ident, $half_bits:literal, $half_int:ty) => {
        impl $name {
            /// `constant + linear X`, where `X` is this level's generator.
            #[inline]
            pub const fn from_halves(constant: $half, linear: $half) -> Self {
                Self(constant.to_bits() as $int | (linear.to_bits() as $int) << $half_bits)
            }

            /// The constant and the linear coefficient over the level below.
            #[inline]
            pub const fn halves(self) -> ($half, $half) {
                ($half::new(self.0 as $half_int), $half::new((self.0 >> $half_bits) as $half_int))
            }

            /// The product by this level's generator: `(a0 + a1 X) X = a1 + (a0 + Y a1) X`.
            #[inline]
            pub fn mul_generator(self) -> Self {
                let (a0, a1) = self.halves();
                Self::from_halves(a1, a0 + a1.mul_generator())
            }
        }

        impl Mul for $name {
            type Output = Self;
            /// `(a0 + a1 X) (b0 + b1 X) = (a0 b0 + a1 b1) + (a0 b1 + a1 b0 + Y a1 b1) X`.
            #[inline]
            fn mul(self, other: Self) -> Self {
                let ((a0, a1), (b0, b1)) = (self.halves(), other.halves());
                let (low, high) = (a0 * b0, a1 * b1);
                let middle = (a0 + a1) * (b0 + b1) + low + high;
                Self::from_halves(low + high, middle + high.mul_generator())
            }
        }

        impl Field for $name {
            common_field_items!($bits, $int);

            /// `(a0 + a1 X)^2 = (a0^2 + a1^2) + Y a1^2 X`.
            #[inline]
            fn square(self) -> Self {
                let (a0, a1) = self.halves();
                let high = a1.square();
                Self::from_halves(a0.square() + high, high.mul_generator())
            }

            /// The conjugate `(a0 + Y a1) + a1 X` over the norm `a0 (a0 + Y a1) + a1^2`.
            fn invert(self) -> Self {
                let (a0, a1) = self.halves();
                let constant = a0 + a1.mul_generator();
                let inverse = (a0 * constant + a1.square()).invert();
                Self::from_halves(constant * inverse, a1 * inverse)
            }
        }
    };
}

tower_type!(Tower1, 1, u8);
tower_type!(Tower2, 2, u8);
tower_type!(Tower4, 4, u8);
tower_type!(Tower8, 8, u8, Pod);
tower_type!(Tower16, 16, u16, Pod);
tower_type!(Tower32, 32, u32, Pod);
tower_type!(Tower64, 64, u64, Pod);
tower_type!(Tower128, 128, u128, Pod);

extension!(Tower2, 2, u8, Tower1, 1, u8);
extension!(Tower4, 4, u8, Tower2, 2, u8);
extension!(Tower16, 16, u16, Tower8, 8, u8);
extension!(Tower32, 32, u32, Tower16, 16, u16);
extension!(Tower64, 64, u64, Tower32, 32, u32);
extension!(Tower128, 128, u128, Tower64, 64, u64);

impl Tower1 {
    /// The product by one, which stands for the generator below the first extension.
    #[inline]
    pub const fn mul_generator(self) -> Self {
        self
    }
}

impl Mul for Tower1 {
    type Output = Self;
    #[inline]
    #[expect(clippy::suspicious_arithmetic_impl, reason = "multiplication of bits")]
    fn mul(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Field for Tower1 {
    common_field_items!(1, u8);

    #[inline]
    fn square(self) -> Self {
        self
    }

    #[inline]
    fn invert(self) -> Self {
        self
    }
}

impl Tower8 {
    /// `constant + linear X`, where `X` is this level's generator.
    #[inline]
    pub const fn from_halves(constant: Tower4, linear: Tower4) -> Self {
        Self(constant.0 | linear.0 << 4)
    }

    /// The constant and the linear coefficient over the level below.
    #[inline]
    pub const fn halves(self) -> (Tower4, Tower4) {
        (Tower4::new(self.0), Tower4::new(self.0 >> 4))
    }

    /// The product by this level's generator.
    #[inline]
    pub fn mul_generator(self) -> Self {
        Self(byte::MUL_GENERATOR[usize::from(self.0)])
    }
}

impl Mul for Tower8 {
    type Output = Self;
    #[inline]
    fn mul(self, other: Self) -> Self {
        Self(byte::product(self.0, other.0))
    }
}

impl Field for Tower8 {
    common_field_items!(8, u8);

    #[inline]
    fn square(self) -> Self {
        Self(byte::SQUARE[usize::from(self.0)])
    }

    #[inline]
    fn invert(self) -> Self {
        Self(byte::INVERSE[usize::from(self.0)])
    }
}

/// A field of the tower that fills its bytes.
pub trait WholeBytes: Field + Pod + sealed::Sealed {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! whole_bytes {
    ($($name:ident),+) => {$(
        impl sealed::Sealed for $name {}
        impl WholeBytes for $name {}
    )+};
}

whole_bytes!(Tower8, Tower16, Tower32, Tower64, Tower128);
