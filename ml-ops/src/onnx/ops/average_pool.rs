//! AveragePool of a dequantized image: what QLinearAveragePool makes of it.

use crate::onnx::averaged;
use crate::onnx::builder::Builder;
use crate::onnx::deferred::Formula;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::value::Value;
use crate::onnx::windows;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "AveragePool",
    inputs: 1,
    attributes: &[&windows::ATTRIBUTES, &["ceil_mode", "count_include_pad"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    averaged::deferred(builder, node, Formula::Pool, averaged::windows)
}
