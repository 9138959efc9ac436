//! Flatten: all dimensions but the batch become one.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::shapes;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Flatten",
    inputs: 1,
    attributes: &[&["axis"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let shape = shapes::of(node.value(0)?)?;
    let axis = node.int("axis", 1)?;
    let rank = shape.len() as i64 + 1;
    let from_front = if axis < 0 { axis + rank } else { axis };
    let keeps_batch = (1..=rank).contains(&from_front)
        && shape.iter().take(from_front as usize - 1).all(|&size| size == 1);
    if !keeps_batch {
        return Err(NodeError::AttributeValue { attribute: "axis", value: axis as f64 });
    }
    shapes::reshaped(builder, node, &[shape.iter().product()])
}
