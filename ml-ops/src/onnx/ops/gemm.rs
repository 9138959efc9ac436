//! Gemm of a dequantized tensor and dequantized constants: the integer matmul of what they dequantize.

use crate::onnx::builder::Builder;
use crate::onnx::deferred::{Deferred, Kind, Product};
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::operands::{self, Layout, dequantized_bias, dequantized_weights};
use crate::onnx::value::{Dequantized, Floats, MatMulOperands, Value, Weights};
use crate::onnx::view::View;
use std::rc::Rc;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Gemm",
    inputs: 3,
    attributes: &[&["alpha", "beta", "transA", "transB"]],
    import: Import::One(import),
};

fn import(_: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    node.int_among("transA", &[0])?;
    let transposed = node.int_among("transB", &[0, 1])? == 1;
    for attribute in ["alpha", "beta"] {
        let value = node.float(attribute, 1.0)?;
        if value != 1.0 {
            let value = f64::from(value);
            return Err(NodeError::AttributeValue { attribute, value });
        }
    }
    let rank = node.dequantized_codes(0)?.codes.view.rank();
    if rank != 1 {
        return Err(NodeError::OperandShape { index: 0, expected: 2, got: rank + 1 });
    }
    product(node, if transposed { Layout::Rows } else { Layout::Columns })
}

/// The product of operands 0 and 1, dequantized, plus operand 2, a dequantized bias, if there is one.
pub(super) fn product(node: &NodeView<'_>, layout: Layout) -> Result<Value, NodeError> {
    let x = node.dequantized_codes(0)?;
    let (scales, weights, bias) = constants(node, x, layout)?;
    let (matrix, output) = operands::product(&x.codes.view, &weights, 0)?;
    let (name, zero_code) = (node.name.to_owned(), x.zero_code());
    let operands = MatMulOperands { name, x: matrix, zero_code, weights, bias, groups: 1 };
    Ok(deferred(operands, scales, output))
}

/// The product at `scales`, seen as `output`.
pub(super) fn deferred(operands: MatMulOperands, scales: Vec<f32>, output: View) -> Value {
    let product = Product { matmul: operands, scales };
    Value::Deferred(Deferred::new(Kind::Product(Rc::new(product)), output))
}

/// The scales of the product of `x` and the weights in operand 1, the weights, and the bias in operand 2.
pub(super) fn constants(
    node: &NodeView<'_>,
    x: &Floats,
    layout: Layout,
) -> Result<(Vec<f32>, Weights, Vec<i64>), NodeError> {
    let weights = dequantized(node, 1)?.ok_or(NodeError::MissingInput { index: 1 })?;
    let (weights, scales) = dequantized_weights(weights, layout, 1)?;
    let scales: Vec<f32> = scales.iter().map(|sw| x.scaling.scale * sw).collect();
    let bias = match dequantized(node, 2)? {
        None => Vec::new(),
        Some(bias) => dequantized_bias(bias, &scales, weights.n, 2)?,
    };
    Ok((scales, weights, bias))
}

/// Operand `index`, the DequantizeLinear of a constant, if the node has it.
pub(super) fn dequantized<'a>(
    node: &NodeView<'a>,
    index: usize,
) -> Result<Option<&'a Rc<Dequantized>>, NodeError> {
    match node.optional(index)? {
        None => Ok(None),
        Some(Value::Dequantized(constant)) => Ok(Some(constant)),
        Some(_) => {
            Err(NodeError::Operand { index, expected: "the DequantizeLinear of a constant" })
        }
    }
}
