//! What QGemm, QLinearMatMul, QLinearConv and MatMulIntegerToFloat share: the product of 8-bit operands, requantized or as floats.

use super::builder::Builder;
use super::deferred::{Deferred, Kind, Product};
use super::error::NodeError;
use super::node::NodeView;
use super::operands::{check_columns, requantize};
use super::target::Target;
use super::value::{Codes, MatMulOperands, Scaling, Value};
use super::view::View;
use crate::graph::Epilogue;
use std::rc::Rc;

/// The product of `operands` (scales of the weights: input 4) at `input_scale`, requantized to the scale in
/// input `to` and the zero point in the one after it; `output` is how the product is seen.
pub(super) fn requantized_product(
    builder: &mut Builder,
    node: &NodeView<'_>,
    operands: &MatMulOperands,
    output: &View,
    input_scale: f32,
    to: usize,
) -> Result<Value, NodeError> {
    let products: Vec<f32> = node.scales(4)?.iter().map(|sw| input_scale * sw).collect();
    check_columns(products.len(), operands.weights.n, 4)?;
    let missing = NodeError::MissingInput { index: to + 1 };
    let (dtype, zero_point) = node.optional_code(to + 1)?.ok_or(missing)?;
    let scaling = Scaling { scale: node.scale(to)?, zero_point };
    let requantize = requantize(&products, &Target::unbounded(scaling, dtype))?;
    let tensor = builder.matmul(operands, Epilogue::Requantize(requantize))?;
    let view = output.on(tensor);
    Ok(Value::Codes(Codes { view, dtype, quantized: false, origin: None }))
}

/// The floats of the product of `operands` at `input_scale` times the scales of the weights (input `scales`); `output` is how the
/// product is seen.
pub(super) fn float_product(
    node: &NodeView<'_>,
    matmul: MatMulOperands,
    output: View,
    input_scale: f32,
    scales: usize,
) -> Result<Value, NodeError> {
    let products: Vec<f32> = node.scales(scales)?.iter().map(|sw| input_scale * sw).collect();
    check_columns(products.len(), matmul.weights.n, scales)?;
    let product = Kind::Product(Rc::new(Product { matmul, scales: products }));
    Ok(Value::Deferred(Deferred::new(product, output)))
}

/// The operands of a matmul of input 0, whose zero point is input `zero_point`.
pub(super) fn matmul_operands(
    node: &NodeView<'_>,
    weights: super::value::Weights,
    bias: Vec<i64>,
    zero_point: usize,
) -> Result<(MatMulOperands, View), NodeError> {
    let codes = node.codes(0)?;
    let (x, output, groups) = super::operands::product(&codes.view, &weights, 0)?;
    let zero_code = codes.zero_code(node.zero_point(zero_point, codes.dtype)?);
    let name = node.name.to_owned();
    Ok((MatMulOperands { name, x, zero_code, reach: None, weights, bias, groups }, output))
}
