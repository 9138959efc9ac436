//! Tile: a tensor several times along its dimensions.

use crate::graph::MAX_ELEMENTS;
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::shapes;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator =
    Operator { domain: "", name: "Tile", inputs: 2, attributes: &[], import: Import::One(import) };

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let shape = shapes::of(node.value(0)?)?;
    let repeats = node.integers("repeats", 1)?.ok_or(NodeError::MissingInput { index: 1 })?;
    let (batch, of_sample) = repeats.split_at(repeats.len().saturating_sub(shape.len()));
    let wrong = NodeError::OperandShape { index: 1, expected: shape.len() + 1, got: repeats.len() };
    let is_batch = batch.len() == usize::from(!node.is_whole()) && batch.iter().all(|&n| n == 1);
    if of_sample.len() != shape.len() || !is_batch {
        return Err(wrong);
    }
    let times = |&n: &i64| usize::try_from(n).ok().filter(|n| (1..=MAX_ELEMENTS).contains(n));
    let times = of_sample.iter().map(times).collect::<Option<Vec<_>>>().ok_or(wrong.clone())?;
    let sizes = shape.iter().zip(&times);
    let total = sizes.clone().fold(1usize, |all, (size, n)| all.saturating_mul(size * n));
    if total > MAX_ELEMENTS {
        return Err(wrong);
    }
    let to: Vec<usize> = sizes.map(|(size, n)| size * n).collect();
    shapes::seen(builder, node, |view| {
        let repeat = |view: crate::onnx::view::View, dim: usize| {
            view.unsqueezed(2 * dim).repeated(2 * dim, times[dim])
        };
        (0..shape.len()).fold(view.clone(), repeat).reshaped(&to)
    })
}
