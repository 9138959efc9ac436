//! Pad: a constant around a tensor.

use crate::graph::MAX_ELEMENTS;
use crate::onnx::arithmetic;
use crate::onnx::builder::Builder;
use crate::onnx::concatenated;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::shapes;
use crate::onnx::value::{Codes, Floats, Value};

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Pad",
    inputs: 4,
    attributes: &[&["mode"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let shape = shapes::of(node.value(0)?)?;
    match node.text("mode")? {
        None | Some("constant") => {}
        Some(other) => {
            return Err(NodeError::AttributeText { attribute: "mode", value: other.to_owned() });
        }
    }
    let amounts = node.integers("pads", 1)?.ok_or(NodeError::MissingInput { index: 1 })?;
    let all: Vec<i64> = (0..shape.len() as i64 + 1).collect();
    let axes = node.integers("axes", 3)?.unwrap_or(all);
    if amounts.len() != 2 * axes.len() {
        let (expected, got) = (2 * axes.len(), amounts.len());
        return Err(NodeError::OperandShape { index: 1, expected, got });
    }
    let mut pads = vec![(0, 0); shape.len()];
    for (at, &axis) in axes.iter().enumerate() {
        let (before, after) = (amounts[at], amounts[axes.len() + at]);
        if (before, after) == (0, 0) {
            continue;
        }
        let dim = shapes::axis("axes", axis, shape.len())?;
        let amount = |value: i64| {
            let wrong = NodeError::AttributeValue { attribute: "pads", value: value as f64 };
            usize::try_from(value).ok().filter(|&pad| pad <= MAX_ELEMENTS).ok_or(wrong)
        };
        pads[dim] = (amount(before)?, amount(after)?);
    }
    match node.value(0)? {
        Value::Codes(codes) => {
            let zero = codes.dtype.code(0).unwrap_or(0);
            let code = match node.optional_code(2)? {
                None => zero,
                Some((dtype, value)) => dtype.code(value).unwrap_or(zero),
            };
            let view = concatenated::padded(builder, node.name, &codes.view, &pads, code)?;
            Ok(Value::Codes(Codes { view, quantized: false, origin: None, ..codes.clone() }))
        }
        Value::Floats(floats) => {
            let value = match node.optional(2)? {
                None => 0.0,
                Some(_) => arithmetic::number_of(node, 2)?,
            };
            let code = floats.images.iter().position(|&image| image == value);
            let code = code.ok_or(NodeError::NotOnGrid { index: 2, value })? as u8;
            let view = concatenated::padded(builder, node.name, &floats.codes.view, &pads, code)?;
            let codes = Codes { view, quantized: false, origin: None, ..floats.codes.clone() };
            Ok(Value::Floats(Floats { codes, direct: false, fused: None, ..floats.clone() }))
        }
        _ => Err(NodeError::Operand { index: 0, expected: "an 8-bit tensor or a dequantized one" }),
    }
}
