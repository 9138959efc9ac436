//! Flatten: the dimensions before an axis become one, and those from it on.

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
    let wrong = NodeError::AttributeValue { attribute: "axis", value: axis as f64 };
    let rank = shape.len() as i64 + i64::from(!node.is_whole());
    let from_front = if axis < 0 { axis.saturating_add(rank) } else { axis };
    if node.is_whole() {
        let split =
            usize::try_from(from_front).ok().filter(|&at| at <= shape.len()).ok_or(wrong)?;
        let [before, after] = [&shape[..split], &shape[split..]].map(|part| part.iter().product());
        return shapes::reshaped(builder, node, &[before, after]);
    }
    let keeps_batch = (1..=rank).contains(&from_front)
        && shape.iter().take(from_front as usize - 1).all(|&size| size == 1);
    if !keeps_batch {
        return Err(wrong);
    }
    shapes::reshaped(builder, node, &[shape.iter().product()])
}
