//! Operators on constant lists of integers, as exporters compute the targets of reshapes.

use super::error::NodeError;
use super::node::NodeView;
use super::value::Value;
use crate::array::{Array, ArrayData};
use std::rc::Rc;

/// A constant of integers in `shape`.
pub(super) fn integers(shape: Vec<usize>, values: Vec<i64>) -> Result<Value, NodeError> {
    let (expected, got) = (shape.iter().product(), values.len());
    let array = Array::new(shape, ArrayData::I64(values));
    let array = array.map_err(|_| NodeError::OperandShape { index: 0, expected, got })?;
    Ok(Value::Constant(Rc::new(array)))
}

/// Operand `index`, a constant of integers of one dimension at most.
fn list<'a>(node: &NodeView<'a>, index: usize) -> Result<&'a [i64], NodeError> {
    let array = node.constant(index)?;
    match array.data() {
        ArrayData::I64(values) if array.shape().len() < 2 => Ok(values),
        _ => Err(NodeError::OperandType { index }),
    }
}

/// Gather of the integers of operand 0 at those of operand 1.
pub(super) fn gather(node: &NodeView<'_>) -> Result<Value, NodeError> {
    node.int_among("axis", &[0])?;
    let values = list(node, 0)?;
    let shape = node.constant(1)?.shape().to_vec();
    let size = values.len();
    let at = |&index: &i64| {
        let from_front = if index < 0 { index.saturating_add(size as i64) } else { index };
        let value = usize::try_from(from_front).ok().and_then(|at| values.get(at));
        value.copied().ok_or(NodeError::IndexRange { index: 1, value: index, size })
    };
    integers(shape, list(node, 1)?.iter().map(at).collect::<Result<_, _>>()?)
}

/// Operand 0, one integer or a list, as a list.
pub(super) fn unsqueeze(node: &NodeView<'_>) -> Result<Value, NodeError> {
    let values = list(node, 0)?.to_vec();
    let axes = node.integers("axes", 1)?;
    if !node.constant(0)?.shape().is_empty() || axes.as_deref() != Some(&[0]) {
        return Err(NodeError::OperandShape { index: 0, expected: 1, got: values.len() });
    }
    integers(vec![1], values)
}

/// Operand 0, a list of one integer, as that.
pub(super) fn squeeze(node: &NodeView<'_>) -> Result<Value, NodeError> {
    let values = list(node, 0)?.to_vec();
    integers(vec![], values)
}

/// The lists one after the other.
pub(super) fn concat(node: &NodeView<'_>) -> Result<Value, NodeError> {
    let lists = (0..node.inputs()).map(|index| list(node, index));
    let values = lists.collect::<Result<Vec<_>, _>>()?.concat();
    integers(vec![values.len()], values)
}
