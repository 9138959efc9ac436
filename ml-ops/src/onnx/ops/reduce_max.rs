//! ReduceMax: the largest along some axes, of codes or of floats that grow with codes.

use crate::onnx::builder::Builder;
use crate::onnx::chosen;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::shapes;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "ReduceMax",
    inputs: 2,
    attributes: &[&["axes", "keepdims", "noop_with_empty_axes"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    reduced(builder, node, false)
}

/// The largest of operand 0 along some axes; `least`, the smallest.
pub(super) fn reduced(
    builder: &mut Builder,
    node: &NodeView<'_>,
    least: bool,
) -> Result<Value, NodeError> {
    let keep = node.int_among("keepdims", &[1, 0])? == 1;
    let value = node.value(0)?;
    let axes = node.integers("axes", 1)?.filter(|axes| !axes.is_empty());
    let axes = axes.ok_or(NodeError::MissingAttribute { attribute: "axes" })?;
    let dims = shapes::axes(node, "axes", &axes, shapes::of(value)?.len())?;
    chosen::largest(builder, node.name, value, (&dims, keep), least)
}
