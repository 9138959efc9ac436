//! TopK of one: the largest element along an axis and its number, or the number of the smallest.

use crate::array::ArrayData;
use crate::onnx::builder::Builder;
use crate::onnx::chosen::{self, Choice};
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::shapes;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "TopK",
    inputs: 2,
    attributes: &[&["axis", "largest", "sorted"]],
    import: Import::Several(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Vec<Value>, NodeError> {
    if !matches!(node.constant(1)?.data(), ArrayData::I64(k) if *k == [1]) {
        let expected = "the number 1: more than the largest element are not supported";
        return Err(NodeError::Operand { index: 1, expected });
    }
    let least = node.int_among("largest", &[1, 0])? == 0;
    node.int_among("sorted", &[1, 0])?;
    let (name, value) = (node.name, node.value(0)?);
    let dim = shapes::axis(node, "axis", node.int("axis", -1)?, shapes::of(value)?.len())?;
    let choice = Choice { least, last: false };
    let index = chosen::index(builder, name, value, (dim, true), choice)?;
    match node.outputs() {
        // The first output, which has no name, is no value.
        2 if !node.has_output(0) => Ok(vec![index.clone(), index]),
        2 => Ok(vec![chosen::largest(builder, name, value, (&[dim], true), least)?, index]),
        got => Err(NodeError::OutputCount { got }),
    }
}
