//! DequantizeLinear: of a tensor that the graph computes, or of constant weights and biases.

use crate::graph::dequantize_table;
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::proto::data_type;
use crate::onnx::value::{Dequantized, Floats, Scaling, Value};
use crate::onnx::view::View;
use crate::onnx::words::WordFloats;
use std::rc::Rc;

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "DequantizeLinear",
    inputs: 3,
    attributes: &[&["axis", "block_size", "output_dtype"]],
    import: Import::One(import),
};

fn import(_: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let block = node.int("block_size", 0)?;
    node.int_among("output_dtype", &[0, i64::from(data_type::FLOAT)])?;
    match node.value(0)? {
        Value::Codes(codes) => {
            node.int_among("block_size", &[0])?;
            let scaling =
                Scaling { scale: node.scale(1)?, zero_point: node.zero_point(2, codes.dtype)? };
            let images = dequantize_table(scaling.scale, scaling.zero_point, codes.dtype);
            Ok(Value::Floats(Floats {
                codes: codes.clone(),
                scaling,
                images: Box::new(images),
                pure: true,
                direct: true,
                fused: None,
            }))
        }
        Value::Words(words) => {
            node.int_among("block_size", &[0])?;
            let zero_point = match node.optional_word(2)? {
                Some((of, zero_point)) if of == words.dtype => zero_point,
                None if node.optional(2)?.is_none() => 0,
                _ => return Err(NodeError::OperandType { index: 2 }),
            };
            let scaling = Scaling { scale: node.scale(1)?, zero_point };
            let (low, high) = (f32::NEG_INFINITY, f32::INFINITY);
            Ok(Value::WordFloats(WordFloats { words: words.clone(), scaling, low, high }))
        }
        Value::Constant(values) => {
            let axis = node.int("axis", 1)?;
            let rank = values.shape().len();
            let from_front = if axis < 0 { axis + rank as i64 } else { axis };
            let wrong = NodeError::AttributeValue { attribute: "axis", value: axis as f64 };
            let axis = usize::try_from(from_front).map_err(|_| wrong.clone())?;
            let scales = node.scales(1)?;
            let zero_points = node.optional_constant(2)?.cloned();
            // Blocks along one axis of a matrix, each as long as the axis: a scale for each index of the other.
            let axis = match (block, values.shape()) {
                (0, _) => axis,
                (block, &[rows, columns]) if axis < 2 => {
                    let length = [rows, columns][axis];
                    if usize::try_from(block) != Ok(length) {
                        let value = block as f64;
                        return Err(NodeError::AttributeValue { attribute: "block_size", value });
                    }
                    1 - axis
                }
                _ => return Err(wrong),
            };
            let values = values.clone();
            Ok(Value::Dequantized(Rc::new(Dequantized { values, scales, zero_points, axis })))
        }
        Value::Dequantized(_)
        | Value::FloatInput(_)
        | Value::Floats(_)
        | Value::WordFloats(_)
        | Value::Negated(..)
        | Value::Masked(_)
        | Value::Comparison(_)
        | Value::Deferred(_)
        | Value::Integers(_) => Err(NodeError::Operand {
            index: 0,
            expected: "a tensor of 8 or 16 bits or constant weights",
        }),
    }
}

/// A tensor of codes whose DequantizeLinear is `floats`: its own, or one through a table of codes that
/// says the same as the Relu and Clip since then. `None` if these give floats that no code has.
pub(in crate::onnx) fn as_dequantized(
    builder: &mut Builder,
    name: &str,
    floats: &Floats,
) -> Option<View> {
    if floats.pure {
        return Some(floats.codes.view.clone());
    }
    let Scaling { scale, zero_point } = floats.scaling;
    let grid = dequantize_table(scale, zero_point, floats.codes.dtype);
    let mut table = [0u8; 256];
    for (code, image) in table.iter_mut().zip(floats.images.iter()) {
        *code = grid.iter().position(|x| x == image)? as u8;
    }
    Some(floats.codes.mapped(builder, name, &table).view)
}
