//! Gemm of a dequantized tensor and dequantized constants: the integer matmul of what they dequantize.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{NodeView, Operator};
use crate::onnx::operands::{dequantized_bias, dequantized_weights, product_shape};
use crate::onnx::value::{MatMulOperands, Product, Value};
use std::rc::Rc;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Gemm",
    inputs: 3,
    attributes: &["alpha", "beta", "transA", "transB"],
    import,
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
    let shape = node.dequantized_codes(0)?.codes.shape.len();
    if shape != 1 {
        return Err(NodeError::OperandShape { index: 0, expected: 2, got: shape + 1 });
    }
    product(node, transposed)
}

/// The product of operands 0 and 1, dequantized, plus operand 2, a dequantized bias, if there is one.
pub(super) fn product(node: &NodeView<'_>, transposed: bool) -> Result<Value, NodeError> {
    let x = node.dequantized_codes(0)?;
    let constant = |index: usize| match node.optional(index)? {
        None => Ok(None),
        Some(Value::Dequantized(constant)) => Ok(Some(constant)),
        Some(_) => {
            Err(NodeError::Operand { index, expected: "the DequantizeLinear of a constant" })
        }
    };
    let weights = constant(1)?.ok_or(NodeError::MissingInput { index: 1 })?;
    let (weights, scales) = dequantized_weights(weights, transposed, 1)?;
    let scales: Vec<f32> = scales.iter().map(|sw| x.scaling.scale * sw).collect();
    let bias = match constant(2)? {
        None => Vec::new(),
        Some(bias) => dequantized_bias(bias, &scales, weights.n, 2)?,
    };
    Ok(Value::Product(Product {
        shape: product_shape(&x.codes.shape, &weights, 0)?,
        matmul: Rc::new(MatMulOperands {
            name: node.name.to_owned(),
            x: x.codes.clone(),
            zero_code: x.zero_code(),
            weights,
            bias,
        }),
        scales,
        low: f32::NEG_INFINITY,
        high: f32::INFINITY,
    }))
}
