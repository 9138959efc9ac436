//! Selu: of a dequantized tensor.

use crate::onnx::builder::Builder;
use crate::onnx::elementwise::unary;
use crate::onnx::error::NodeError;
use crate::onnx::floats;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Selu",
    inputs: 1,
    attributes: &[&["alpha", "gamma"]],
    import: Import::One(import),
};

fn import(_: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let alpha = node.float("alpha", 1.673_263_2)?;
    let gamma = node.float("gamma", 1.050_701)?;
    unary(node, move |x| gamma * floats::elu(x, alpha))
}
