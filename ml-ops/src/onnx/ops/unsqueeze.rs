//! Unsqueeze: dimensions of size 1 come.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::folded;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::shapes;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Unsqueeze",
    inputs: 2,
    attributes: &[&["axes"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    if let Some(shape) = folded::shape(node.value(0)?) {
        return folded::unsqueeze(node, shape);
    }
    let rank = shapes::of(node.value(0)?)?.len();
    let missing = NodeError::MissingAttribute { attribute: "axes" };
    let axes = node.integers("axes", 1)?.ok_or(missing)?;
    // The axes are those of the output.
    let mut dims = shapes::axes(node, "axes", &axes, rank + axes.len())?;
    dims.sort_unstable();
    shapes::seen(builder, node, |view| {
        Some(dims.iter().fold(view.clone(), |view, &dim| view.unsqueezed(dim)))
    })
}
