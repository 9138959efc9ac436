//! Relu: on 8-bit and 32-bit integers as they are, on dequantized floats, and after a matmul.

use super::clip::clamp_codes;
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{NodeView, Operator};
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator =
    Operator { domain: "", name: "Relu", inputs: 1, attributes: &[], import };

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    match node.value(0)? {
        Value::Codes(codes) => Ok(clamp_codes(builder, node.name, codes, 0, codes.dtype.max())),
        Value::Integers { tensor, shape } => {
            Ok(Value::Integers { tensor: builder.relu(node.name, *tensor), shape: shape.clone() })
        }
        Value::Floats(floats) => Ok(super::clip::clamp_floats(floats, 0.0, f32::INFINITY)),
        Value::Product(product) => {
            let mut product = product.clone();
            product.low = product.low.max(0.0);
            product.high = product.high.max(0.0);
            Ok(Value::Product(product))
        }
        Value::Constant(_) | Value::Dequantized(_) | Value::FloatInput { .. } => {
            Err(NodeError::Operand {
                index: 0,
                expected: "an integer tensor, a dequantized one, or a matmul's result",
            })
        }
    }
}
