//! Expand: dimensions of size 1 repeated.

use crate::graph::MAX_ELEMENTS;
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::shapes;
use crate::onnx::value::Value;
use crate::onnx::view::View;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Expand",
    inputs: 2,
    attributes: &[],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let shape = shapes::of(node.value(0)?)?;
    let target = node.integers("shape", 1)?.ok_or(NodeError::MissingInput { index: 1 })?;
    let wrong = |axis: usize| NodeError::Reshape { axis, value: target[axis] };
    // Aligned at the last dimension; one more, the first, is the batch.
    let extra = (shape.len() + 1).checked_sub(target.len());
    let extra = extra.ok_or(NodeError::OperandShape {
        index: 1,
        expected: shape.len() + 1,
        got: target.len(),
    })?;
    let mut sizes = shape.clone();
    for (at, &value) in target.iter().enumerate() {
        let size = usize::try_from(value).map_err(|_| wrong(at))?;
        match (at + extra).checked_sub(1) {
            // The batch, which is 0 where it is open.
            None if size == 1 || size == 0 && !builder.batch_is_one => {}
            None => return Err(wrong(at)),
            Some(_) if size == 1 => {}
            Some(dim) if shape[dim] == 1 || shape[dim] == size => sizes[dim] = size,
            Some(_) => return Err(wrong(at)),
        }
    }
    let total = sizes.iter().try_fold(1usize, |total, &size| total.checked_mul(size));
    if !total.is_some_and(|total| (1..=MAX_ELEMENTS).contains(&total)) {
        return Err(wrong(0));
    }
    shapes::seen(builder, node, |view| {
        let repeat = |view: View, dim: usize| {
            if shape[dim] == sizes[dim] { view } else { view.repeated(dim, sizes[dim]) }
        };
        Some((0..shape.len()).fold(view.clone(), repeat))
    })
}
