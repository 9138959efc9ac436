//! Gemm of a dequantized tensor and dequantized constants: the integer matmul of what they dequantize.
//!
//! With `alpha` or `beta` other than 1 the runtime has a kernel of integers where there is no bias alone. A bias is added in floats.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::factors::{self, Constants};
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::operands::{self, Layout};
use crate::onnx::unquantized;
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
    let number = |attribute, is_known: fn(f32) -> bool| {
        let of = node.float(attribute, 1.0)?;
        let wrong = NodeError::AttributeValue { attribute, value: f64::from(of) };
        if is_known(of) { Ok(of) } else { Err(wrong) }
    };
    let alpha = number("alpha", |alpha| alpha.is_finite() && alpha > 0.0)?;
    let beta = number("beta", f32::is_finite)?;
    let rank = node.value(0)?.view().map_or(1, View::rank);
    let got = rank + usize::from(!node.is_whole());
    if got != 2 {
        return Err(NodeError::OperandShape { index: 0, expected: 2, got });
    }
    let layout = if transposed { Layout::Rows } else { Layout::Columns };
    product(builder, node, layout, (alpha, beta))
}

/// `alpha` times the product of operands 0 and 1, dequantized, plus `beta` times operand 2, a bias, if there is one.
pub(super) fn product(
    builder: &mut Builder,
    node: &NodeView<'_>,
    layout: Layout,
    factors: (f32, f32),
) -> Result<Value, NodeError> {
    let rank = node.value(0)?.view().map_or(0, View::rank);
    let last = rank.checked_sub(1);
    let last = last.ok_or(NodeError::OperandShape { index: 0, expected: 2, got: rank + 1 })?;
    if factors == (1.0, 1.0) && node.is_of_bits(layout) {
        let expected =
            "dequantized, or a QuantizeLinear behind the product with dequantized weights";
        return Err(NodeError::Operand { index: 0, expected });
    }
    if factors == (1.0, 1.0)
        && let Some(product) = unquantized::product(builder, node, last, layout)?
    {
        return Ok(product);
    }
    let mut x = match node.value(0)? {
        Value::WordFloats(floats) if floats.is_pure() => factors::words(builder, node, floats)?,
        _ => factors::first(builder, node, last)?,
    };
    let constants = factors::constants_times(node, &mut x, layout, factors)?;
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
