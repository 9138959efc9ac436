//! Constant tensors in arithmetic on elements: codes of their own, which no proof commits.

use super::arithmetic::uniform;
use super::builder::Builder;
use super::error::NodeError;
use super::folded;
use super::node::NodeView;
use super::operands::{Layout, check_bias, check_columns, codes_of, integers, of_column};
use super::proto::data_type;
use super::rowwise;
use super::thresholds::grid;
use super::value::{Codes, Dequantized, Floats, Scaling, Value};
use super::view::View;
use super::words::{Digits, WordFloats, Words};
use crate::array::{Array, ArrayData};
use crate::graph::{CodeType, WordType, quantize};
use std::ops::Range;
use std::rc::Rc;

/// The shape of a constant, operand `index`, that is broadcast to samples of `rank` dimensions, with ones in front.
pub(super) fn shape(array: &Array, rank: usize, index: usize) -> Result<Vec<usize>, NodeError> {
    let shape = array.shape();
    // The batch is a dimension of its own.
    let of_sample = match shape {
        [1, rest @ ..] if rest.len() == rank => rest,
        shape => shape,
    };
    let missing = rank.checked_sub(of_sample.len());
    let missing =
        missing.ok_or(NodeError::OperandShape { index, expected: rank + 1, got: shape.len() })?;
    Ok([&vec![1; missing], of_sample].concat())
}

/// What a constant of floats, operand `index`, that is broadcast to samples of `rank` dimensions has at `places` along dimension `dim`.
pub(super) fn along(
    array: &Array,
    rank: usize,
    dim: usize,
    places: Range<usize>,
    index: usize,
) -> Result<Array, NodeError> {
    let ArrayData::F32(values) = array.data() else {
        return Err(NodeError::OperandType { index });
    };
    let mut shape = shape(array, rank, index)?;
    let wrong = |got| NodeError::OperandShape { index, expected: places.end, got };
    let size = shape.get(dim).copied().ok_or(wrong(rank))?;
    let mut part = values.clone();
    if size > 1 {
        let inner: usize = shape[dim + 1..].iter().product();
        let rows = values
            .chunks(size * inner)
            .map(|row| row.get(places.start * inner..places.end * inner).ok_or(wrong(size)));
        part = rows.collect::<Result<Vec<_>, _>>()?.concat();
        shape[dim] = places.len();
    }
    let got = part.len();
    Array::new(shape, ArrayData::F32(part)).map_err(|_| wrong(got))
}

/// A constant behind a DequantizeLinear of one scale, operand `index`, beside a tensor that is seen as `beside`.
pub(super) fn dequantized(
    builder: &mut Builder,
    name: &str,
    beside: &View,
    constant: &Dequantized,
    index: usize,
) -> Result<Floats, NodeError> {
    let Codes { view, dtype, .. } = codes(builder, name, beside, &constant.values, index)?;
    let one_scale = NodeError::Operand { index, expected: "a constant of one scale" };
    let zero_point = match &constant.zero_points {
        None => 0,
        Some(zero_points) => {
            let (zeros, of) = codes_of(zero_points).ok_or(NodeError::OperandType { index })?;
            match uniform(&zeros, index) {
                Ok(zero) if of == dtype => i32::from(zero) + dtype.min(),
                _ => return Err(one_scale),
            }
        }
    };
    let scale = uniform(&constant.scales, index).map_err(|_| one_scale)?;
    Ok(floats(view, dtype, Scaling { scale, zero_point }, None))
}

