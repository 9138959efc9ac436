//! com.microsoft QLinearAveragePool: averages over windows of an 8-bit image, requantized.

use crate::onnx::averaged;
use crate::onnx::builder::Builder;
use crate::onnx::deferred::Formula;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::value::Value;
use crate::onnx::windows;

pub(super) const OPERATOR: Operator = Operator {
    domain: "com.microsoft",
    name: "QLinearAveragePool",
    inputs: 5,
    attributes: &[&windows::ATTRIBUTES, &["ceil_mode", "channels_last", "count_include_pad"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let last = node.int_among("channels_last", &[0, 1])? == 1;
    averaged::requantized(builder, node, last, Formula::Pool, averaged::windows)
}
