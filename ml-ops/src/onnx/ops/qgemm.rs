//! com.microsoft QGemm: `alpha` times a matmul of 8-bit operands plus an int32 bias, requantized or as floats.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::operands::{Layout, bias, weights};
use crate::onnx::requantized::{float_product, matmul_operands, requantized_product};
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "com.microsoft",
    name: "QGemm",
    inputs: 9,
    attributes: &[&["alpha", "transA", "transB"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    node.int_among("transA", &[0])?;
    let transposed = node.int_among("transB", &[0, 1])? == 1;
    let alpha = node.float("alpha", 1.0)?;
    if !(alpha.is_finite() && alpha > 0.0) {
        return Err(NodeError::AttributeValue { attribute: "alpha", value: f64::from(alpha) });
    }
    let got = node.codes(0)?.view.rank() + usize::from(!node.is_whole());
    if got != 2 {
        return Err(NodeError::OperandShape { index: 0, expected: 2, got });
    }
    let layout = if transposed { Layout::Rows } else { Layout::Columns };
    let weights = weights(node.constant(3)?, Some(node.constant(5)?), layout, 3, 5)?;
    let bias = match node.optional_constant(6)? {
        None => Vec::new(),
        Some(array) => bias(array, layout, weights.n, 6)?,
    };
    let scale = alpha * node.scale(1)?;
    node.value(2)?;
    let (operands, output) = matmul_operands(node, weights, bias, 2)?;
    match node.optional(7)? {
        Some(_) => requantized_product(builder, node, &operands, &output, scale, 7),
        None => float_product(node, operands, output, scale, 4),
    }
}
