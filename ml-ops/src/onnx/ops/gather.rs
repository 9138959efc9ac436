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
use crate::onnx::view::View;

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
    let of_indices = node.constant(1)?.shape();
    let indices = folded::places(node, shape[dim])?;
    // Indices in other than one dimension put theirs in the place of the axis.
    let to = [&shape[..dim], of_indices, &shape[dim + 1..]].concat();
    let in_place = |view: View| match of_indices {
        [_] => Some(view),
        [] => Some(view.squeezed(dim)),
        _ => view.reshaped(&to),
    };
    match &runs(&indices)[..] {
        [run] => shapes::seen(builder, node, |view| in_place(run.of(view, dim)?)),
        [_, ..] if let (Value::FloatInput(floats), [_]) = (node.value(0)?, of_indices) => {
            let (of, name) = (Inner::Input(floats.clone()), node.name.to_owned());
            Ok(Padded { name, of, how: How::At { dim, indices } }.deferred())
        }
        [_, ..] => shapes::copied_as(node, |view| {
            let gathered = runs::gathered(builder, node.name, view, dim, &indices)?;
            in_place(gathered).ok_or(NodeError::NoView { index: 1 })
        }),
        [] => Err(NodeError::NoView { index: 1 }),
    }
}
