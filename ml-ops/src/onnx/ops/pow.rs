//! Pow: a dequantized tensor or constant floats to a constant power, 2, 3, 1/2, 1 or -1.

use crate::onnx::arithmetic;
use crate::onnx::builder::Builder;
use crate::onnx::deferred::NormalizationPart;
use crate::onnx::elementwise::unary;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator =
    Operator { domain: "", name: "Pow", inputs: 2, attributes: &[], import: Import::One(import) };

fn import(_: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let exponent = arithmetic::number_of(node, 1)?;
    let power: fn(f32) -> f32 = match exponent {
        2.0 => |x| x * x,
        3.0 => |x| x * x * x,
        0.5 => f32::sqrt,
        1.0 => |x| x,
        -1.0 => |x| 1.0 / x,
        value => return Err(NodeError::NotOnGrid { index: 1, value }),
    };
    if let Value::Deferred(x) = node.value(0)?
        && exponent == 2.0
        && let Some(squares) = NormalizationPart::squared(node.name, x)
    {
        return Ok(Value::Deferred(squares));
    }
    unary(node, power)
}
