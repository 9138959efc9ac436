//! QLinearMatMul: a matmul of 8-bit operands, requantized.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{NodeView, Operator};
use crate::onnx::operands::weights;
use crate::onnx::requantized::requantized_product;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator =
    Operator { domain: "", name: "QLinearMatMul", inputs: 8, attributes: &[], import };

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    node.codes(0)?;
    let weights = weights(node.constant(3)?, Some(node.constant(5)?), false, 3, 5)?;
    requantized_product(builder, node, (weights, Vec::new()), node.scale(1)?, 6)
}
