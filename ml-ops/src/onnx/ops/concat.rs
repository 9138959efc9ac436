//! Concat: tensors one after the other along an axis.

use crate::onnx::builder::Builder;
use crate::onnx::concatenated::{self, Part};
use crate::onnx::error::NodeError;
use crate::onnx::folded;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::shapes;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Concat",
    inputs: 4096,
    attributes: &[&["axis"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    if let Value::Constant(_) = node.value(0)? {
        return folded::concat(node);
    }
    let missing = NodeError::MissingAttribute { attribute: "axis" };
    let axis = node.attribute("axis").map(|_| node.int("axis", 0)).ok_or(missing)??;
    let rank = shapes::of(node.value(0)?)?.len();
    let dim = shapes::axis("axis", axis, rank)?;
    let parts = (0..node.inputs())
        .map(|index| {
            let operand =
                NodeError::Operand { index, expected: "an 8-bit tensor or a dequantized one" };
            Part::of(node.value(index)?).ok_or(operand)
        })
        .collect::<Result<Vec<_>, _>>()?;
    concatenated::value(builder, node.name, parts, dim)
}
