//! com.microsoft MatMulIntegerToFloat: the floats of a matmul of 8-bit operands, plus a bias of floats.

use crate::onnx::arithmetic::{self, Operation};
use crate::onnx::builder::Builder;
use crate::onnx::deferred::{Deferred, Kind, Tensors};
use crate::onnx::error::NodeError;
use crate::onnx::heads::Heads;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::operands::{Layout, weights};
use crate::onnx::requantized::{float_product, matmul_operands};
use crate::onnx::value::Value;
use std::rc::Rc;

pub(super) const OPERATOR: Operator = Operator {
    domain: "com.microsoft",
    name: "MatMulIntegerToFloat",
    inputs: 7,
    attributes: &[],
    import: Import::One(import),
};

fn import(_: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let scale = node.scale(2)?;
    let product = if let Value::Codes(y) = node.value(1)? {
        let x = node.codes(0)?;
        let zeros =
            [x.zero_code(node.zero_point(4, x.dtype)?), y.zero_code(node.zero_point(5, y.dtype)?)];
        let (heads, output) = Heads::new(node, [&x.view, &y.view], zeros, 1)?;
        let product = Tensors { heads, scale: scale * node.scale(3)? };
        Value::Deferred(Deferred::new(Kind::Tensors(Rc::new(product)), output))
    } else {
        let zero_points = node.optional_constant(5)?.map(|array| &**array);
        let weights = weights(node.constant(1)?, zero_points, Layout::Columns, 1, 5)?;
        let (operands, output) = matmul_operands(node, weights, Vec::new(), 4)?;
        float_product(node, operands, output, scale, 3)?
    };
    match node.optional_constant(6)? {
        None => Ok(product),
        Some(bias) => arithmetic::by_constant(node, &product, bias, Operation::Add, 6),
    }
}
