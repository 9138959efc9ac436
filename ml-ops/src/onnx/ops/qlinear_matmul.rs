//! QLinearMatMul: a matmul of 8-bit operands, requantized.

use crate::graph::Epilogue;
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{NodeView, Operator};
use crate::onnx::operands::{check_columns, product_shape, requantize, weights};
use crate::onnx::value::{Codes, MatMulOperands, Scaling, Value};

pub(super) const OPERATOR: Operator =
    Operator { domain: "", name: "QLinearMatMul", inputs: 8, attributes: &[], import };

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let x = node.codes(0)?;
    let weights = weights(node.constant(3)?, Some(node.constant(5)?), false, 3, 5)?;
    let scale = node.scale(1)?;
    let products: Vec<f32> = node.scales(4)?.iter().map(|sw| scale * sw).collect();
    check_columns(products.len(), weights.n, 4)?;
    let (dtype, zero_point) = node.optional_code(7)?.ok_or(NodeError::MissingInput { index: 7 })?;
    let to = Scaling { scale: node.scale(6)?, zero_point };
    let unbounded = (f32::NEG_INFINITY, f32::INFINITY);
    let requantize = requantize(&products, unbounded, to, dtype)?;
    let shape = product_shape(&x.shape, &weights, 0)?;
    node.value(2)?;
    let operands = MatMulOperands {
        name: node.name.to_owned(),
        zero_code: x.zero_code(node.zero_point(2, x.dtype)?),
        x: x.clone(),
        weights,
        bias: Vec::new(),
    };
    Ok(Value::Codes(Codes {
        tensor: builder.matmul(&operands, Epilogue::Requantize(requantize))?,
        dtype,
        shape,
        quantized: false,
    }))
}
