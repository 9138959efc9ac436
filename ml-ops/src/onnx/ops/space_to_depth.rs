//! SpaceToDepth: squares of pixels as groups of channels.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::shapes;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "SpaceToDepth",
    inputs: 1,
    attributes: &[&["blocksize"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let shape = shapes::of(node.value(0)?)?;
    let (block, channels, height, width) = shapes::blocks(node, &shape)?;
    for got in [height, width] {
        if !got.is_multiple_of(block) {
            return Err(NodeError::OperandShape { index: 0, expected: block, got });
        }
    }
    let (high, wide) = (height / block, width / block);
    let cut = [channels, high, block, wide, block];
    let to = [block * block * channels, high, wide];
    shapes::seen(builder, node, |view| {
        view.reshaped(&cut)?.transposed(&[2, 4, 0, 1, 3]).reshaped(&to)
    })
}
