//! ONNX Runtime's float32 functions, bit for bit on machines with fused multiply-add.
//!
//! Its Sigmoid, Tanh and Erf are rational and polynomial approximations of its own, a few units in the last
//! place from the functions; a table of codes shows the difference where a value is close to a rounding edge.
//! Exponentials and logarithms are the functions rounded, its own a unit in the last place from them.

use crate::exact;

/// `e^x`, rounded once.
pub(super) fn exponential(x: f32) -> f32 {
    let x = f64::from(x).clamp(-700.0, 700.0);
    (if x > 0.0 { 1.0 / exact::exp(-x) } else { exact::exp(x) }) as f32
}

/// The natural logarithm, rounded once.
pub(super) fn logarithm(x: f32) -> f32 {
    match x {
        x if x > 0.0 && x.is_finite() => exact::ln(x.into()) as f32,
        0.0 => f32::NEG_INFINITY,
        x if x > 0.0 => x,
        _ => f32::NAN,
    }
}

/// Softplus: `ln(1 + e^x)`, of a large negative number `e^x`.
pub(super) fn softplus(x: f32) -> f32 {
    logarithm_of_more_than_one(exponential(-x.abs())) + x.max(0.0)
}

/// `ln(1 + x)` of a number from 0 to 1, rounded once.
fn logarithm_of_more_than_one(x: f32) -> f32 {
    let x = f64::from(x);
    let sum = 1.0 + x;
    // The quotient takes back what the sum is off by.
    (if sum == 1.0 { x } else { exact::ln(sum) * (x / (sum - 1.0)) }) as f32
}

/// Elu: `alpha (e^x - 1)` of negative numbers.
pub(super) fn elu(x: f32, alpha: f32) -> f32 {
    if x > 0.0 { x } else { alpha * (exponential(x) - 1.0) }
}

/// Sigmoid: `p(x^2) x / q(x^2) + 1/2` for `x` clamped to `[-18, 18]`, itself clamped to `[0, 1]`.
pub(super) fn sigmoid(x: f32) -> f32 {
    const P: [f32; 5] = [4.370_31e-11, 1.156_273_2e-7, 6.085_749e-5, 8.513_771e-3, 0.248_287_95];
    const Q: [f32; 6] =
        [6.102_473_7e-13, 5.761_021_4e-9, 6.291_068e-6, 1.701_988_2e-3, 0.116_817_65, 0.993_151_9];
    let x = x.clamp(-18.0, 18.0);
    let square = x * x;
    (horner(&P, square) * x / horner(&Q, square) + 0.5).clamp(0.0, 1.0)
}

/// Tanh: `p(x^2) x / q(x^2)` for `x` clamped to `[-9, 9]`.
pub(super) fn tanh(x: f32) -> f32 {
    const P: [f32; 7] = [
        -2.760_768_4e-16,
        2.000_188e-13,
        -8.604_672e-11,
        5.122_297_1e-8,
        1.485_722_35e-5,
        6.372_619_3e-4,
        4.893_524_6e-3,
    ];
    const Q: [f32; 4] = [1.198_258_4e-6, 1.185_347_1e-4, 2.268_434_7e-3, 4.893_525e-3];
    let x = x.clamp(-9.0, 9.0);
    let square = x * x;
    horner(&P, square) * x / horner(&Q, square)
}

/// Erf: a polynomial up to 0.921875, `1 - exp(-p(|x|))` beyond.
pub(super) fn erf(x: f32) -> f32 {
    const SMALL: [f32; 6] = [
        -5.991_049_7e-4,
        4.993_396e-3,
        -2.676_673_4e-2,
        0.112_818_025,
        -0.376_124_86,
        0.128_379_15,
    ];
    const BIG: [f32; 7] = [
        1.729_489_3e-5,
        -3.832_086_8e-4,
        3.883_934_4e-3,
        -2.425_456e-2,
        0.106_777_85,
        0.634_846_7,
        0.128_717_51,
    ];
    let size = x.abs().min(3.925);
    let value = if x.abs() > 0.921_875 {
        1.0 - exp(-horner(&BIG, size).mul_add(size, size))
    } else {
        horner(&SMALL, size * size).mul_add(size, size)
    };
    value.copysign(x)
}

