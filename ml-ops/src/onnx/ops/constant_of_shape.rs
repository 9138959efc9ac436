//! ConstantOfShape: a constant of one value, again and again.

use crate::array::{Array, ArrayData};
use crate::onnx::builder::Builder;
use crate::onnx::constant;
use crate::onnx::error::NodeError;
use crate::onnx::folded;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::value::Value;
use std::rc::Rc;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "ConstantOfShape",
    inputs: 1,
    attributes: &[&["value"]],
    import: Import::One(import),
};

/// Most elements.
const MOST: usize = 1 << 16;

fn import(_: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let wrong = NodeError::OperandType { index: 0 };
    let value = match node.attribute("value") {
        None => Array::new(vec![1], ArrayData::F32(vec![0.0])).map_err(|_| wrong.clone())?,
        Some(value) => constant::array(value.t.as_ref().ok_or(wrong.clone())?)?,
    };
    if value.shape() != [1] {
        return Err(wrong);
    }
    let sizes = node.integers("shape", 0)?.unwrap_or_default();
    let sizes = sizes.iter().map(|&size| usize::try_from(size).ok()).collect::<Option<Vec<_>>>();
    let total = |sizes: &Vec<usize>| sizes.iter().try_fold(1usize, |n, &size| n.checked_mul(size));
    let sizes = sizes.filter(|sizes| total(sizes).is_some_and(|total| total <= MOST));
    let sizes = sizes.ok_or(NodeError::OperandShape { index: 0, expected: MOST, got: MOST + 1 })?;
    let places = vec![0; sizes.iter().product()];
    Ok(Value::Constant(Rc::new(folded::taken(&value, 0, &places, &sizes)?)))
}
