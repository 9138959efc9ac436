//! Where: either of two numbers, by a comparison of a product, or what a constant or an input's flags leave of a tensor for a
//! Softmax.

use crate::array::ArrayData;
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::folded;
use crate::onnx::masked;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::stepped;
use crate::onnx::thresholds;
use crate::onnx::value::{Floats, Value};

pub(super) const OPERATOR: Operator =
    Operator { domain: "", name: "Where", inputs: 3, attributes: &[], import: Import::One(import) };

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let comparison = match (node.value(0)?, node.value(1)?, node.value(2)?) {
        (Value::Comparison(comparison), ..) => comparison,
        (Value::Flags(flags), a, b) => return by_flags(builder, node, flags, (a, b)),
        (Value::Constant(_), Value::Constant(_), Value::Constant(_)) => {
            return folded::chosen(node);
        }
        (
            Value::Constant(condition),
            x @ (Value::Floats(_) | Value::WordFloats(_) | Value::Deferred(_)),
            Value::Constant(_),
        ) => {
            let value = one(node, 2)?;
            return masked::chosen(builder, node.name, x, (condition, true), value);
        }
        (
            Value::Constant(condition),
            Value::Constant(_),
            x @ (Value::Floats(_) | Value::WordFloats(_) | Value::Deferred(_)),
        ) => {
            let value = one(node, 1)?;
            return masked::chosen(builder, node.name, x, (condition, false), value);
        }
        _ => {
            let expected = "a comparison of a product, or a constant and a dequantized tensor";
            return Err(NodeError::Operand { index: 0, expected });
        }
    };
    let (a, b) = (node.value(1)?, node.value(2)?);
    if let (Value::Constant(_), Value::Constant(_)) = (a, b) {
        return thresholds::chosen(builder, node.name, comparison, (one(node, 1)?, one(node, 2)?));
    }
    // Steps of the same product, or one of them and a number.
    let flags = thresholds::chosen(builder, node.name, comparison, (1.0, -1.0))?;
    let mut operands = vec![&flags];
    let mut of = [(0, 0.0); 2];
    for (index, value) in [a, b].into_iter().enumerate() {
        of[index] = match value {
            Value::Constant(_) => (0, one(node, index + 1)?),
            value => {
                operands.push(value);
                (operands.len() - 1, 0.0)
            }
        };
    }
    let [yes, no] = of;
    let float = |x: &[f32], (at, number): (usize, f32)| if at == 0 { number } else { x[at] };
    let chosen = |x: &[f32]| float(x, if x[0] > 0.0 { yes } else { no });
    let made = stepped::together(builder, node.name, &operands, chosen)?;
    let expected =
        "numbers, or steps of the product that is compared, which go up or down together";
    made.ok_or(NodeError::Operand { index: 1, expected })
}

/// Either of two numbers or functions of an input's numbers by flags, or what flags leave of a tensor for a Softmax.
fn by_flags(
    builder: &mut Builder,
    node: &NodeView<'_>,
    flags: &Floats,
    (a, b): (&Value, &Value),
) -> Result<Value, NodeError> {
    let same = |floats: &Floats| floats.codes.view == flags.codes.view;
    let is_tensor = |value: &Value| match value {
        Value::Floats(floats) => !same(floats),
        Value::WordFloats(_) | Value::Deferred(_) => true,
        _ => false,
    };
    let images = |index: usize, value: &Value| match value {
        Value::Floats(floats) if same(floats) => Ok::<_, NodeError>(floats.images.clone()),
        _ => Ok(Box::new([one(node, index)?; 256])),
    };
    match (a, b) {
        (x, Value::Constant(_)) if is_tensor(x) => {
            masked::chosen_by_flags(builder, x, (flags, true), one(node, 2)?)
        }
        (Value::Constant(_), x) if is_tensor(x) => {
            masked::chosen_by_flags(builder, x, (flags, false), one(node, 1)?)
        }
        _ => {
            let (yes, no) = (images(1, a)?, images(2, b)?);
            let mut chosen = flags.clone();
            for (code, image) in chosen.images.iter_mut().enumerate() {
                *image = if *image != 0.0 { yes[code] } else { no[code] };
            }
            Ok(Value::Floats(chosen))
        }
    }
}

/// Operand `index`, one number.
fn one(node: &NodeView<'_>, index: usize) -> Result<f32, NodeError> {
    match node.constant(index)?.data() {
        ArrayData::F32(values) if values.len() == 1 => Ok(values[0]),
        ArrayData::F32(values) => {
            Err(NodeError::OperandShape { index, expected: 1, got: values.len() })
        }
        _ => Err(NodeError::OperandType { index }),
    }
}
