//! Shape of a tensor that the graph computes: a list of integers, the batch being 0 if it is open, as Reshape has it.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::folded;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::shapes;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Shape",
    inputs: 1,
    attributes: &[&["end", "start"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let sizes = shapes::of(node.value(0)?)?;
    let batch = (!node.is_whole()).then_some(i64::from(builder.batch_is_one));
    let mut shape: Vec<i64> =
        batch.into_iter().chain(sizes.iter().map(|&size| size as i64)).collect();
    // Of the dimensions from one on and before another, which may be counted from the end, and beyond it.
    let rank = shape.len() as i64;
    let place = |at: i64| (if at < 0 { at.saturating_add(rank) } else { at }).clamp(0, rank);
    let (start, end) = (place(node.int("start", 0)?), place(node.int("end", i64::MAX)?));
    let shape: Vec<i64> = shape.drain(start as usize..end.max(start) as usize).collect();
    folded::integers(vec![shape.len()], shape)
}
