//! ConstantOfShape: a constant list of one integer, again and again.

use crate::array::ArrayData;
use crate::onnx::builder::Builder;
use crate::onnx::constant;
use crate::onnx::error::NodeError;
use crate::onnx::folded;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "ConstantOfShape",
    inputs: 1,
    attributes: &[&["value"]],
    import: Import::One(import),
};

/// Longest list.
const MOST: i64 = 64;

fn import(_: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let shape = node.integers("shape", 0)?.unwrap_or_default();
    let [length @ 0..=MOST] = shape[..] else {
        return Err(NodeError::OperandShape { index: 0, expected: 1, got: shape.len() });
    };
    let wrong = NodeError::OperandType { index: 0 };
    let tensor = node.attribute("value").and_then(|value| value.t.as_ref());
    let value = match tensor.map(constant::array) {
        Some(Ok(array)) => match array.data() {
            ArrayData::I64(values) if values.len() == 1 => values[0],
            _ => return Err(wrong),
        },
        _ => return Err(wrong),
    };
    folded::integers(vec![length as usize], vec![value; length as usize])
}
