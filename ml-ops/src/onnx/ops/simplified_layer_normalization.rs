//! SimplifiedLayerNormalization, the runtime's name for RMSNormalization.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::normalized;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "SimplifiedLayerNormalization",
    inputs: 2,
    attributes: &[&normalized::ATTRIBUTES],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    normalized::deferred(builder, node, false)
}
