//! What the comparisons share: a product or an input's numbers on one side, a constant on the other.

use super::builder::Builder;
use super::error::NodeError;
use super::followed::by_column;
use super::node::NodeView;
use super::numbers;
use super::thresholds::{Comparison, Relation};
use super::value::Value;

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
