//! The `Field` trait: finite fields of characteristic two and the laws they keep.

use core::fmt::Debug;
use core::hash::Hash;
use core::iter::{Product, Sum};
use core::ops::{Add, AddAssign, Mul, MulAssign, Sub, SubAssign};

/// A finite field with `2^BITS` elements.
///
/// Laws, for all `a`, `b`, `c`:
/// - `+` and `*` are associative and commutative, `*` distributes over `+`, `ZERO` and `ONE` are
///   their neutral elements and differ;
/// - `a + a = ZERO`, so `a - b = a + b`;
/// - `a * a.invert() = ONE` unless `a` is zero, and `ZERO.invert() = ZERO`;
/// - `a.square() = a * a`, `(a + b).square() = a.square() + b.square()`;
/// - `a.frobenius(k) = a^(2^k)`, whose period in `k` is `BITS`, and `inverse_frobenius` undoes it;
/// - `from_bits` and `to_bits` are inverse to each other and additive: the bits of a sum are the
///   exclusive or of the bits.
pub trait Field:
    Copy
    + Default
    + Eq
    + Ord
    + Hash
    + Debug
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + Sum
    + Product
{
    /// The degree over GF(2): the number of bits of an element.
    const BITS: u32;
    /// The additive identity.
    const ZERO: Self;
    /// The multiplicative identity.
    const ONE: Self;

    /// The element with the lowest [`Self::BITS`] bits of `bits`; the others are ignored.
    fn from_bits(bits: u128) -> Self;

    /// The coefficients over GF(2), those beyond [`Self::BITS`] zero.
    fn to_bits(self) -> u128;

    /// The square.
    fn square(self) -> Self;

    /// The multiplicative inverse; the inverse of zero is zero.
    fn invert(self) -> Self;

    /// `self^(2^times)`: the Frobenius map applied `times` times.
    fn frobenius(self, times: u32) -> Self {
        (0..times % Self::BITS).fold(self, |x, _| x.square())
    }

    /// `self^(2^-times)`: the inverse Frobenius map applied `times` times.
    fn inverse_frobenius(self, times: u32) -> Self {
        self.frobenius(Self::BITS - times % Self::BITS)
    }

    /// `self^exponent`; the power with exponent zero is one.
    fn pow(self, exponent: u128) -> Self {
        let mut result = Self::ONE;
        for i in (0..u128::BITS - exponent.leading_zeros()).rev() {
            result = result.square();
            if exponent >> i & 1 == 1 {
                result *= self;
            }
        }
        result
    }

    /// Whether this is zero.
    fn is_zero(self) -> bool {
        self == Self::ZERO
    }

    /// A uniformly random element.
    fn random(rng: &mut impl rand::RngCore) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Self::from_bits(u128::from_le_bytes(bytes))
    }

    /// Inverts every non-zero element in place with one inversion; zeros stay zero.
    ///
    /// Montgomery's trick: three products an element.
    fn batch_invert(elements: &mut [Self]) {
        let mut prefix = Vec::with_capacity(elements.len());
        let mut product = Self::ONE;
        for &x in elements.iter() {
            prefix.push(product);
            if !x.is_zero() {
                product *= x;
            }
        }
        let mut inverse = product.invert();
        for (x, before) in elements.iter_mut().zip(prefix).rev() {
            if !x.is_zero() {
                let original = *x;
                *x = inverse * before;
                inverse *= original;
            }
        }
    }
}

/// A field that contains `Sub`.
///
/// Laws: `From` is an injective ring homomorphism, and `a * s = a * Self::from(s)`.
pub trait ExtensionField<Sub: Field>: Field + From<Sub> + Mul<Sub, Output = Self> {}

impl<F: Field> ExtensionField<F> for F {}
