//! MatMul of a dequantized tensor and a dequantized constant, as Gemm without a bias, or of two dequantized tensors.

use super::gemm;
use crate::onnx::builder::Builder;
use crate::onnx::deferred::{Deferred, Kind, Tensors};
use crate::onnx::error::NodeError;
use crate::onnx::heads::Heads;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::operands::Layout;
use crate::onnx::value::Value;
use crate::onnx::wordwise;
use std::rc::Rc;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "MatMul",
    inputs: 2,
    attributes: &[],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    if let (Value::Floats(a), Value::Floats(b)) = (node.value(0)?, node.value(1)?)
        && a.pure
        && b.pure
    {
        let zeros = [a.zero_code(), b.zero_code()];
        let (heads, output) = Heads::new(node, [&a.codes.view, &b.codes.view], zeros, 1)?;
        let product = Tensors { heads, scale: a.scaling.scale * b.scaling.scale };
        return Ok(Value::Deferred(Deferred::new(Kind::Tensors(Rc::new(product)), output)));
    }
    if let Some(product) = wordwise::matmul(builder, node)? {
        return Ok(product);
    }
    gemm::product(builder, node, Layout::Columns, (1.0, 1.0))
}
