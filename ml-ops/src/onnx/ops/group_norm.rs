//! com.microsoft's GroupNorm: a GroupNormalization of channels that are last by default, with a SiLU or none behind it.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::normalized::{self, Groups};
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "com.microsoft",
    name: "GroupNorm",
    inputs: 3,
    attributes: &[&["activation", "channels_last", "epsilon", "groups"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let count = normalized::count(node, "groups")?;
    let last = node.int_among("channels_last", &[1, 0])? == 1;
    let silu = node.int_among("activation", &[0, 1])? == 1;
    normalized::of_groups(builder, node, &Groups { count, last, by_group: false, silu })
}
