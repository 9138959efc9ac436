//! InstanceNormalization: each channel of a dequantized tensor brought to one size, in integers.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::normalized::{self, Groups};
use crate::onnx::shapes;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "InstanceNormalization",
    inputs: 3,
    attributes: &[&["epsilon"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let count = shapes::of(node.value(0)?)?.first().copied().unwrap_or(0);
    let groups = Groups { count, last: false, by_group: false, silu: false };
    normalized::of_groups(builder, node, &groups)
}
