//! Not: flags of an input's numbers, or a comparison of a product, the other way around.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::numbers;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator =
    Operator { domain: "", name: "Not", inputs: 1, attributes: &[], import: Import::One(import) };

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let expected = "flags of an input's numbers, or a comparison of a product";
    let wrong = NodeError::Operand { index: 0, expected };
    match node.value(0)? {
        Value::Counted(counted) => counted.negated().map(Value::Counted).ok_or(wrong),
        Value::Comparison(comparison) => Ok(Value::Comparison(comparison.negated(&[true]))),
        Value::Flags(flags) => Ok(Value::Flags(flags.map(|flag| 1.0 - flag))),
        Value::NumberInput(view) => {
            Ok(Value::Flags(numbers::floats(builder, view)?.map(|flag| 1.0 - flag)))
        }
        _ => Err(wrong),
    }
}
