//! Sum: of dequantized tensors.

use crate::onnx::arithmetic;
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Sum",
    inputs: usize::MAX,
    attributes: &[],
    import: Import::One(import),
};

fn import(_: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    match node.inputs() {
        0 => Err(NodeError::MissingInput { index: 0 }),
        1 => Ok(node.value(0)?.clone()),
        _ => arithmetic::sum(node),
    }
}
