//! GroupNormalization: groups of channels of a dequantized tensor, each brought to one size, in integers.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::normalized::{self, Groups};
use crate::onnx::proto::data_type;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "GroupNormalization",
    inputs: 3,
    attributes: &[&["epsilon", "num_groups", "stash_type"]],
    import: Import::One(import),
};

/// The first version whose factors and summands are those of channels, not of groups.
const BY_CHANNEL: i64 = 21;

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    node.int_among("stash_type", &[i64::from(data_type::FLOAT)])?;
    let (count, by_group) = (normalized::count(node, "num_groups")?, node.opset() < BY_CHANNEL);
    let groups = Groups { count, last: false, by_group, silu: false };
    normalized::of_groups(builder, node, &groups)
}
