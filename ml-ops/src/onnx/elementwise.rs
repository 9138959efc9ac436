//! What operators on floats that are a function of codes share.

use super::error::NodeError;
use super::node::NodeView;
use super::value::Value;

/// `function` of each element of operand 0.
pub(super) fn unary(
    node: &NodeView<'_>,
    function: impl Fn(f32) -> f32,
) -> Result<Value, NodeError> {
    match node.value(0)? {
        Value::Floats(floats) => Ok(Value::Floats(floats.map(function))),
        _ => Err(NodeError::Operand { index: 0, expected: "a dequantized tensor" }),
    }
}
