//! Pad: a constant around a tensor, or its own elements again.

use crate::graph::MAX_ELEMENTS;
use crate::onnx::arithmetic;
use crate::onnx::builder::Builder;
use crate::onnx::concatenated::{self, Around};
use crate::onnx::deferred::{How, Inner, Padded};
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::shapes;
use crate::onnx::value::Value;
use crate::onnx::words::WordFloats;
use crate::onnx::wordwise;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "Pad",
    inputs: 4,
    attributes: &[&["mode"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let shape = shapes::of(node.value(0)?)?;
    let around = match node.text("mode")? {
        None | Some("constant") => Around::Constant(()),
        Some("edge") => Around::Edge,
        Some("reflect") => Around::Reflected,
        Some(other) => {
            return Err(NodeError::AttributeText { attribute: "mode", value: other.to_owned() });
        }
    };
    let amounts = node.integers("pads", 1)?.ok_or(NodeError::MissingInput { index: 1 })?;
    let all = (0..shape.len() as i64 + i64::from(!node.is_whole())).collect();
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
        let dim = shapes::axis(node, "axes", axis, shape.len())?;
        let amount = |value: i64| {
            let wrong = NodeError::AttributeValue { attribute: "pads", value: value as f64 };
            usize::try_from(value).ok().filter(|&pad| pad <= MAX_ELEMENTS).ok_or(wrong)
        };
        pads[dim] = (amount(before)?, amount(after)?);
    }
    if let Some(dim) = (0..pads.len()).find(|&dim| !around.fits(shape[dim], pads[dim])) {
        let value = pads[dim].0.max(pads[dim].1) as f64;
        return Err(NodeError::AttributeValue { attribute: "pads", value });
    }
    if let Value::Codes(codes) = node.value(0)? {
        let zero = codes.dtype.code(0).unwrap_or(0);
        let code = match node.optional_code(2)? {
            None => zero,
            Some((dtype, value)) => dtype.code(value).unwrap_or(zero),
        };
        let around = around.map(|_| code);
        return shapes::copied_as(node, |view| {
            concatenated::around(builder, node.name, view, &pads, around)
        });
    }
    let value = match node.optional(2)? {
        None => 0.0,
        Some(_) => arithmetic::number_of(node, 2)?,
    };
    let around = around.map(|_| value);
    let of = match node.value(0)? {
        Value::Floats(floats) => {
            let code = floats.images.iter().position(|&image| image == value);
            let code = if matches!(around, Around::Constant(_)) { code } else { Some(0) };
            match code {
                Some(code) => {
                    let around = around.map(|_| code as u8);
                    return shapes::copied_as(node, |view| {
                        concatenated::around(builder, node.name, view, &pads, around)
                    });
                }
                None => Inner::Floats(floats.clone()),
            }
        }
        Value::WordFloats(floats) => {
            let words = wordwise::around(builder, node.name, floats, &pads, around)?;
            return Ok(Value::WordFloats(WordFloats { words, ..floats.clone() }));
        }
        Value::FloatInput(floats) => Inner::Input(floats.clone()),
        Value::Deferred(floats) => Inner::Deferred(floats.clone()),
        _ => {
            let expected = "an 8-bit tensor, floats of one, or the network's float input";
            return Err(NodeError::Operand { index: 0, expected });
        }
    };
    Ok(Padded { name: node.name.to_owned(), of, how: How::Around { pads, around } }.deferred())
}
