//! Conv of a dequantized image and dequantized constants: the integer convolution of what they dequantize.

use super::gemm;
use crate::onnx::builder::Builder;
use crate::onnx::convolved::{self, Geometry};
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::operands::Layout;
use crate::onnx::value::Value;
use crate::onnx::windows;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Conv",
    inputs: 3,
    attributes: &[&convolved::ATTRIBUTES, &windows::ATTRIBUTES],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let x = node.dequantized_codes(0)?;
    let kernels = gemm::dequantized(node, 1)?.ok_or(NodeError::MissingInput { index: 1 })?;
    let geometry = Geometry::of(node, &x.codes.view, &kernels.values, 1)?;
    let (scales, weights, bias) = gemm::constants(node, x, Layout::Kernels)?;
    let (operands, output) =
        geometry.operands(builder, node, &x.codes.view, x.zero_code(), (weights, bias))?;
    Ok(gemm::deferred(operands, scales, output))
}
