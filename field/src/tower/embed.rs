//! Every field of the tower inside every larger one.

use core::ops::Mul;

use super::{Tower1, Tower2, Tower4, Tower8, Tower16, Tower32, Tower64, Tower128};
use crate::{ExtensionField, F128, Field};

/// Embeds each of a list of fields into `$big`.
macro_rules! embed {
    ($big:ident: $($small:ident),+) => {$(
        impl From<$small> for $big {
            /// The same bits: the constant coefficient all the way down.
            #[inline]
            fn from(x: $small) -> Self {
                Self::from_bits(Field::to_bits(x))
            }
        }

        impl Mul<$small> for $big {
            type Output = Self;
            /// The product by an element of a subfield: each half by it.
            #[inline]
            fn mul(self, x: $small) -> Self {
                let (a0, a1) = self.halves();
                Self::from_halves(a0 * x, a1 * x)
            }
        }

        impl ExtensionField<$small> for $big {}
    )+};
}

embed!(Tower2: Tower1);
embed!(Tower4: Tower1, Tower2);
embed!(Tower8: Tower1, Tower2, Tower4);
embed!(Tower16: Tower1, Tower2, Tower4, Tower8);
embed!(Tower32: Tower1, Tower2, Tower4, Tower8, Tower16);
embed!(Tower64: Tower1, Tower2, Tower4, Tower8, Tower16, Tower32);
embed!(Tower128: Tower1, Tower2, Tower4, Tower8, Tower16, Tower32, Tower64);

/// Embeds each of a list of fields into [`F128`] by the isomorphism from [`Tower128`].
macro_rules! embed_in_ghash {
    ($($small:ident),+) => {$(
        impl From<$small> for F128 {
            /// The image under the isomorphism from [`Tower128`].
            fn from(x: $small) -> Self {
                Self::from(Tower128::from(x))
            }
        }

        impl Mul<$small> for F128 {
            type Output = Self;
            fn mul(self, x: $small) -> Self {
                self * Self::from(x)
            }
        }

        impl ExtensionField<$small> for F128 {}
    )+};
}

embed_in_ghash!(Tower2, Tower4, Tower8, Tower16, Tower32, Tower64);

impl From<Tower1> for F128 {
    fn from(x: Tower1) -> Self {
        Self::new(u128::from(x.to_bits()))
    }
}

impl Mul<Tower1> for F128 {
    type Output = Self;
    fn mul(self, x: Tower1) -> Self {
        if x == Tower1::ONE { self } else { Self::ZERO }
    }
}

impl ExtensionField<Tower1> for F128 {}

impl Mul<Tower128> for F128 {
    type Output = Self;
    fn mul(self, x: Tower128) -> Self {
        self * Self::from(x)
    }
}

impl ExtensionField<Tower128> for F128 {}
