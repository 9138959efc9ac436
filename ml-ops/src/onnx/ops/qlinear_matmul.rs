//! QLinearMatMul: a matmul of 8-bit operands, requantized.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::heads;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::operands::{Layout, weights};
use crate::onnx::requantized::{matmul_operands, requantized_product};
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "QLinearMatMul",
    inputs: 8,
    attributes: &[],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    node.codes(0)?;
    if let Value::Codes(b) = node.value(3)? {
        return heads::requantized(builder, node, b);
    }
    let weights = weights(node.constant(3)?, Some(node.constant(5)?), Layout::Columns, 3, 5)?;
    node.value(2)?;
    let (operands, output) = matmul_operands(node, weights, Vec::new(), 2)?;
    requantized_product(builder, node, &operands, &output, node.scale(1)?, 6)
}
