//! What operators on floats that are a function of codes share.

use super::deferred::Applied;
use super::error::NodeError;
use super::folded;
use super::node::NodeView;
use super::value::Value;
use std::rc::Rc;

/// `function` of each element of operand 0: of codes, of constants, or, on the way to a QuantizeLinear, of a product.
pub(super) fn unary(
    node: &NodeView<'_>,
    function: impl Fn(f32) -> f32 + 'static,
) -> Result<Value, NodeError> {
    match node.value(0)? {
        Value::Floats(floats) => Ok(Value::Floats(floats.map(function))),
        Value::Deferred(floats) if node.goes_on() => {
            let expected = "a dequantized tensor or a matmul's or convolution's result";
            let function: Rc<dyn Fn(f32) -> f32> = Rc::new(function);
            let applied = match floats.put_together() {
                Some(_) => floats.each_part(node.name, |part, _| {
                    let function = function.clone();
                    match part {
                        Value::Floats(floats) => Ok(Value::Floats(floats.map(|x| function(x)))),
                        Value::Deferred(floats) => {
                            let applied = Applied::map(&floats, move |x| function(x));
                            let wrong = NodeError::Operand { index: 0, expected };
                            applied.map(Value::Deferred).ok_or(wrong)
                        }
                        part => Ok(part),
                    }
                })?,
                None => Applied::map(floats, move |x| function(x)),
            };
            Ok(Value::Deferred(applied.ok_or(NodeError::Operand { index: 0, expected })?))
        }
        Value::WordFloats(floats) if node.goes_on() => {
            Ok(Value::Deferred(floats.applied(node.name, function)?))
        }
        _ if folded::is_floats(node, 0)? => folded::each(node, function),
        _ => Err(NodeError::Operand { index: 0, expected: "a dequantized tensor" }),
    }
}
