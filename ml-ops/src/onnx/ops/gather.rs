//! Gather: constant indices of an axis, or the rows of a table that an input's numbers say, or an ArgMax.

use crate::onnx::builder::Builder;
use crate::onnx::concatenated::{self, Part};
use crate::onnx::error::NodeError;
use crate::onnx::folded;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::numbers::Table;
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
            ids @ (Value::NumberInput(_) | Value::Integers(..)),
        ) => {
            node.int_among("axis", &[0])?;
            return Table::of(table)?.embedded(builder, node.name, ids);
        }
        (Value::Constant(_) | Value::Dequantized(_), _) => return folded::gather(node),
        _ => {}
    }
    let shape = shapes::of(node.value(0)?)?;
    let dim = shapes::axis("axis", node.int("axis", 0)?, shape.len())?;
    let size = shape[dim];
    let rank = node.constant(1)?.shape().len();
    let indices = node.integers("indices", 1)?.ok_or(NodeError::MissingInput { index: 1 })?;
    let place = |&index: &i64| {
        let from_front = if index < 0 { index.saturating_add(size as i64) } else { index };
        let found = usize::try_from(from_front).ok().filter(|&at| at < size);
        found.ok_or(NodeError::IndexRange { index: 1, value: index, size })
    };
    let indices: Vec<usize> = indices.iter().map(place).collect::<Result<_, _>>()?;
    let runs = runs(&indices);
    let sliced = |view: &View, run: &Run| view.clone().sliced(dim, run.start, run.step, run.count);
    match (rank, &runs[..]) {
        (0, [run]) => shapes::seen(builder, node, |view| Some(sliced(view, run)?.squeezed(dim))),
        (1, [run]) => shapes::seen(builder, node, |view| sliced(view, run)),
        (1, [_, ..]) if runs.len() <= MOST_RUNS => {
            let parts: Vec<Value> = runs
                .iter()
                .map(|run| shapes::seen(builder, node, |view| sliced(view, run)))
                .collect::<Result<_, _>>()?;
            let parts = parts.iter().map(Part::of).collect::<Option<Vec<_>>>();
            let operand = NodeError::Operand { index: 0, expected: "an 8-bit tensor" };
            concatenated::value(builder, node.name, parts.ok_or(operand)?, dim)
        }
        _ => Err(NodeError::NoView { index: 1 }),
    }
}

/// Indices in equal steps.
struct Run {
    start: usize,
    step: i64,
    count: usize,
}

/// Most runs that are put together.
const MOST_RUNS: usize = 256;

fn runs(indices: &[usize]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for &index in indices {
        match runs.last_mut() {
            Some(run) if run.count == 1 && index != run.start => {
                *run = Run { step: index as i64 - run.start as i64, count: 2, ..*run };
            }
            Some(run)
                if run.count > 1
                    && index as i64 == run.start as i64 + run.step * run.count as i64 =>
            {
                run.count += 1;
            }
            _ => runs.push(Run { start: index, step: 1, count: 1 }),
        }
    }
    runs
}
