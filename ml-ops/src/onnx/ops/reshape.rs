//! Reshape: elements in another shape; the batch, if it is open, stays the first dimension.

use crate::array::ArrayData;
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::folded;
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
    let ArrayData::I64(target) = node.constant(1)?.data() else {
        return Err(NodeError::OperandType { index: 1 });
    };
    let zero_copies = node.int_among("allowzero", &[0, 1])? == 0;
    if let Some(of) = folded::shape(node.value(0)?) {
        let to = shape(of, target, 0, zero_copies)?;
        return folded::reshaped(node.value(0)?, &to)?.ok_or(shapes::NOT_COMPUTED);
    }
    let from = shapes::of(node.value(0)?)?;
    let to = match node.is_whole() {
        true => shape(&from, target, 0, zero_copies)?,
        false => {
            let wrong = NodeError::Reshape { axis: 0, value: target.first().copied().unwrap_or(0) };
            let (&batch, sizes) = target.split_first().ok_or(wrong.clone())?;
            match batch {
                // Nothing else is open then.
                -1 if !sizes.contains(&-1) => {}
                0 if zero_copies => {}
                _ => return Err(wrong),
            }
            shape(&from, sizes, 1, zero_copies)?
        }
    };
    shapes::reshaped(builder, node, &to)
}

/// The shape that `target` is for elements of the shape `from`, its wildcards resolved; `first` dimensions come before both.
fn shape(
    from: &[usize],
    target: &[i64],
    first: usize,
    zero_copies: bool,
) -> Result<Vec<usize>, NodeError> {
    let elements: usize = from.iter().product();
    let wrong = |at: usize| NodeError::Reshape {
        axis: at + first,
        value: target.get(at).copied().unwrap_or(0),
    };
    let mut wild = None;
    let mut known = 1usize;
    let mut shape = Vec::with_capacity(target.len());
    for (at, &size) in target.iter().enumerate() {
        let size = match size {
            -1 if wild.is_none() => {
                wild = Some(at);
                1
            }
            0 if zero_copies => *from.get(at).ok_or(wrong(at))?,
            size => usize::try_from(size).map_err(|_| wrong(at))?,
        };
        known = known
            .checked_mul(size)
            .filter(|known| *known > 0 && elements.is_multiple_of(*known))
            .ok_or(wrong(at))?;
        shape.push(size);
    }
    match wild {
        Some(at) => shape[at] = elements / known,
        None if known != elements => return Err(wrong(0)),
        None => {}
    }
    Ok(shape)
}