/// `e^x` for `x <= 0`, as Erf has it: by a power of two and a polynomial.
fn exp(x: f32) -> f32 {
    const P: [f32; 7] =
        [1.383_198_1e-3, 8.375_5e-3, 4.166_895e-2, 0.166_664_47, 0.499_999_85, 1.0, 1.0];
    // Adding it rounds to an integer.
    const INTEGERS: f32 = (3 << 22) as f32;
    let power = std::f32::consts::LOG2_E.mul_add(x, INTEGERS) - INTEGERS;
    let rest = power.mul_add(-0.693_145_75, x);
    let rest = power.mul_add(-1.428_606_8e-6, rest);
    let exponent = (power as i32 + 127).clamp(0, 254) as u32;
    horner(&P, rest) * f32::from_bits(exponent << 23)
}

/// Gelu: `x / 2 (1 + erf(x sqrt(1/2)))`.
pub(super) fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// Gelu by a Tanh: `x / 2 (1 + tanh(x (0.797.. + 0.0356.. x^2)))`.
pub(super) fn gelu_by_tanh(x: f32) -> f32 {
    const LINEAR: f32 = 0.797_884_6;
    const CUBIC: f32 = 0.035_677_407;
    0.5 * x * (tanh(x * (CUBIC * x * x + LINEAR)) + 1.0)
}

/// HardSigmoid: `alpha x + beta` clamped to `[0, 1]`.
pub(super) fn hard_sigmoid(x: f32, alpha: f32, beta: f32) -> f32 {
    (alpha * x + beta).clamp(0.0, 1.0)
}

/// A polynomial, coefficients from the highest power on, by fused multiply-adds.
fn horner(coefficients: &[f32], x: f32) -> f32 {
    coefficients.iter().fold(0.0, |sum, &c| f32::mul_add(sum, x, c))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Floats and their Softplus.
    const SOFTPLUS: [(f32, f32); 9] = [
        (-87.0, 1.645_811_5e-38),
        (-50.0, 1.928_749_9e-22),
        (-20.0, 2.061_153_7e-9),
        (-14.067, 7.776_409_3e-7),
        (-10.0, 4.539_889_8e-5),
        (-1.0, 0.313_261_7),
        (-0.125, 0.632_599_06),
        (0.25, 0.825_939_5),
        (12.0, 12.000_006),
    ];

    #[test]
    fn softplus_of_large_negative_numbers_is_their_exponential() {
        // What ONNX Runtime gives, a few units in the last place away.
        for (x, expected) in SOFTPLUS {
            let error = (softplus(x) - expected).abs();
            assert!(error <= 4.0 * f32::EPSILON * expected, "{x}: {} {expected}", softplus(x));
        }
        assert_eq!((softplus(200.0), softplus(0.0)), (200.0, std::f32::consts::LN_2));
    }

    #[test]
    fn functions_are_equal_to_onnx_runtime() {
        let rows = include_bytes!("../../tests/fixtures/functions.f32");
        let floats: Vec<f32> =
            rows.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        let rows = floats.as_chunks::<5>().0;
        assert_eq!(rows.len(), 507);
        for &[x, of_sigmoid, of_tanh, of_erf, of_gelu] in rows {
            assert_eq!(sigmoid(x), of_sigmoid, "sigmoid of {x}");
            assert_eq!(tanh(x), of_tanh, "tanh of {x}");
            assert_eq!(erf(x), of_erf, "erf of {x}");
            assert_eq!(gelu(x), of_gelu, "gelu of {x}");
        }
    }
}
