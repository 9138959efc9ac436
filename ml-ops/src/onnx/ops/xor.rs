//! Xor: a comparison of a product, and constant flags of columns in which it is the other way around.

use crate::array::{Array, ArrayData};
use crate::onnx::arithmetic::by_column;
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::operands::of_column;
use crate::onnx::thresholds::Comparison;
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
    let got = flags.len();
    let flags = ArrayData::F32(flags.iter().map(|&flag| f32::from(u8::from(flag != 0))).collect());
    let flags = Array::new(constant.shape().to_vec(), flags);
    let flags = flags.map_err(|_| NodeError::OperandShape { index, expected: got, got })?;
    let flags = by_column(&comparison.of, &flags, index)?;
    let relation = |column: usize| {
        let relation = of_column(&comparison.relations, column);
        if of_column(&flags, column) != 0.0 { relation.negated() } else { relation }
    };
    let columns = flags.len().max(comparison.relations.len());
    let relations = (0..columns).map(relation).collect();
    Ok(Value::Comparison(Comparison { relations, ..comparison.clone() }))
}
