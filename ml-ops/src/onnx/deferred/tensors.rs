//! A matmul of two dequantized tensors: its accumulators at a scale.

use super::WordTensors;
use super::after::{self, After};
use crate::graph::{Epilogue, TensorId};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::heads::Heads;
use crate::onnx::operands::requantize;
use crate::onnx::steps;
use crate::onnx::target::Target;

/// A matmul of two dequantized tensors.
#[derive(Debug)]
pub(in crate::onnx) struct Tensors {
    pub(in crate::onnx) heads: Heads,
    /// `f32(sa * sb)`.
    pub(in crate::onnx) scale: f32,
}

impl Tensors {
    /// The ends between which floats lie; `None` if no accumulator holds them.
    pub(super) fn ends(&self) -> Option<[f32; 2]> {
        let most = self.heads.bound().ok()? as f32 * self.scale;
        Some([-most, most])
    }

    /// The same as one that can have 16 bits.
    pub(super) fn of_words(&self) -> WordTensors {
        WordTensors { heads: self.heads.clone(), scale: self.scale.into() }
    }

    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        after: &[After],
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        if after.is_empty() && target.through.is_none() && !target.dtype.is_narrow() {
            let requantize = requantize(&[self.scale], target)?;
            return self.heads.add(builder, Epilogue::Requantize(requantize));
        }
        let code = |acc: i64| target.code(after::value(after, 0, acc as f32 * self.scale));
        let bound = self.heads.bound()?;
        let edges = steps::edges(bound, code).ok_or(NodeError::NotMonotone { column: 0 })?;
        self.heads.add(builder, Epilogue::Edges(vec![edges]))
    }
}
