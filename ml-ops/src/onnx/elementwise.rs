//! What operators on floats that are a function of codes share.

use super::deferred::Applied;
use super::error::NodeError;
use super::node::NodeView;
use super::value::Value;

/// `function` of each element of operand 0: of codes, or, on the way to a QuantizeLinear, of a product.
pub(super) fn unary(
    node: &NodeView<'_>,
    function: impl Fn(f32) -> f32 + 'static,
) -> Result<Value, NodeError> {
    match node.value(0)? {
        Value::Floats(floats) => Ok(Value::Floats(floats.map(function))),
        Value::Deferred(floats) if node.goes_on() => {
            let expected = "a dequantized tensor or a matmul's or convolution's result";
            let applied = Applied::map(floats, function);
            Ok(Value::Deferred(applied.ok_or(NodeError::Operand { index: 0, expected })?))
        }
        _ => Err(NodeError::Operand { index: 0, expected: "a dequantized tensor" }),
    }
}
