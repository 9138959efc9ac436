//! QLinearConv: a convolution of an 8-bit image, requantized; com.microsoft's also of one with the channels last.

use crate::onnx::builder::Builder;
use crate::onnx::convolved::{self, Geometry};
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::operands::{Layout, bias, weights};
use crate::onnx::requantized::requantized_product;
use crate::onnx::shapes;
use crate::onnx::value::Value;
use crate::onnx::windows;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "QLinearConv",
    inputs: 9,
    attributes: &[&convolved::ATTRIBUTES, &windows::ATTRIBUTES],
    import: Import::One(import),
};

/// The same that a session makes of it, which says where the channels are.
pub(super) const WITH_CHANNELS_LAST: Operator = Operator {
    domain: "com.microsoft",
    attributes: &[&convolved::ATTRIBUTES, &windows::ATTRIBUTES, &["channels_last"]],
    ..OPERATOR
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let x = node.codes(0)?;
    let kernels = node.constant(3)?;
    let last = node.int_among("channels_last", &[0, 1])? == 1;
    let seen = if last { shapes::channels_first(&x.view) } else { x.view.clone() };
    let geometry = Geometry::of(node, &seen, kernels.shape(), 3)?;
    let weights = weights(kernels, Some(node.constant(5)?), Layout::Kernels, 3, 5)?;
    let bias = match node.optional_constant(8)? {
        None => Vec::new(),
        Some(array) => bias(array, Layout::Kernels, weights.n, 8)?,
    };
    node.value(2)?;
    let zero_code = x.zero_code(node.zero_point(2, x.dtype)?);
    let (operands, output) = geometry.operands(builder, node, &seen, zero_code, (weights, bias))?;
    let output = if last { shapes::channels_last(&output) } else { output };
    requantized_product(builder, node, &operands, &output, node.scale(1)?, 6)
}
