//! What QGemm and QLinearMatMul share: the product of 8-bit operands, requantized.

use super::builder::Builder;
use super::error::NodeError;
use super::node::NodeView;
use super::operands::{check_columns, product_shape, requantize};
use super::value::{Codes, MatMulOperands, Scaling, Value, Weights};
use crate::graph::Epilogue;

/// The node's input 0 (zero point: input 2) times `weights` (scales: input 4) plus `bias`, at
/// `input_scale`, requantized to the scale in input `to` and the zero point in the one after it.
pub(super) fn requantized_product(
    builder: &mut Builder,
    node: &NodeView<'_>,
    (weights, bias): (Weights, Vec<i64>),
    input_scale: f32,
    to: usize,
) -> Result<Value, NodeError> {
    let x = node.codes(0)?;
    let products: Vec<f32> = node.scales(4)?.iter().map(|sw| input_scale * sw).collect();
    check_columns(products.len(), weights.n, 4)?;
    let missing = NodeError::MissingInput { index: to + 1 };
    let (dtype, zero_point) = node.optional_code(to + 1)?.ok_or(missing)?;
    let scaling = Scaling { scale: node.scale(to)?, zero_point };
    let unbounded = (f32::NEG_INFINITY, f32::INFINITY);
    let requantize = requantize(&products, unbounded, scaling, dtype)?;
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
