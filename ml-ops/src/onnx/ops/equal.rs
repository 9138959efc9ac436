//! Equal: the numbers of an input, or ids, or a constant list, compared with a number.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::folded;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::numbers;
use crate::onnx::positions::{self, Counted};
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator =
    Operator { domain: "", name: "Equal", inputs: 2, attributes: &[], import: Import::One(import) };

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    if let (Value::Constant(_), Value::Constant(_)) = (node.value(0)?, node.value(1)?) {
        return folded::pairs(node, |a, b| i64::from(a == b));
    }
    if let (Value::NumberInput(ids), Value::Constant(pad), Some(vocabulary)) =
        (node.value(0)?, node.value(1)?, node.rows_by(0))
    {
        return Ok(Value::Counted(Counted::are(ids, positions::one(pad)?, vocabulary)));
    }
    let flags = numbers::flags(builder, node, |x, y| x == y)?;
    flags
        .ok_or(NodeError::Operand { index: 0, expected: "an input of numbers, the other a number" })
}
