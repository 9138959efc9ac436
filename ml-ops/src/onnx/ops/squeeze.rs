//! Squeeze: dimensions of size 1 go.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::folded;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::shapes;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Squeeze",
    inputs: 2,
    attributes: &[&["axes"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    if let Value::Constant(_) = node.value(0)? {
        return folded::squeeze(node);
    }
    let shape = shapes::of(node.value(0)?)?;
    let mut dims = match node.integers("axes", 1)? {
        Some(axes) => shapes::axes(node, "axes", &axes, shape.len())?,
        None => (0..shape.len()).filter(|&dim| shape[dim] == 1).collect(),
    };
    if let Some(&dim) = dims.iter().find(|&&dim| shape[dim] != 1) {
        return Err(NodeError::OperandShape { index: 0, expected: 1, got: shape[dim] });
    }
    dims.sort_unstable();
    shapes::seen(builder, node, |view| {
        Some(dims.iter().rev().fold(view.clone(), |view, &dim| view.squeezed(dim)))
    })
}
