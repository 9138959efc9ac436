//! ArgMax: the number of the largest element along an axis.

use crate::onnx::builder::Builder;
use crate::onnx::chosen::{self, Choice};
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::shapes;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "ArgMax",
    inputs: 1,
    attributes: &[&["axis", "keepdims", "select_last_index"]],
    import: Import::One(|builder, node| import(builder, node, false)),
};

/// ArgMax, or, `least`, ArgMin.
pub(super) fn import(
    builder: &mut Builder,
    node: &NodeView<'_>,
    least: bool,
) -> Result<Value, NodeError> {
    let keep = node.int_among("keepdims", &[1, 0])? == 1;
    let last = node.int_among("select_last_index", &[0, 1])? == 1;
    let value = node.value(0)?;
    let dim = shapes::axis(node, "axis", node.int("axis", 0)?, shapes::of(value)?.len())?;
    chosen::index(builder, node.name, value, (dim, keep), Choice { least, last })
}
