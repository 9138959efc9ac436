//! Mod of lists of integers, as in the arithmetic of shapes.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::folded;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Mod",
    inputs: 2,
    attributes: &[&["fmod"]],
    import: Import::One(import),
};

fn import(_: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    node.int_among("fmod", &[0])?;
    // It has the sign of the divisor; of a division by zero it is 0.
    folded::pairs(node, |a, b| {
        let rest = a.checked_rem(b).unwrap_or(0);
        if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }
    })
}
