//! Transpose: dimensions in another order.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::shapes;
use crate::onnx::transposed;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Transpose",
    inputs: 1,
    attributes: &[&["perm"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    if let Some(constant) = transposed::constant(node)? {
        return Ok(constant);
    }
    let rank = shapes::of(node.value(0)?)?.len();
    let wrong = |value: i64| NodeError::AttributeValue { attribute: "perm", value: value as f64 };
    let order = transposed::order(node, rank + usize::from(!node.is_whole()))?;
    let order = match node.is_whole() {
        true => &order[..],
        false => match order.split_first() {
            Some((0, order)) => order,
            first => return Err(wrong(first.map_or(0, |(&batch, _)| batch))),
        },
    };
    if order.len() != rank {
        return Err(wrong(order.len() as i64));
    }
    let order = shapes::axes(node, "perm", order, rank)?;
    shapes::seen(builder, node, |view| Some(view.transposed(&order)))
}
