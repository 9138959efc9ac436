//! A matmul or convolution of dequantized operands: its accumulators at a scale.

use crate::graph::{CodeType, Epilogue, TensorId};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::operands::requantize;
use crate::onnx::value::{MatMulOperands, Scaling};

/// A matmul or convolution of dequantized operands.
#[derive(Debug)]
pub(in crate::onnx) struct Product {
    pub(in crate::onnx) matmul: MatMulOperands,
    /// `f32(sx * sw)`: one, or one for each column.
    pub(in crate::onnx) scales: Vec<f32>,
}

impl Product {
    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        bounds: (f32, f32),
        to: Scaling,
        dtype: CodeType,
    ) -> Result<TensorId, NodeError> {
        let requantize = requantize(&self.scales, bounds, to, dtype)?;
        builder.matmul(&self.matmul, Epilogue::Requantize(requantize))
    }
}
