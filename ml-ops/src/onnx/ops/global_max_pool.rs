//! GlobalMaxPool: the largest of each channel of an image.

use super::max_pool::pooled;
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::value::Value;
use crate::onnx::windows::Pool;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "GlobalMaxPool",
    inputs: 1,
    attributes: &[],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    pooled(builder, node, |sizes| Ok(Pool::global(sizes)))
}
