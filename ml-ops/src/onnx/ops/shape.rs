//! Shape of a tensor that the graph computes: a list of integers, the batch being 0 if it is open, as Reshape has it.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::folded;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::shapes;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator =
    Operator { domain: "", name: "Shape", inputs: 1, attributes: &[], import: Import::One(import) };

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let sizes = shapes::of(node.value(0)?)?;
    let batch = (!node.is_whole()).then_some(i64::from(builder.batch_is_one));
    let shape: Vec<i64> = batch.into_iter().chain(sizes.iter().map(|&size| size as i64)).collect();
    folded::integers(vec![shape.len()], shape)
}
