//! QuantizeLinear: of the graph's input, of dequantized floats (a table), or of a matmul's result.

use crate::array::{Array, ArrayData};
use crate::graph::{CodeType, InputTransform, WordType};
use crate::onnx::arithmetic::Operation;
use crate::onnx::builder::Builder;
use crate::onnx::constants::{self, Integers};
use crate::onnx::divided;
use crate::onnx::error::NodeError;
use crate::onnx::node::{Import, NodeView, Operator};
use crate::onnx::prepared::{FloatInput, MOST_NUMBERS};
use crate::onnx::proto::data_type;
use crate::onnx::shapes;
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
    node.int_among("precision", &[0, i64::from(data_type::FLOAT)])?;
    if let Value::Constant(_) | Value::Dequantized(_) = node.value(0)? {
        node.int_among("block_size", &[0])?;
        return constants::quantized(node, &*constants::array_of(node, 0)?);
    }
    if let Value::FloatInput(floats) = node.value(0)?
        && (node.scales(1)?.len() > 1 || node.int("block_size", 0)? != 0)
    {
        return by_index(builder, node, floats);
    }
    node.int_among("block_size", &[0])?;
    if node.scales(1)?.len() > 1 {
        return by_channel(builder, node);
    }
    if let Some((dtype, zero_point)) = word_type(node)? {
        let to = Scaling { scale: node.scale(1)?, zero_point };
        return Ok(Value::Words(words(builder, node, to, dtype)?));
    }
    let (dtype, zero_point) = output_type(node)?;
    let to = Scaling { scale: node.scale(1)?, zero_point };
    match node.value(0)? {
        Value::FloatInput(floats) => {
            let Scaling { scale, zero_point } = to;
            let then = InputTransform::Quantize { scale, zero_point, dtype };
            let transform = floats.transform(then);
            Ok(Value::Codes(builder.quantized_input(transform, floats.view.clone())?))
        }
        Value::Floats(floats) => {
            let code = |zero_point: i32, dtype: CodeType| zero_point - dtype.min();
            let same = floats.scaling.scale == to.scale
                && floats.codes.dtype.is_narrow() == dtype.is_narrow()
                && code(floats.scaling.zero_point, floats.codes.dtype) == code(zero_point, dtype);
            if floats.direct && floats.codes.quantized && !same && node.is_fused() {
                return Err(NodeError::DoubleQuantization);
            }
            let table = floats.quantized(to, dtype)?;
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
        | Value::NumberInput(_)
        | Value::Counted(_)
        | Value::Flags(_)
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

/// The graph's float input by scales and zero points for each index of an axis, or for each block of it.
fn by_index(
    builder: &mut Builder,
    node: &NodeView<'_>,
    floats: &FloatInput,
) -> Result<Value, NodeError> {
    let scales = node.scales(1)?;
    let dim = shapes::axis(node, "axis", node.int("axis", 1)?, floats.view.rank())?;
    let constant = node.constant(1)?;
    let (zeros, dtype) = constants::zero_points(node)?;
    if zeros.len() != scales.len() && zeros.len() != 1 {
        let (expected, got) = (scales.len(), zeros.len());
        return Err(NodeError::OperandShape { index: 2, expected, got });
    }
    let spread = |values: &[f32]| match values {
        [_] => array(&[1], values.to_vec()),
        values => spread(&floats.view.shape(), dim, node.int("block_size", 0)?, constant, values),
    };
    let floats = floats.followed(&spread(&scales)?, Operation::Div, false, 1)?;
    let floats = floats.rounded(&spread(&as_floats(zeros))?, 2)?;
    let (scale, zero_point, view) = (1.0, 0, floats.view.clone());
    match dtype {
        Integers::Codes(dtype) => {
            let then = InputTransform::Quantize { scale, zero_point, dtype };
            Ok(Value::Codes(builder.quantized_input(floats.transform(then), view)?))
        }
        Integers::Words(dtype) => {
            let then = InputTransform::QuantizeWords { scale, zero_point, dtype };
            Ok(Value::Words(builder.word_input(floats.transform(then), dtype, view)?))
        }
    }
}

/// Floats by scales and zero points for each index of an axis: each is divided, rounded, and moved.
fn by_channel(builder: &mut Builder, node: &NodeView<'_>) -> Result<Value, NodeError> {
    let scales = node.scales(1)?;
    let (zeros, dtype) = constants::zero_points(node)?;
    let Integers::Codes(dtype) = dtype else { return Err(NodeError::OperandType { index: 2 }) };
    if ![1, scales.len()].contains(&zeros.len()) {
        let (expected, got) = (scales.len(), zeros.len());
        return Err(NodeError::OperandShape { index: 2, expected, got });
    }
    let rank = shapes::of(node.value(0)?)?.len();
    let mut shape = vec![1; rank];
    shape[shapes::axis(node, "axis", node.int("axis", 1)?, rank)?] = scales.len();
    let divided = divided::divided(node, &array(&shape, scales)?, as_floats(zeros))?;
    let to = Scaling { scale: 1.0, zero_point: 0 };
    Ok(Value::Codes(divided.quantize(builder, node.name, to, dtype)?))
}

/// `values`, as many as operand 1 has, as a constant beside samples of `shape`: one for each index of dimension `dim`, or,
/// where there is a block, for each block of so many elements along it.
fn spread(
    shape: &[usize],
    dim: usize,
    block: i64,
    scales: &Array,
    values: &[f32],
) -> Result<Array, NodeError> {
    let wrong = |expected, got| NodeError::OperandShape { index: 1, expected, got };
    let mut size = vec![1; shape.len()];
    size[dim] = shape[dim];
    if block == 0 {
        return array(&size, values.to_vec());
    }
    let attribute = NodeError::AttributeValue { attribute: "block_size", value: block as f64 };
    let block = usize::try_from(block).ok().filter(|block| *block > 0).ok_or(attribute)?;
    let mut of_scales = shape.to_vec();
    of_scales[dim] = shape[dim].div_ceil(block);
    if scales.shape() != [&[1], &of_scales[..]].concat() {
        return Err(wrong(of_scales.iter().product(), scales.data().len()));
    }
    let elements: usize = shape.iter().product();
    if elements > MOST_NUMBERS {
        return Err(wrong(MOST_NUMBERS, elements));
    }
    let inner: usize = shape[dim + 1..].iter().product();
    let blocks = values.chunks(of_scales[dim] * inner);
    let of_block = |at: usize| at / block * inner..(at / block + 1) * inner;
    let spread = blocks.flat_map(|of| (0..shape[dim]).flat_map(move |at| of[of_block(at)].iter()));
    array(shape, spread.copied().collect())
}

fn array(shape: &[usize], values: Vec<f32>) -> Result<Array, NodeError> {
    let wrong =
        NodeError::OperandShape { index: 1, expected: shape.iter().product(), got: values.len() };
    Array::new(shape.to_vec(), ArrayData::F32(values)).map_err(|_| wrong)
}

fn as_floats(zeros: Vec<i32>) -> Vec<f32> {
    zeros.into_iter().map(|zero| zero as f32).collect()
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
        Value::FloatInput(floats) => {
            let then = InputTransform::QuantizeWords { scale, zero_point, dtype };
            builder.word_input(floats.transform(then), dtype, floats.view.clone())
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
