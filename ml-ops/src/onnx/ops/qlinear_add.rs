//! com.microsoft QLinearAdd: the sum of two 8-bit tensors, or of one and a constant, requantized.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::pairs;
use crate::onnx::qlinear;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "com.microsoft",
    name: "QLinearAdd",
    inputs: 8,
    attributes: &[],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    pairs::requantized(builder, node, qlinear::add, true)
}
