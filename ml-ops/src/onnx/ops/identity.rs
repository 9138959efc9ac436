//! Identity: another name for a value.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Identity",
    inputs: 1,
    attributes: &[],
    import: Import::One(import),
};

fn import(_: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    node.value(0).cloned()
}
