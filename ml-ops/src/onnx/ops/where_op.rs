//! Where: either of two numbers, by a comparison of a product, or what a constant leaves of a tensor for a Softmax.

use crate::array::ArrayData;
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::masked;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::thresholds;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator =
    Operator { domain: "", name: "Where", inputs: 3, attributes: &[], import: Import::One(import) };

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let comparison = match (node.value(0)?, node.value(1)?, node.value(2)?) {
        (Value::Comparison(comparison), ..) => comparison,
        (Value::Constant(condition), Value::Floats(x), Value::Constant(_)) => {
            let value = one(node, 2)?;
            return masked::chosen(builder, node.name, x, (condition, true), value);
        }
        (Value::Constant(condition), Value::Constant(_), Value::Floats(x)) => {
            let value = one(node, 1)?;
            return masked::chosen(builder, node.name, x, (condition, false), value);
        }
        _ => {
            let expected = "a comparison of a product, or a constant and a dequantized tensor";
            return Err(NodeError::Operand { index: 0, expected });
        }
    };
    thresholds::chosen(builder, node.name, comparison, (one(node, 1)?, one(node, 2)?))
}

/// Operand `index`, one number.
fn one(node: &NodeView<'_>, index: usize) -> Result<f32, NodeError> {
    match node.constant(index)?.data() {
        ArrayData::F32(values) if values.len() == 1 => Ok(values[0]),
        ArrayData::F32(values) => {
            Err(NodeError::OperandShape { index, expected: 1, got: values.len() })
        }
        _ => Err(NodeError::OperandType { index }),
    }
}
