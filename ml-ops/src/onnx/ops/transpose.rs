//! Transpose: a sample's dimensions in another order; the batch stays the first.

use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::shapes;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Transpose",
    inputs: 1,
    attributes: &[&["perm"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let rank = shapes::of(node.value(0)?)?.len();
    let wrong = |value: i64| NodeError::AttributeValue { attribute: "perm", value: value as f64 };
    let order = node.ints("perm")?.ok_or(NodeError::MissingAttribute { attribute: "perm" })?;
    let (&batch, order) = order.split_first().ok_or(wrong(0))?;
    if batch != 0 || order.len() != rank {
        return Err(wrong(batch));
    }
    let order: Vec<usize> =
        order.iter().map(|&axis| shapes::axis("perm", axis, rank)).collect::<Result<_, _>>()?;
    if let Some(dim) = (0..rank).find(|dim| !order.contains(dim)) {
        return Err(wrong(dim as i64));
    }
    shapes::seen(builder, node, |view| Some(view.transposed(&order)))
}
