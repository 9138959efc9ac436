//! GreaterOrEqual: a product compared with numbers, for a Where to choose by.

use crate::onnx::builder::Builder;
use crate::onnx::compared;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::thresholds::Relation;
use crate::onnx::value::Value;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "GreaterOrEqual",
    inputs: 2,
    attributes: &[],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    compared::import(builder, node, Relation::GreaterOrEqual)
}
