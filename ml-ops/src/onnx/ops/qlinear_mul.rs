//! com.microsoft QLinearMul: an 8-bit tensor times a constant or another tensor, requantized.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::pairs;
use crate::onnx::qlinear;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "com.microsoft",
    name: "QLinearMul",
    inputs: 8,
    attributes: &[],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    pairs::requantized(builder, node, qlinear::mul, false)
}
