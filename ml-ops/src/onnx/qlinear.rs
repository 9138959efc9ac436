//! What the runtime's kernels make of two 8-bit operands: QLinearAdd and QLinearMul, bit for bit.

use super::value::Scaling;
use crate::graph::CodeType;

/// An 8-bit operand's scale, zero point and type.
pub(super) type Quantization = (Scaling, CodeType);

/// A kernel.
pub(super) type Kernel = fn(Quantization, Quantization, Quantization, i32, i32) -> u8;

/// QLinearAdd of the values `x` and `y`, as the kernel with fused multiply-add computes it:
/// `RNE(x * ra + (y * rb + (zy - (ra * za + rb * zb))))`, `ra = sa / sy`, `rb = sb / sy`, each fused operation
/// rounded once, then saturated.
pub(super) fn add(a: Quantization, b: Quantization, to: Quantization, x: i32, y: i32) -> u8 {
    let ratio = a.0.scale / to.0.scale;
    saturated((x as f32).mul_add(ratio, second_summand(a, b, to, y)), to.1)
}

/// What QLinearAdd adds to `x * ra` for the value `y`.
pub(super) fn second_summand(a: Quantization, b: Quantization, to: Quantization, y: i32) -> f32 {
    let (ra, rb) = (a.0.scale / to.0.scale, b.0.scale / to.0.scale);
    let zeros = ra.mul_add(a.0.zero_point as f32, rb * b.0.zero_point as f32);
    (y as f32).mul_add(rb, to.0.zero_point as f32 - zeros)
}

/// QLinearMul of the values `x` and `y`: `RNE((x - za)(y - zb) * r + zy)`, `r = sa * sb / sy`, rounded at each
/// operation, then saturated.
pub(super) fn mul(a: Quantization, b: Quantization, to: Quantization, x: i32, y: i32) -> u8 {
    let ratio = a.0.scale * b.0.scale / to.0.scale;
    let product = (x - a.0.zero_point) * (y - b.0.zero_point);
    saturated(product as f32 * ratio + to.0.zero_point as f32, to.1)
}

fn saturated(x: f32, dtype: CodeType) -> u8 {
    let value = x.round_ties_even().max(dtype.min() as f32).min(dtype.max() as f32);
    (value as i32 - dtype.min()) as u8
}
