//! What the comparisons share: a product, the float input or an input's numbers on one side, a constant on the other.

use super::builder::Builder;
use super::error::NodeError;
use super::followed::by_column;
use super::node::NodeView;
use super::numbers;
use super::prepared::FloatInput;
use super::thresholds::{Comparison, Relation};
use super::value::Value;
use crate::array::Array;
use crate::graph::{CodeType, InputTransform};

/// Whether `relation` holds of operands 0 and 1.
pub(super) fn import(
    builder: &mut Builder,
    node: &NodeView<'_>,
    relation: Relation,
) -> Result<Value, NodeError> {
    if let Some(flags) = numbers::flags(builder, node, |x, y| relation.holds(x, y))? {
        return Ok(flags);
    }
    let (of, constant, index, relation) = match (node.value(0)?, node.value(1)?) {
        (Value::FloatInput(floats), Value::Constant(constant)) => {
            return of_input(builder, floats, (constant, 1), relation);
        }
        (Value::Constant(constant), Value::FloatInput(floats)) => {
            return of_input(builder, floats, (constant, 0), relation.turned());
        }
        (Value::Deferred(of), Value::Constant(constant)) => (of, constant, 1, relation),
        (Value::Constant(constant), Value::Deferred(of)) => (of, constant, 0, relation.turned()),
        _ => {
            let expected = "a matmul's or convolution's result, the other a constant";
            return Err(NodeError::Operand { index: 0, expected });
        }
    };
    let to = by_column(of, constant, index)?;
    Ok(Value::Comparison(Comparison { of: of.clone(), relations: vec![relation], to }))
}

/// Whether `relation` holds of the graph's float input and a constant, an operand with its number.
fn of_input(
    builder: &mut Builder,
    floats: &FloatInput,
    (constant, index): (&Array, usize),
    relation: Relation,
) -> Result<Value, NodeError> {
    let beyond = matches!(relation, Relation::Greater | Relation::LessOrEqual);
    let then = InputTransform::Quantize { scale: 1.0, zero_point: 0, dtype: CodeType::U2 };
    let transform = floats.at_least(constant, beyond, index)?.transform(then);
    let codes = builder.quantized_input(transform, floats.view.clone())?;
    let is_above = numbers::of_flags(codes);
    let holds = if relation.is_upward() { is_above } else { is_above.map(|flag| 1.0 - flag) };
    Ok(Value::Flags(holds))
}
