//! A matmul of two dequantized tensors: its accumulators at a scale.

use crate::graph::{CodeType, Epilogue, TensorId};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::heads::Heads;
use crate::onnx::operands::requantize;
use crate::onnx::value::Scaling;

/// A matmul of two dequantized tensors.
#[derive(Debug)]
pub(in crate::onnx) struct Tensors {
    pub(in crate::onnx) heads: Heads,
    /// `f32(sa * sb)`.
    pub(in crate::onnx) scale: f32,
}

impl Tensors {
    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        bounds: (f32, f32),
        to: Scaling,
        dtype: CodeType,
    ) -> Result<TensorId, NodeError> {
        let requantize = requantize(&[self.scale], bounds, to, dtype)?;
        self.heads.add(builder, Epilogue::Requantize(requantize))
    }
}
