//! Softmax of a dequantized tensor along its last axis, in integers.

use crate::onnx::builder::Builder;
use crate::onnx::deferred::{Deferred, Kind, Softmax};
use crate::onnx::error::NodeError;
use crate::onnx::masked::Masked;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::normalized::check_last;
use crate::onnx::rowwise::Rowwise;
use crate::onnx::value::Value;
use std::rc::Rc;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Softmax",
    inputs: 1,
    attributes: &[&["axis"]],
    import: Import::One(import),
};

fn import(_: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let (x, mask) = match node.value(0)? {
        Value::Masked(Masked { floats, mask }) => (floats, Some(mask.clone())),
        _ => (node.dequantized_codes(0)?, None),
    };
    let view = &x.codes.view;
    check_axis(node, view.rank())?;
    let rows = Rowwise::new(node.name, view);
    let output = rows.output();
    let softmax = Softmax { x: rows, scale: x.scaling.scale, dtype: x.codes.dtype, mask };
    Ok(Value::Deferred(Deferred::new(Kind::Softmax(Rc::new(softmax)), output)))
}

/// Whether the node's axis is the last. Without the attribute it is the last or, in old operator sets, the first
/// behind the batch.
pub(super) fn check_axis(node: &NodeView<'_>, rank: usize) -> Result<(), NodeError> {
    if node.attribute("axis").is_none() && rank > 1 {
        return Err(NodeError::MissingAttribute { attribute: "axis" });
    }
    check_last(node.int("axis", -1)?, rank)
}
