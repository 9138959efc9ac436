//! The algebra a verifier needs of prover messages.

use core::ops::{Add, AddAssign, Mul};

use binfer_field::F128;

/// A prover message as the verifier computes with it: an algebra over [`F128`].
pub trait Element:
    Copy
    + Send
    + From<F128>
    + Add<Output = Self>
    + AddAssign
    + Mul<Output = Self>
    + Mul<F128, Output = Self>
{
    /// The square, which is linear over GF(2).
    fn square(self) -> Self;

    /// `self^(2^times)`.
    fn frobenius(self, times: u32) -> Self {
        (0..times).fold(self, |x, _| x.square())
    }

    /// `self^exponent`.
    fn pow(self, exponent: u64) -> Self {
        let one = Self::from(F128::ONE);
        (0..64 - exponent.leading_zeros()).rev().fold(one, |power, i| {
            let squared = power.square();
            if exponent >> i & 1 == 1 { squared * self } else { squared }
        })
    }
}

impl Element for F128 {
    fn square(self) -> Self {
        F128::square(self)
    }
}
