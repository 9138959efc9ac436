//! MatMul of a dequantized tensor and a dequantized constant: as Gemm without a bias, any leading rank.

use super::gemm;
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::operands::Layout;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "MatMul",
    inputs: 2,
    attributes: &[],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    gemm::product(builder, node, Layout::Columns)
}
