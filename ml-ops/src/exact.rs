//! Exponentials and logarithms that every machine computes alike: additions, multiplications and divisions of
//! `f64`, each correctly rounded, in a fixed order.

use std::f64::consts::{LN_2, SQRT_2};

/// Terms of both series, whose remainders are below the rounding of `f64`.
const TERMS: u32 = 14;

/// `e^x` for `x <= 0`, to about `2^-50` of it; 0 below -700.
pub(crate) fn exp(x: f64) -> f64 {
    if x < -700.0 {
        return 0.0;
    }
    // `x = power * ln 2 + rest`, the rest at most half of ln 2 in size.
    let power = (x / LN_2).round_ties_even();
    let rest = x - power * LN_2;
    let series = (1..=TERMS).rev().fold(1.0, |sum, n| 1.0 + sum * rest / f64::from(n));
    // At least 2^-1011, so that the exponent is one of a normal number.
    series * f64::from_bits(((power as i64 + 1023) as u64) << 52)
}

/// The natural logarithm of a positive normal number, to about `2^-50`.
pub(crate) fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i64 - 1023;
    let mut mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    if mantissa > SQRT_2 {
        (mantissa, exponent) = (mantissa / 2.0, exponent + 1);
    }
    // `ln m = 2 artanh t`, `t` at most 0.172 in size.
    let t = (mantissa - 1.0) / (mantissa + 1.0);
    let square = t * t;
    let series = (0..TERMS).rev().fold(0.0, |sum, n| sum * square + 1.0 / f64::from(2 * n + 1));
    exponent as f64 * LN_2 + 2.0 * t * series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_those_of_the_library_to_rounding() {
        for n in 0..20_000 {
            let x = -f64::from(n) * 0.0173;
            assert!((exp(x) - x.exp()).abs() <= 4e-14 * x.exp(), "exp({x})");
            let y = x.exp() * 3.7;
            assert!((ln(y) - y.ln()).abs() <= 1e-15 * y.ln().abs() + 2e-16, "ln({y})");
        }
        assert_eq!((exp(0.0), exp(-701.0), ln(1.0)), (1.0, 0.0, 0.0));
    }
}
