//! Import of quantized ONNX models.
//!
//! Integer semantics are those of ONNX Runtime's fused operators (QGemm, QLinearMatMul, MatMulInteger),
//! bit for bit: exact int32 accumulators, then [`RoundingProfile::OrtF32Rne`] with the scale
//! `f32(f32(sx * sw) / sy)`. A Gemm or MatMul between DequantizeLinear and QuantizeLinear means the
//! fused operator, with Relu and Clip before the QuantizeLinear folded into the output's range. ONNX
//! Runtime's default session on x86-64 fuses Gemm (bias or not, scales per tensor or column) where
//! input and output have one 8-bit type, MatMul where that is uint8, and both behind a Relu or Clip
//! that the output's range implies. Where it does not, it computes the pattern in float32, whose sums
//! depend on their order; there the fused operator's integers stand.
//!
//! A relu, clip or requantization of an 8-bit tensor through floats is a table filled by the float32
//! operators themselves. The one rewriting of ONNX Runtime that changes values, merging
//! QuantizeLinear - DequantizeLinear - QuantizeLinear of different scales, is refused.
//!
//! [`RoundingProfile::OrtF32Rne`]: crate::graph::RoundingProfile::OrtF32Rne

mod arithmetic;
mod averaged;
mod builder;
mod compared;
mod concatenated;
mod constant;
mod convolved;
mod deferred;
mod elementwise;
mod error;
mod factors;
mod finish;
mod floats;
mod import;
mod node;
mod operands;
mod ops;
mod pairs;
mod proto;
mod qlinear;
mod requantized;
mod shapes;
mod steps;
mod tables;
#[cfg(test)]
mod tests;
mod thresholds;
mod value;
mod view;
mod windows;

pub use error::{ImportError, NodeError, TensorError};
