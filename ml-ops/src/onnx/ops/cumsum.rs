//! CumSum: how many tokens of an input count up to each.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::positions::{self, Counted};
use crate::onnx::shapes;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "CumSum",
    inputs: 2,
    attributes: &[&["exclusive", "reverse"]],
    import: Import::One(import),
};

fn import(_: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    node.int_among("exclusive", &[0])?;
    node.int_among("reverse", &[0])?;
    let expected = "flags of ids that are padding or not, or a mask";
    let wrong = NodeError::Operand { index: 0, expected };
    let counted = match node.value(0)? {
        Value::Counted(counted) => counted.clone(),
        Value::NumberInput(view) => Counted::mask(view),
        _ => return Err(wrong),
    };
    let axis = positions::one(node.constant(1)?)?;
    let dim = shapes::axis(node, "axis", axis, counted.view.rank())?;
    // The tokens of a sample are one row.
    if counted.view.size(dim) != counted.view.elements() {
        return Err(NodeError::AttributeValue { attribute: "axis", value: axis as f64 });
    }
    counted.summed().map(Value::Counted).ok_or(wrong)
}
