//! QuantizeLinear: of the graph's input, of dequantized floats (a table), or of a matmul's result.

use crate::graph::{CodeType, InputTransform, WordType};
use crate::onnx::builder::Builder;
use crate::onnx::constants;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::prepared::FloatInput;
use crate::onnx::proto::data_type;
use crate::onnx::value::{Codes, Scaling, Value};
use crate::onnx::words::{Digits, Words};

pub(super) const OPERATOR: Operator = Operator {
    domain: "",
    name: "QuantizeLinear",
    inputs: 3,
    attributes: &[&["axis", "block_size", "output_dtype", "precision", "saturate"]],
    import: Import::One(import),
};

fn import(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    node.int_among("block_size", &[0])?;
    node.int_among("precision", &[0, i64::from(data_type::FLOAT)])?;
    if let Value::Constant(array) = node.value(0)? {
        return constants::quantized(node, array);
    }
    if let Some((dtype, zero_point)) = word_type(node)? {
        let to = Scaling { scale: node.scale(1)?, zero_point };
        return Ok(Value::Words(words(builder, node, to, dtype)?));
    }
    let (dtype, zero_point) = output_type(node)?;
    let to = Scaling { scale: node.scale(1)?, zero_point };
    match node.value(0)? {
        Value::FloatInput(floats) => {
            let transform = floats.quantized(to, dtype);
            Ok(Value::Codes(builder.quantized_input(transform, floats.view.clone())?))
        }
        Value::Floats(floats) => {
            let code = |zero_point: i32, dtype: CodeType| zero_point - dtype.min();
            let same = floats.scaling.scale == to.scale
                && floats.codes.dtype.is_narrow() == dtype.is_narrow()
                && code(floats.scaling.zero_point, floats.codes.dtype) == code(zero_point, dtype);
            if floats.direct && floats.codes.quantized && !same {
                return Err(NodeError::DoubleQuantization);
            }
            let table = floats.quantized(to, dtype);
            let codes = floats.codes.mapped(builder, node.name, &table);
            Ok(Value::Codes(Codes { dtype, quantized: true, ..codes }))
        }
        Value::Deferred(deferred) => {
            Ok(Value::Codes(deferred.quantize(builder, node.name, to, dtype)?))
        }
        Value::WordFloats(floats) => {
            Ok(Value::Codes(floats.quantize(builder, node.name, to, dtype)?))
        }
        Value::Constant(_)
        | Value::Dequantized(_)
        | Value::Words(_)
        | Value::Codes(_)
        | Value::Negated(..)
        | Value::Masked(_)
        | Value::Comparison(_)
        | Value::Integers(..) => Err(NodeError::Operand {
            index: 0,
            expected: "the graph's float input, a dequantized tensor or a matmul's result",
        }),
    }
}

/// The 16-bit tensor that operand 0 becomes.
fn words(
    builder: &mut Builder,
    node: &NodeView<'_>,
    to: Scaling,
    dtype: WordType,
) -> Result<Words, NodeError> {
    let Scaling { scale, zero_point } = to;
    match node.value(0)? {
        Value::FloatInput(FloatInput { view, operations }) if operations.is_empty() => {
            let transform = InputTransform::QuantizeWords { scale, zero_point, dtype };
            builder.word_input(transform, dtype, view.clone())
        }
        Value::Floats(floats) => {
            let table = floats.images.map(|x| dtype.quantize(x, scale, zero_point));
            let view = builder.integers(node.name, &floats.codes.view, &table);
            Ok(Words { dtype, digits: Digits::One(view) })
        }
        Value::WordFloats(floats) => floats.words(builder, node.name, to, dtype),
        Value::Deferred(deferred) => deferred.words(builder, node.name, to, dtype),
        _ => Err(NodeError::Operand {
            index: 0,
            expected: "the graph's float input, dequantized tensors or a sum of them",
        }),
    }
}

/// The output's type and zero point, if it has 16 bits.
fn word_type(node: &NodeView<'_>) -> Result<Option<(WordType, i32)>, NodeError> {
    let named = match i32::try_from(node.int("output_dtype", 0)?) {
        Ok(data_type::UINT16) => Some(WordType::U16),
        Ok(data_type::INT16) => Some(WordType::I16),
        _ => None,
    };
    match (node.optional_word(2)?, named) {
        (Some((dtype, _)), Some(named)) if dtype != named => {
            Err(NodeError::OperandType { index: 2 })
        }
        (Some(found), _) => Ok(Some(found)),
        (None, Some(_)) if node.optional(2)?.is_some() => Err(NodeError::OperandType { index: 2 }),
        (None, named) => Ok(named.map(|dtype| (dtype, 0))),
    }
}

/// The output's type and zero point, by the zero point operand or else by the attribute.
fn output_type(node: &NodeView<'_>) -> Result<(CodeType, i32), NodeError> {
    let value = node.int("output_dtype", 0)?;
    let named = match i32::try_from(value) {
        Ok(0) => None,
        of => {
            let wrong =
                NodeError::AttributeValue { attribute: "output_dtype", value: value as f64 };
            Some(of.ok().and_then(CodeType::of_onnx).ok_or(wrong)?)
        }
    };
    match (node.optional_code(2)?, named) {
        (Some((dtype, _)), Some(named)) if dtype != named => {
            Err(NodeError::OperandType { index: 2 })
        }
        (found, named) => {
            let held = node.held(2, node.output_name(0))?;
            Ok(held.or(found).unwrap_or((named.unwrap_or(CodeType::U8), 0)))
        }
    }
}
