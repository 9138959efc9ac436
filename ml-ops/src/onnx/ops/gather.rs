//! Gather: constant indices of an axis, or the rows of a table that an input's numbers say, or positions, or an ArgMax.

use crate::onnx::builder::Builder;
use crate::onnx::deferred::{How, Inner, Padded};
use crate::onnx::error::NodeError;
use crate::onnx::folded;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::numbers::Table;
use crate::onnx::runs::{self, runs};
use crate::onnx::shapes;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Gather",
    inputs: 2,
    attributes: &[&["axis"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    match (node.value(0)?, node.value(1)?) {
        (
            table @ (Value::Constant(_) | Value::Dequantized(_)),
            ids @ (Value::NumberInput(_) | Value::Counted(_) | Value::Integers(..)),
        ) => {
            node.int_among("axis", &[0])?;
            return Table::of(table)?.embedded(builder, node.name, ids);
        }
        (Value::Constant(_) | Value::Dequantized(_), _) => return folded::gather(node),
        _ => {}
    }
    let shape = shapes::of(node.value(0)?)?;
    let dim = shapes::axis(node, "axis", node.int("axis", 0)?, shape.len())?;
    let rank = node.constant(1)?.shape().len();
    let indices = folded::places(node, shape[dim])?;
    match (rank, &runs(&indices)[..]) {
        (0, [run]) => shapes::seen(builder, node, |view| Some(run.of(view, dim)?.squeezed(dim))),
        (1, [run]) => shapes::seen(builder, node, |view| run.of(view, dim)),
        (1, [_, _, ..]) if let Value::FloatInput(floats) = node.value(0)? => {
            let (of, name) = (Inner::Input(floats.clone()), node.name.to_owned());
            Ok(Padded { name, of, how: How::At { dim, indices } }.deferred())
        }
        (1, [_, ..]) => {
            shapes::copied_as(node, |view| runs::gathered(builder, node.name, view, dim, &indices))
        }
        _ => Err(NodeError::NoView { index: 1 }),
    }
}
