//! Mul: a dequantized tensor times a constant, a function of itself, or another dequantized tensor.

use crate::onnx::arithmetic::{self, Operation};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator =
    Operator { domain: "", name: "Mul", inputs: 2, attributes: &[], import: Import::One(import) };

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    arithmetic::import(builder, node, Operation::Mul)
}
