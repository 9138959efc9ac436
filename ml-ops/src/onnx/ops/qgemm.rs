//! com.microsoft QGemm: `alpha` times a matmul of 8-bit operands plus an int32 bias, requantized.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{NodeView, Operator};
use crate::onnx::operands::{bias, weights};
use crate::onnx::requantized::requantized_product;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "com.microsoft",
    name: "QGemm",
    inputs: 9,
    attributes: &["alpha", "transA", "transB"],
    import,
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    node.int_among("transA", &[0])?;
    let transposed = node.int_among("transB", &[0, 1])? == 1;
    let alpha = node.float("alpha", 1.0)?;
    if !(alpha.is_finite() && alpha > 0.0) {
        return Err(NodeError::AttributeValue { attribute: "alpha", value: f64::from(alpha) });
    }
    let x = node.codes(0)?;
    if x.shape.len() != 1 {
        return Err(NodeError::OperandShape { index: 0, expected: 2, got: x.shape.len() + 1 });
    }
    let weights = weights(node.constant(3)?, Some(node.constant(5)?), transposed, 3, 5)?;
    let bias = match node.optional_constant(6)? {
        None => Vec::new(),
        Some(array) => bias(array, weights.n, 6)?,
    };
    let scale = alpha * node.scale(1)?;
    requantized_product(builder, node, (weights, bias), scale, 7)
}
