//! Max: the larger of floats, element by element.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::ops::clip;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Max",
    inputs: usize::MAX,
    attributes: &[],
    import: Import::One(import),
};

fn import(_: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    clip::against(node, false, |x| (x, f32::INFINITY))
}
