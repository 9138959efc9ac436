//! What the runtime's kernels make of two 8-bit operands: QLinearAdd and QLinearMul, bit for bit.
//!
//! They round a float to an integer of 32 bits, which then saturates. Of a float of `2^31` or more that integer is the least on
//! x86-64 and the largest on aarch64, so that codes of such floats are refused.

use super::error::NodeError;
use super::value::Scaling;
use crate::graph::CodeType;

/// An 8-bit operand's scale, zero point and type.
pub(super) type Quantization = (Scaling, CodeType);

/// What a kernel rounds to a code, for the values of two operands.
pub(super) type Kernel = fn(Quantization, Quantization, Quantization, i32, i32) -> f32;

/// The float from which on integers of 32 bits overflow.
const OVERFLOW: f32 = (1u32 << 31) as f32;

/// QLinearAdd of the values `x` and `y`, as the kernel with fused multiply-add computes it:
/// `x * ra + (y * rb + (zy - (ra * za + rb * zb)))`, `ra = sa / sy`, `rb = sb / sy`, each fused operation rounded once.
pub(super) fn add(a: Quantization, b: Quantization, to: Quantization, x: i32, y: i32) -> f32 {
    let ratio = a.0.scale / to.0.scale;
    (x as f32).mul_add(ratio, second_summand(a, b, to, y))
}

/// What QLinearAdd adds to `x * ra` for the value `y`.
pub(super) fn second_summand(a: Quantization, b: Quantization, to: Quantization, y: i32) -> f32 {
    let (ra, rb) = (a.0.scale / to.0.scale, b.0.scale / to.0.scale);
    let zeros = ra.mul_add(a.0.zero_point as f32, rb * b.0.zero_point as f32);
    (y as f32).mul_add(rb, to.0.zero_point as f32 - zeros)
}

/// QLinearMul of the values `x` and `y`: `(x - za)(y - zb) * r + zy`, `r = sa * sb / sy`, rounded at each operation.
pub(super) fn mul(a: Quantization, b: Quantization, to: Quantization, x: i32, y: i32) -> f32 {
    let ratio = a.0.scale * b.0.scale / to.0.scale;
    let product = (x - a.0.zero_point) * (y - b.0.zero_point);
    product as f32 * ratio + to.0.zero_point as f32
}

/// The codes that a kernel makes of the values of two operands: what it gives rounded to even, then saturated.
///
/// # Errors
/// It gives no number of 32 bits of some values of both operands' types, of `y` alone if it is said.
pub(super) fn codes(
    kernel: Kernel,
    [a, b, to]: [Quantization; 3],
    y: Option<i32>,
) -> Result<impl Fn(i32, i32) -> u8, NodeError> {
    // Both grow or fall with each operand, whatever the other is.
    let all = [b.1.min(), b.1.max()];
    for x in [a.1.min(), a.1.max()] {
        y.map_or(all, |y| [y; 2]).into_iter().try_for_each(|y| fits(kernel(a, b, to, x, y)))?;
    }
    Ok(move |x, y| {
        let value = kernel(a, b, to, x, y).round_ties_even();
        let value = value.max(to.1.min() as f32).min(to.1.max() as f32);
        (value as i32 - to.1.min()) as u8
    })
}

/// Refuses a float that the runtime rounds to an integer of 32 bits and that is too large for one, or no number.
pub(super) fn fits(value: f32) -> Result<(), NodeError> {
    if value < OVERFLOW { Ok(()) } else { Err(NodeError::IntegerRange { value }) }
}
