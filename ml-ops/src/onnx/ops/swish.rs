//! Swish: `x` times the Sigmoid of a multiple of it.

use crate::onnx::builder::Builder;
use crate::onnx::elementwise;
use crate::onnx::error::NodeError;
use crate::onnx::floats;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Swish",
    inputs: 1,
    attributes: &[&["alpha"]],
    import: Import::One(import),
};

fn import(_: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let alpha = node.float("alpha", 1.0)?;
    elementwise::unary(node, move |x| x * floats::sigmoid(alpha * x))
}
