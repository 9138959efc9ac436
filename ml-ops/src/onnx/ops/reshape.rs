//! Reshape: a sample's elements in another shape; the batch stays the first dimension.

use crate::array::ArrayData;
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::shapes;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Reshape",
    inputs: 2,
    attributes: &[&["allowzero"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let from = shapes::of(node.value(0)?)?;
    let ArrayData::I64(target) = node.constant(1)?.data() else {
        return Err(NodeError::OperandType { index: 1 });
    };
    let zero_copies = node.int_among("allowzero", &[0, 1])? == 0;
    let to = sample_shape(&from, target, zero_copies, builder.batch_is_one)?;
    shapes::reshaped(builder, node, &to)
}

/// The target shape without the batch, its wildcards resolved.
fn sample_shape(
    from: &[usize],
    target: &[i64],
    zero_copies: bool,
    batch_is_one: bool,
) -> Result<Vec<usize>, NodeError> {
    let elements: usize = from.iter().product();
    let wrong =
        |axis: usize| NodeError::Reshape { axis, value: target.get(axis).copied().unwrap_or(0) };
    let (&batch, sizes) = target.split_first().ok_or(wrong(0))?;
    let batch_is_wild = batch == -1;
    if !(batch_is_wild || batch == 0 && zero_copies || batch == 1 && batch_is_one) {
        return Err(wrong(0));
    }
    let mut wild = None;
    let mut known = 1usize;
    let mut shape = Vec::with_capacity(sizes.len());
    for (at, &size) in sizes.iter().enumerate() {
        let axis = at + 1;
        let size = match size {
            -1 if wild.is_none() && !batch_is_wild => {
                wild = Some(at);
                1
            }
            0 if zero_copies => *from.get(at).ok_or(wrong(axis))?,
            size => usize::try_from(size).map_err(|_| wrong(axis))?,
        };
        known = known
            .checked_mul(size)
            .filter(|known| *known > 0 && elements.is_multiple_of(*known))
            .ok_or(wrong(axis))?;
        shape.push(size);
    }
    match wild {
        Some(at) => shape[at] = elements / known,
        None if known != elements => return Err(wrong(0)),
        None => {}
    }
    Ok(shape)
}
