//! Xor: a comparison of a product, and constant flags of columns in which it is the other way around.

use crate::array::ArrayData;
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::followed::values_by_column;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator =
    Operator { domain: "", name: "Xor", inputs: 2, attributes: &[], import: Import::One(import) };

fn import(_: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let (comparison, constant, index) = match (node.value(0)?, node.value(1)?) {
        (Value::Comparison(comparison), Value::Constant(constant)) => (comparison, constant, 1),
        (Value::Constant(constant), Value::Comparison(comparison)) => (comparison, constant, 0),
        _ => {
            let expected = "a comparison of a product, the other a constant";
            return Err(NodeError::Operand { index: 0, expected });
        }
    };
    let ArrayData::U8(flags) = constant.data() else {
        return Err(NodeError::OperandType { index });
    };
    let flags: Vec<bool> = flags.iter().map(|&flag| flag != 0).collect();
    let flags = values_by_column(&comparison.of, (&flags, constant.shape()), index)?;
    Ok(Value::Comparison(comparison.negated(&flags)))
}
