//! Slice: ranges of indices, in steps.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::folded;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::shapes;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Slice",
    inputs: 5,
    attributes: &[&["axes", "ends", "starts"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let shape = match node.value(0)? {
        Value::Constant(array) => array.shape().to_vec(),
        value => shapes::of(value)?,
    };
    let needed = |attribute, index| {
        node.integers(attribute, index)?.ok_or(NodeError::MissingInput { index })
    };
    let (starts, ends) = (needed("starts", 1)?, needed("ends", 2)?);
    let all: Vec<i64> = (0..starts.len() as i64).collect();
    let axes = node.integers("axes", 3)?.unwrap_or(all);
    let steps = node.integers("steps", 4)?.unwrap_or(vec![1; starts.len()]);
    for (index, of) in [(2, &ends), (3, &axes), (4, &steps)] {
        if of.len() != starts.len() {
            let (expected, got) = (starts.len(), of.len());
            return Err(NodeError::OperandShape { index, expected, got });
        }
    }
    let dims = match node.value(0)? {
        Value::Constant(array) => {
            let rank = array.shape().len();
            axes.iter()
                .map(|&axis| folded::from_front("axes", axis, rank))
                .collect::<Result<_, _>>()?
        }
        _ => shapes::axes(node, "axes", &axes, shape.len())?,
    };
    let mut ranges = Vec::with_capacity(dims.len());
    for (at, &dim) in dims.iter().enumerate() {
        let (size, step) = (shape[dim] as i64, steps[at]);
        let wrong = NodeError::AttributeValue { attribute: "steps", value: step as f64 };
        if step == 0 || step == i64::MIN {
            return Err(wrong);
        }
        let last = if step > 0 { size } else { size - 1 };
        let first = if step > 0 { 0 } else { -1 };
        let clamped =
            |x: i64, low: i64| (if x < 0 { x.saturating_add(size) } else { x }).clamp(low, last);
        let (start, end) = (clamped(starts[at], 0), clamped(ends[at], first));
        let length = if step > 0 { end - start } else { start - end };
        let count = length.max(0) as u64;
        let count = count.div_ceil(step.unsigned_abs()) as usize;
        // A list may be empty: the dimensions of a shape behind the last.
        if count == 0 && !matches!(node.value(0)?, Value::Constant(_)) {
            return Err(NodeError::OperandShape { index: 0, expected: 1, got: 0 });
        }
        ranges.push((dim, start as usize, step, count));
    }
    if let Value::Constant(array) = node.value(0)? {
        return folded::sliced(array, &ranges);
    }
    shapes::seen(builder, node, |view| {
        ranges.iter().try_fold(view.clone(), |view, &(dim, start, step, count)| {
            view.sliced(dim, start, step, count)
        })
    })
}
