//! com.microsoft QGemm: `alpha` times a matmul of 8-bit operands plus an int32 bias, requantized.

use crate::graph::Epilogue;
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{NodeView, Operator};
use crate::onnx::operands::{bias, check_columns, product_shape, requantize, weights};
use crate::onnx::value::{Codes, MatMulOperands, Scaling, Value};

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
    let products: Vec<f32> = node.scales(4)?.iter().map(|sw| scale * sw).collect();
    check_columns(products.len(), weights.n, 4)?;
    let (dtype, zero_point) = node.optional_code(8)?.ok_or(NodeError::MissingInput { index: 8 })?;
    let to = Scaling { scale: node.scale(7)?, zero_point };
    let unbounded = (f32::NEG_INFINITY, f32::INFINITY);
    let requantize = requantize(&products, unbounded, to, dtype)?;
    let shape = product_shape(&x.shape, &weights, 0)?;
    node.value(2)?;
    let operands = MatMulOperands {
        name: node.name.to_owned(),
        zero_code: x.zero_code(node.zero_point(2, x.dtype)?),
        x: x.clone(),
        weights,
        bias,
    };
    Ok(Value::Codes(Codes {
        tensor: builder.matmul(&operands, Epilogue::Requantize(requantize))?,
        dtype,
        shape,
        quantized: false,
    }))
}
