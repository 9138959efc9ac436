//! Split: one tensor as several along an axis.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::shapes;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Split",
    inputs: 2,
    attributes: &[&["axis", "num_outputs", "split"]],
    import: Import::Several(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Vec<Value>, NodeError> {
    let shape = shapes::of(node.value(0)?)?;
    let dim = shapes::axis(node, "axis", node.int("axis", 0)?, shape.len())?;
    let (size, outputs) = (shape[dim], node.outputs());
    let sizes: Vec<usize> = match node.integers("split", 1)? {
        Some(sizes) => {
            let wrong =
                |value: i64| NodeError::AttributeValue { attribute: "split", value: value as f64 };
            let size =
                |&size: &i64| usize::try_from(size).ok().filter(|&n| n > 0).ok_or(wrong(size));
            sizes.iter().map(size).collect::<Result<_, _>>()?
        }
        None => {
            let each = size.div_ceil(outputs.max(1));
            (0..outputs).map(|at| each.min(size.saturating_sub(at * each))).collect()
        }
    };
    let total = sizes.iter().try_fold(0usize, |total, &size| total.checked_add(size));
    if sizes.len() != outputs {
        return Err(NodeError::OutputCount { got: outputs });
    }
    if total != Some(size) || sizes.contains(&0) {
        let got = total.unwrap_or(usize::MAX);
        return Err(NodeError::OperandShape { index: 1, expected: size, got });
    }
    let mut start = 0;
    let mut parts = Vec::with_capacity(sizes.len());
    for size in sizes {
        parts.push(shapes::seen(builder, node, |view| view.clone().sliced(dim, start, 1, size))?);
        start += size;
    }
    Ok(parts)
}
