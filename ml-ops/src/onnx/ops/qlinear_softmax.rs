//! com.microsoft QLinearSoftmax: Softmax of codes along an axis, requantized.

use super::softmax::{axis, back, last};
use crate::onnx::builder::Builder;
use crate::onnx::deferred::Softmax;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::rowwise::Rowwise;
use crate::onnx::target::Target;
use crate::onnx::value::{Codes, Scaling, Value};

pub(super) const OPERATOR: Operator = Operator {
    domain: "com.microsoft",
    name: "QLinearSoftmax",
    inputs: 5,
    attributes: &[&["axis", "opset"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let x = node.codes(0)?;
    // The operator set whose Softmax it is.
    let dim = axis(node, x.view.rank(), node.int("opset", 13)?)?;
    node.zero_point(2, x.dtype)?;
    let to = Scaling { scale: node.scale(3)?, zero_point: node.zero_point(4, x.dtype)? };
    let rows = Rowwise::new(node.name, &last(&x.view, dim));
    let output = back(&rows.output(), dim);
    let (scale, dtype, has_kernel) = (node.scale(1)?, x.dtype, true);
    let softmax = Softmax { x: rows, scale, dtype, has_kernel, mask: None };
    let tensor = softmax.quantize(builder, &Target::unbounded(to, x.dtype))?;
    let view = output.on(tensor);
    Ok(Value::Codes(Codes { view, dtype: x.dtype, quantized: false, origin: None }))
}