/// The same of 16-bit integers.
pub(super) fn words(
    builder: &mut Builder,
    name: &str,
    beside: &View,
    constant: &Dequantized,
    index: usize,
) -> Result<WordFloats, NodeError> {
    let wrong = NodeError::OperandType { index };
    let dtype = match constant.values.data() {
        ArrayData::U16(_) => WordType::U16,
        ArrayData::I16(_) => WordType::I16,
        _ => return Err(wrong),
    };
    let one_scale = NodeError::Operand { index, expected: "a constant of one scale" };
    let zero_point = match constant.zero_points.as_deref() {
        None => 0,
        Some(zeros) => {
            uniform(&integers(zeros).ok_or(wrong.clone())?, index).map_err(|_| one_scale.clone())?
        }
    };
    let scale = uniform(&constant.scales, index).map_err(|_| one_scale)?;
    let shape = shape(&constant.values, beside.rank(), index)?;
    let values = integers(&constant.values).ok_or(wrong)?;
    let mut digit = |part: &str, of: usize| {
        let codes = values.iter().map(|value| ((value - dtype.min()) as u16).to_be_bytes()[of]);
        builder.constant(&rowwise::part(name, part), beside, &shape, &codes.collect::<Vec<u8>>())
    };
    let words = Words { dtype, digits: Digits::Two([digit("high", 0), digit("low", 1)]) };
    let (low, high) = (f32::NEG_INFINITY, f32::INFINITY);
    Ok(WordFloats { words, scaling: Scaling { scale, zero_point }, low, high })
}

/// A constant of 8-bit integers, operand `index`, beside a tensor that is seen as `beside`.
pub(super) fn codes(
    builder: &mut Builder,
    name: &str,
    beside: &View,
    constant: &Array,
    index: usize,
) -> Result<Codes, NodeError> {
    let (codes, dtype) = codes_of(constant).ok_or(NodeError::OperandType { index })?;
    let shape = shape(constant, beside.rank(), index)?;
    let view = builder.constant(name, beside, &shape, &codes);
    Ok(Codes { view, dtype, quantized: false, origin: None })
}

/// Plain floats, operand `index`: as codes that number their values, or, for a factor, as multiples of one of them.
pub(super) fn plain(
    builder: &mut Builder,
    name: &str,
    beside: &View,
    constant: &Array,
    is_factor: bool,
    index: usize,
) -> Result<Floats, NodeError> {
    let ArrayData::F32(values) = constant.data() else {
        return Err(NodeError::OperandType { index });
    };
    let mut levels: Vec<f32> = values.iter().map(|&value| value + 0.0).collect();
    levels.sort_unstable_by(f32::total_cmp);
    levels.dedup();
    if let Some(&value) = levels.iter().find(|level| !level.is_finite()) {
        return Err(NodeError::NotOnGrid { index, value });
    }
    let shape = shape(constant, beside.rank(), index)?;
    let number = |value: &f32| levels.partition_point(|level| level < value);
    let (codes, scaling, images): (Vec<u8>, _, _) = if is_factor {
        let grid = grid(&levels).ok().filter(|_| !levels.is_empty());
        let (scaling, codes) = grid.ok_or(NodeError::ConstantFactor { index })?;
        (values.iter().map(|value| codes[number(value)]).collect(), scaling, None)
    } else {
        let (Some(&last), true) = (levels.last(), levels.len() <= 256) else {
            let got = levels.len();
            return Err(NodeError::ConstantLevels { index, got });
        };
        let mut images = Box::new([last; 256]);
        images.iter_mut().zip(&levels).for_each(|(image, &level)| *image = level);
        let codes = values.iter().map(|value| number(value) as u8).collect();
        (codes, Scaling { scale: 1.0, zero_point: 0 }, Some(images))
    };
    let view = builder.constant(name, beside, &shape, &codes);
    Ok(floats(view, CodeType::U8, scaling, images))
}

/// The floats of constant operand `index`, dequantized or not.
pub(super) fn floats_of(node: &NodeView<'_>, index: usize) -> Result<Vec<f32>, NodeError> {
    floats_in(node.value(index)?, index)
}

/// The same as an array of its shape.
pub(super) fn array_of(node: &NodeView<'_>, index: usize) -> Result<Rc<Array>, NodeError> {
    match node.value(index)? {
        Value::Dequantized(constant) => {
            let values = floats_of(node, index)?;
            let shape = constant.values.shape().to_vec();
            let array = Array::new(shape, ArrayData::F32(values));
            array.map(Rc::new).map_err(|_| NodeError::OperandType { index })
        }
        _ => Ok(node.constant(index)?.clone()),
    }
}

