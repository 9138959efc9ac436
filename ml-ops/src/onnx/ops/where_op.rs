//! Where: either of two numbers, by a comparison of a product.

use crate::array::ArrayData;
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::thresholds;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator =
    Operator { domain: "", name: "Where", inputs: 3, attributes: &[], import: Import::One(import) };

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let Value::Comparison(comparison) = node.value(0)? else {
        return Err(NodeError::Operand { index: 0, expected: "a comparison of a product" });
    };
    let number = |index: usize| match node.constant(index)?.data() {
        ArrayData::F32(values) if values.len() == 1 => Ok(values[0]),
        ArrayData::F32(values) => {
            Err(NodeError::OperandShape { index, expected: 1, got: values.len() })
        }
        _ => Err(NodeError::OperandType { index }),
    };
    thresholds::chosen(builder, node.name, comparison, (number(1)?, number(2)?))
}
