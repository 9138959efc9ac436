//! com.microsoft QLinearConcat: 8-bit tensors of scales of their own, along an axis, at one scale.

use crate::graph::{dequantize_table, quantize};
use crate::onnx::builder::Builder;
use crate::onnx::concatenated;
use crate::onnx::constants;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::shapes;
use crate::onnx::value::{Codes, Value};

pub(super) const OPERATOR: Operator = Operator {
    domain: "com.microsoft",
    name: "QLinearConcat",
    inputs: 4097,
    attributes: &[&["axis"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let missing = NodeError::MissingAttribute { attribute: "axis" };
    let axis = node.attribute("axis").map(|_| node.int("axis", 0)).ok_or(missing)??;
    // Constants may be among the tensors.
    let computed = |index: &usize| matches!(node.value(*index), Ok(Value::Codes(_)));
    let first = (2..node.inputs()).step_by(3).find(computed).unwrap_or(2);
    let Codes { dtype, view: beside, .. } = node.codes(first)?.clone();
    let (scale, zero_point) = (node.scale(0)?, node.zero_point(1, dtype)?);
    let mut parts = Vec::new();
    for index in (2..node.inputs()).step_by(3) {
        let codes = match node.value(index)? {
            Value::Constant(array) => constants::codes(builder, node.name, &beside, array, index)?,
            _ => node.codes(index)?.clone(),
        };
        if codes.dtype != dtype {
            return Err(NodeError::OperandType { index });
        }
        let (from, zero) = (node.scale(index + 1)?, node.zero_point(index + 2, dtype)?);
        let images = dequantize_table(from, zero, dtype);
        parts.push((codes.view, images.map(|x| quantize(x, scale, zero_point, dtype))));
    }
    let dim = shapes::axis(node, "axis", axis, beside.rank())?;
    let view = concatenated::view(builder, node.name, &parts, dim)?;
    Ok(Value::Codes(Codes { view, dtype, quantized: false, origin: None }))
}