/// The floats of operand 2, a constant bias of a product with `n` columns, dequantized or not: one, or one for each.
pub(super) fn bias_in(value: &Value, layout: Layout, n: usize) -> Result<Vec<f32>, NodeError> {
    let shape = match value {
        Value::Constant(array) => array.shape(),
        Value::Dequantized(constant) => constant.values.shape(),
        _ => return Err(NodeError::Operand { index: 2, expected: "a constant" }),
    };
    check_bias(shape, layout, n, 2)?;
    floats_in(value, 2)
}

/// The same of a value that has been made of operand `index`.
pub(super) fn floats_in(value: &Value, index: usize) -> Result<Vec<f32>, NodeError> {
    match value {
        Value::Constant(array) => match array.data() {
            ArrayData::F32(values) => Ok(values.clone()),
            _ => Err(NodeError::OperandType { index }),
        },
        Value::Dequantized(constant) => {
            let wrong = || NodeError::OperandType { index };
            let values = integers(&constant.values).ok_or_else(wrong)?;
            let zeros = constant.zero_points.as_deref().map(|of| integers(of).ok_or_else(wrong));
            let zeros = zeros.transpose()?.unwrap_or(vec![0]);
            // A list has one axis, whatever the node says.
            let shape = constant.values.shape();
            let axis = if shape.len() == 1 { 0 } else { constant.axis };
            let size = shape.get(axis).copied().unwrap_or(1);
            for n in [constant.scales.len(), zeros.len()] {
                check_columns(n, size, index)?;
            }
            let inner: usize = shape.iter().skip(axis + 1).product();
            let of = |(at, value): (usize, &i32)| {
                let of_axis = at / inner % size;
                let value = i64::from(*value) - i64::from(of_column(&zeros, of_axis));
                value as f32 * of_column(&constant.scales, of_axis)
            };
            Ok(values.iter().enumerate().map(of).collect())
        }
        _ => Err(NodeError::Operand { index, expected: "a constant" }),
    }
}

/// A type of integers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Integers {
    Codes(CodeType),
    Words(WordType),
}

/// QuantizeLinear `node`'s zero points, one or more, and its output's type, by them or else by the attribute.
pub(super) fn zero_points(node: &NodeView<'_>) -> Result<(Vec<i32>, Integers), NodeError> {
    let value = node.int("output_dtype", 0)?;
    let named = i32::try_from(value).ok();
    let of_onnx = |named| match named {
        data_type::UINT16 => Some(Integers::Words(WordType::U16)),
        data_type::INT16 => Some(Integers::Words(WordType::I16)),
        of => CodeType::of_onnx(of).map(Integers::Codes),
    };
    let wrong = NodeError::AttributeValue { attribute: "output_dtype", value: value as f64 };
    let Some(zeros) = node.optional_constant(2)? else {
        let dtype = match named {
            Some(0) => Some(Integers::Codes(CodeType::U8)),
            named => named.and_then(of_onnx),
        };
        return Ok((vec![0], dtype.ok_or(wrong)?));
    };
    let dtype = match (node.narrow(2), zeros.data()) {
        (Some(narrow), _) => Integers::Codes(narrow),
        (None, ArrayData::U8(_)) => Integers::Codes(CodeType::U8),
        (None, ArrayData::I8(_)) => Integers::Codes(CodeType::I8),
        (None, ArrayData::U16(_)) => Integers::Words(WordType::U16),
        (None, ArrayData::I16(_)) => Integers::Words(WordType::I16),
        _ => return Err(NodeError::OperandType { index: 2 }),
    };
    if named != Some(0) && named.and_then(of_onnx) != Some(dtype) {
        return Err(wrong);
    }
    Ok((integers(zeros).ok_or(NodeError::OperandType { index: 2 })?, dtype))
}

