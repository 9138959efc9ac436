//! GlobalAveragePool of a dequantized image: what QLinearGlobalAveragePool makes of it.

use crate::onnx::averaged;
use crate::onnx::builder::Builder;
use crate::onnx::deferred::Formula;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::value::Value;
use crate::onnx::windows::Pool;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "GlobalAveragePool",
    inputs: 1,
    attributes: &[],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    averaged::deferred(builder, node, Formula::Global, |_, sizes| Ok(Pool::global(sizes)))
}
