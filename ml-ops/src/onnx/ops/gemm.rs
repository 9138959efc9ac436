//! Gemm of a dequantized tensor and dequantized constants: the integer matmul of what they dequantize.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::factors::{self, Constants};
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::operands::{self, Layout};
use crate::onnx::value::{MatMulOperands, Value};
use crate::onnx::view::View;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Gemm",
    inputs: 3,
    attributes: &[&["alpha", "beta", "transA", "transB"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    node.int_among("transA", &[0])?;
    let transposed = node.int_among("transB", &[0, 1])? == 1;
    for attribute in ["alpha", "beta"] {
        let value = node.float(attribute, 1.0)?;
        if value != 1.0 {
            let value = f64::from(value);
            return Err(NodeError::AttributeValue { attribute, value });
        }
    }
    let rank = node.value(0)?.view().map_or(1, View::rank);
    let got = rank + usize::from(!node.is_whole());
    if got != 2 {
        return Err(NodeError::OperandShape { index: 0, expected: 2, got });
    }
    product(builder, node, if transposed { Layout::Rows } else { Layout::Columns })
}

/// The product of operands 0 and 1, dequantized, plus operand 2, a dequantized bias, if there is one.
pub(super) fn product(
    builder: &mut Builder,
    node: &NodeView<'_>,
    layout: Layout,
) -> Result<Value, NodeError> {
    let rank = node.value(0)?.view().map_or(0, View::rank);
    let last = rank.checked_sub(1);
    let last = last.ok_or(NodeError::OperandShape { index: 0, expected: 2, got: rank + 1 })?;
    let x = match node.value(0)? {
        Value::WordFloats(floats) if floats.is_pure() => factors::words(builder, node, floats)?,
        _ => factors::first(builder, node, last)?,
    };
    let constants = factors::constants(node, &x, layout)?;
    let (matrix, output, groups) = operands::product(&x.view, &constants.weights, 0)?;
    let (name, zero_code) = (node.name.to_owned(), x.zero_code);
    let Constants { weights, mut bias, fine, .. } = constants;
    let mut reach = None;
    if let Some(zero_point) = x.zero_point {
        if groups != 1 {
            let expected = "a matrix of weights for all of a 16-bit tensor";
            return Err(NodeError::Operand { index: 1, expected });
        }
        let (low, high) = builder.tensors[x.view.tensor].kind().range();
        reach = Some(high.max(low.saturating_neg()));
        weights.subtract(i64::from(zero_point), &mut bias);
    }
    let matmul = MatMulOperands { name, x: matrix, zero_code, reach, weights, bias, groups };
    factors::deferred(x, matmul, (constants.scales, constants.after), fine.as_ref(), output)
}
