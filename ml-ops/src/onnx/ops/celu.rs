//! Celu: of a dequantized tensor.

use crate::onnx::builder::Builder;
use crate::onnx::elementwise::unary;
use crate::onnx::error::NodeError;
use crate::onnx::floats;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Celu",
    inputs: 1,
    attributes: &[&["alpha"]],
    import: Import::One(import),
};

fn import(_: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let alpha = node.float("alpha", 1.0)?;
    unary(node, move |x| if x > 0.0 { x } else { alpha * (floats::exponential(x / alpha) - 1.0) })
}
