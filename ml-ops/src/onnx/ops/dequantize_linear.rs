//! DequantizeLinear: of a tensor that the graph computes, or of constant weights and biases.

use crate::graph::dequantize_table;
use crate::onnx::blocks;
use crate::onnx::builder::Builder;
use crate::onnx::deferred::{Deferred, Each, Kind};
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::proto::data_type;
use crate::onnx::shapes;
use crate::onnx::value::{Codes, Dequantized, Floats, Scaling, Value};
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
            let scales = node.scales(1)?;
            if scales.len() > 1 || block != 0 {
                return of_each(node, codes, &scales, block);
            }
            let zero_point = match node.held(2, node.input_name(0))? {
                None => 0,
                Some((dtype, zero_point)) if dtype == codes.dtype => zero_point,
                Some(_) => return Err(NodeError::OperandType { index: 2 }),
            };
            let scaling = Scaling { scale: node.scale(1)?, zero_point };
            Ok(Value::Floats(Floats { direct: true, ..Floats::of(codes.clone(), scaling) }))
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
            let size = values.shape().get(axis).copied();
            // One block as long as the axis of a matrix: a scale for each index of the other.
            let axis = match usize::try_from(block) {
                Ok(0) => axis,
                Ok(_) if size.is_none() => return Err(wrong),
                Ok(block) if rank == 2 && size == Some(block) => 1 - axis,
                Ok(block) if rank >= 2 => {
                    let scales = (&scales[..], node.constant(1)?.shape());
                    let zero_points = zero_points.as_deref();
                    let folded = blocks::folded(values, scales, zero_points, axis, block)?;
                    return Ok(Value::Dequantized(Rc::new(folded)));
                }
                _ => {
                    let value = block as f64;
                    return Err(NodeError::AttributeValue { attribute: "block_size", value });
                }
            };
            let values = values.clone();
            Ok(Value::Dequantized(Rc::new(Dequantized { values, scales, zero_points, axis })))
        }
        Value::Dequantized(_)
        | Value::FloatInput(_)
        | Value::NumberInput(_)
        | Value::Counted(_)
        | Value::Flags(_)
        | Value::Floats(_)
        | Value::WordFloats(_)
        | Value::Negated(..)
        | Value::Masked(_)
        | Value::Comparison(_)
        | Value::Deferred(_)
        | Value::Integers(..) => Err(NodeError::Operand {
            index: 0,
            expected: "a tensor of 8 or 16 bits or constant weights",
        }),
    }
}

/// `codes` with a scale for each index of an axis, or for each block of it.
fn of_each(
    node: &NodeView<'_>,
    codes: &Codes,
    scales: &[f32],
    block: i64,
) -> Result<Value, NodeError> {
    let wrong = NodeError::AttributeValue { attribute: "block_size", value: block as f64 };
    let block = usize::try_from(block).map_err(|_| wrong)?;
    let dim = shapes::axis(node, "axis", node.int("axis", 1)?, codes.view.rank())?;
    let of_scales = (scales, node.constant(1)?.shape());
    let zero_points = node.optional_constant(2)?.map(|zeros| &**zeros);
    let each = Each::new(node.name, codes, of_scales, zero_points, (dim, block))?;
    let output = each.output();
    Ok(Value::Deferred(Deferred::new(Kind::Each(Rc::new(each)), output)))
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
