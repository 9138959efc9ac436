//! Relu: on 8-bit and 32-bit integers as they are, on dequantized floats, and after a matmul.

use super::clip::clamp_codes;
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator =
    Operator { domain: "", name: "Relu", inputs: 1, attributes: &[], import: Import::One(import) };

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    match node.value(0)? {
        Value::Codes(codes) => Ok(clamp_codes(builder, node.name, codes, 0, codes.dtype.max())),
        Value::Integers(view, dtype) => {
            let tensor = builder.relu(node.name, view.tensor);
            Ok(Value::Integers(view.on(tensor), *dtype))
        }
        value => {
            let expected = "an integer tensor, a dequantized one, or a matmul's result";
            let clamped = value.clamped(|| Ok((0.0, f32::INFINITY)))?;
            clamped.ok_or(NodeError::Operand { index: 0, expected })
        }
    }
}