/// The integers that QuantizeLinear `node` makes of a constant, by one scale and zero point or those of an axis's indices.
pub(super) fn quantized(node: &NodeView<'_>, array: &Array) -> Result<Value, NodeError> {
    let ArrayData::F32(values) = array.data() else {
        return Err(NodeError::OperandType { index: 0 });
    };
    let shape = array.shape();
    let scales = node.scales(1)?;
    let (zeros, dtype) = zero_points(node)?;
    let (mut size, mut inner) = (1, 1);
    if scales.len() > 1 {
        let at = folded::from_front("axis", node.int("axis", 1)?, shape.len())?;
        (size, inner) = (shape[at], shape[at + 1..].iter().product());
    }
    for (index, got) in [(1, scales.len()), (2, zeros.len())] {
        if got != size && got != 1 {
            return Err(NodeError::OperandShape { index, expected: size, got });
        }
    }
    let each = values.iter().enumerate().map(|(at, &value)| {
        let column = at / inner.max(1) % size.max(1);
        (value, of_column(&scales, column), of_column(&zeros, column))
    });
    let data = match dtype {
        Integers::Codes(dtype) => {
            let codes = each.map(|(value, scale, zero)| quantize(value, scale, zero, dtype));
            // Fewer bits than 8 are held in 8.
            match dtype.min() {
                0 => ArrayData::U8(codes.collect()),
                least => ArrayData::I8(codes.map(|code| (i32::from(code) + least) as i8).collect()),
            }
        }
        Integers::Words(dtype) => {
            let words = each.map(|(value, scale, zero)| dtype.quantize(value, scale, zero));
            match dtype {
                WordType::U16 => ArrayData::U16(words.map(|word| word as u16).collect()),
                WordType::I16 => ArrayData::I16(words.map(|word| word as i16).collect()),
            }
        }
    };
    let got = data.len();
    let array = Array::new(shape.to_vec(), data);
    let array = array.map_err(|_| NodeError::OperandShape { index: 0, expected: got, got })?;
    Ok(Value::Constant(Rc::new(array)))
}

fn floats(
    view: View,
    dtype: CodeType,
    scaling: Scaling,
    images: Option<Box<[f32; 256]>>,
) -> Floats {
    let of = Floats::of(Codes { view, dtype, quantized: false, origin: None }, scaling);
    match images {
        Some(images) => Floats { images, pure: false, ..of },
        None => of,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiples_are_exact() {
        let scaling = |scale, zero_point| Some(Scaling { scale, zero_point });
        let multiples = |levels: &[f32]| grid(levels).ok().map(|(scaling, _)| scaling);
        assert_eq!(multiples(&[0.0]), scaling(1.0, 0));
        assert_eq!(multiples(&[0.0, 1.0]), scaling(1.0, 0));
        assert_eq!(multiples(&[-0.5, 0.25, 1.0]), scaling(0.25, 2));
        assert_eq!(multiples(&[0.1, 0.25]), None);
        assert_eq!(multiples(&[-1.0, 255.0]), None);
    }

    #[test]
    fn shapes_are_aligned_to_the_right() {
        let of = |shape: &[usize], rank| {
            let data = ArrayData::U8(vec![0; shape.iter().product()]);
            super::shape(&Array::new(shape.to_vec(), data).expect("a shape that fits"), rank, 1)
        };
        assert_eq!(of(&[], 2), Ok(vec![1, 1]));
        assert_eq!(of(&[5], 2), Ok(vec![1, 5]));
        assert_eq!(of(&[1, 4, 5], 2), Ok(vec![4, 5]));
        assert_eq!(of(&[1, 4, 5], 3), Ok(vec![1, 4, 5]));
        let wrong = |got| Err(NodeError::OperandShape { index: 1, expected: 3, got });
        assert_eq!(of(&[2, 4, 5], 2), wrong(3));
        assert_eq!(of(&[1, 1, 4, 5], 2), wrong(4));
    }
}
