//! Dequantized tensors one after the other: each through a table of its own.

use crate::graph::TensorId;
use crate::onnx::builder::Builder;
use crate::onnx::concatenated;
use crate::onnx::error::NodeError;
use crate::onnx::value::Target;
use crate::onnx::view::View;

/// Dequantized tensors one after the other.
#[derive(Debug)]
pub(in crate::onnx) struct Concatenation {
    pub(in crate::onnx) name: String,
    /// Tensors, and the float of each code.
    pub(in crate::onnx) parts: Vec<(View, Box<[f32; 256]>)>,
    /// The dimension along which they follow on each other.
    pub(in crate::onnx) dim: usize,
}

impl Concatenation {
    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let code = |x| target.code(x);
        let parts: Vec<_> =
            self.parts.iter().map(|(view, images)| (view.clone(), images.map(code))).collect();
        Ok(concatenated::view(builder, &self.name, &parts, self.dim)?.tensor)
    }
}
