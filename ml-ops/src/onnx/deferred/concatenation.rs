//! Dequantized tensors and constants one after the other: each through a table of its own.

use super::Deferred;
use crate::array::{Array, ArrayData};
use crate::graph::TensorId;
use crate::onnx::builder::Builder;
use crate::onnx::concatenated;
use crate::onnx::error::NodeError;
use crate::onnx::rowwise::part;
use crate::onnx::value::Target;
use crate::onnx::view::View;
use std::rc::Rc;

/// Dequantized tensors one after the other.
#[derive(Debug)]
pub(in crate::onnx) struct Concatenation {
    pub(in crate::onnx) name: String,
    pub(in crate::onnx) parts: Vec<ConcatenationPart>,
    /// The dimension along which they follow on each other.
    pub(in crate::onnx) dim: usize,
}

/// One of them.
#[derive(Debug)]
pub(in crate::onnx) enum ConcatenationPart {
    /// A tensor, and the float of each code.
    Tensor(View, Box<[f32; 256]>),
    /// Floats that codes are made of.
    Deferred(Deferred),
    /// Floats of the file for one sample, which codes are made of, and how they are seen.
    Constant(Rc<Array>, View),
}

impl Concatenation {
    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let code = |x| target.code(x);
        let mut parts = Vec::with_capacity(self.parts.len());
        for (index, of_part) in self.parts.iter().enumerate() {
            parts.push(match of_part {
                ConcatenationPart::Tensor(view, images) => (view.clone(), images.map(code)),
                ConcatenationPart::Deferred(of) => {
                    let name = part(&self.name, &format!("operand{index}"));
                    let view = of.bounded(builder, &name, target)?.view;
                    (view, std::array::from_fn(|code| code as u8))
                }
                ConcatenationPart::Constant(array, view) => {
                    let ArrayData::F32(values) = array.data() else {
                        return Err(NodeError::OperandType { index });
                    };
                    let codes: Vec<u8> = values.iter().map(|&x| code(x)).collect();
                    let view = builder.constant(&self.name, view, &view.shape(), &codes);
                    (view, std::array::from_fn(|code| code as u8))
                }
            });
        }
        Ok(concatenated::view(builder, &self.name, &parts, self.dim)?.tensor)
    }
}
