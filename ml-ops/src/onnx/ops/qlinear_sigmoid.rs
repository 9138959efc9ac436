//! com.microsoft QLinearSigmoid: a table of codes, by the runtime's approximation.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::floats;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::pairs;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "com.microsoft",
    name: "QLinearSigmoid",
    inputs: 5,
    attributes: &[],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    pairs::looked_up(builder, node, floats::sigmoid)
}
