//! Concat: tensors one after the other along an axis.

use crate::onnx::builder::Builder;
use crate::onnx::concatenated::{self, Part};
use crate::onnx::error::NodeError;
use crate::onnx::folded;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::shapes;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Concat",
    inputs: 4096,
    attributes: &[&["axis"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let values = (0..node.inputs()).map(|index| node.value(index));
    let values = values.collect::<Result<Vec<_>, _>>()?;
    if values.iter().all(|value| matches!(value, Value::Constant(_))) {
        return folded::concat(node);
    }
    let missing = NodeError::MissingAttribute { attribute: "axis" };
    let axis = node.attribute("axis").map(|_| node.int("axis", 0)).ok_or(missing)??;
    let beside = values.iter().find_map(|value| value.view()).cloned();
    let beside = beside.ok_or(shapes::NOT_COMPUTED)?;
    let dim = shapes::axis(node, "axis", axis, beside.rank())?;
    let mut parts = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        parts.push(match Part::of(value) {
            Some(part) => part,
            None => Part::constant(builder, node.name, &beside, value, index, node.is_whole())?,
        });
    }
    concatenated::value(builder, node.name, parts, dim)
}
