//! Gelu: of a dequantized tensor, by the runtime's Erf.

use crate::onnx::builder::Builder;
use crate::onnx::elementwise::unary;
use crate::onnx::error::NodeError;
use crate::onnx::floats;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Gelu",
    inputs: 1,
    attributes: &[&["approximate"]],
    import: Import::One(import),
};

fn import(_: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    match node.text("approximate")?.unwrap_or("none") {
        "none" => unary(node, floats::gelu),
        "tanh" => unary(node, floats::gelu_by_tanh),
        other => {
            Err(NodeError::AttributeText { attribute: "approximate", value: other.to_owned() })
        }
    }
}
