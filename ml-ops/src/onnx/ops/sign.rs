//! Sign of a product, or of a function of one tensor: -1, 0 or 1.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::thresholds;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator =
    Operator { domain: "", name: "Sign", inputs: 1, attributes: &[], import: Import::One(import) };

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let of = match node.value(0)? {
        Value::Deferred(of) => of,
        Value::Floats(floats) => {
            let sign = |x: f32| f32::from(x > 0.0) - f32::from(x < 0.0);
            return Ok(Value::Floats(floats.map(sign)));
        }
        _ => {
            let expected = "a dequantized tensor, or a matmul's or convolution's result";
            return Err(NodeError::Operand { index: 0, expected });
        }
    };
    let sign = |_, x: f32| usize::from(x >= 0.0) + usize::from(x > 0.0);
    thresholds::levels(builder, node.name, of, &[-1.0, 0.0, 1.0], |_| true, sign)
}
