//! com.microsoft QLinearLeakyRelu: a table of codes.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::pairs;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "com.microsoft",
    name: "QLinearLeakyRelu",
    inputs: 5,
    attributes: &[&["alpha"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let alpha = node.float("alpha", 0.01)?;
    pairs::looked_up(builder, node, |x| if x >= 0.0 { x } else { alpha * x })
}
