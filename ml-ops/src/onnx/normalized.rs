//! What the normalizations of rows share: the dequantized tensor, its factors and its summands.

use super::deferred::{Columns, Deferred, Kind, MAX_LENGTH, Normalization, WordNormalization};
use super::error::NodeError;
use super::node::NodeView;
use super::operands::codes_of;
use super::proto::data_type;
use super::rowwise::Rowwise;
use super::shapes;
use super::value::{Dequantized, Value};
use crate::array::ArrayData;
use std::rc::Rc;

/// Attributes of the normalizations.
pub(super) const ATTRIBUTES: [&str; 3] = ["axis", "epsilon", "stash_type"];

/// Operand 0 normalized along its last dimension, times operand 1, plus operand 2 if there is one.
pub(super) fn deferred(node: &NodeView<'_>, centred: bool) -> Result<Value, NodeError> {
    node.int_among("stash_type", &[i64::from(data_type::FLOAT)])?;
    let epsilon = node.float("epsilon", 1e-5)?;
    if !(epsilon.is_finite() && epsilon >= 0.0) {
        let value = f64::from(epsilon);
        return Err(NodeError::AttributeValue { attribute: "epsilon", value });
    }
    let view = match node.value(0)? {
        Value::WordFloats(floats) if floats.is_pure() => floats.words.view(),
        _ => &node.dequantized_codes(0)?.codes.view,
    };
    let axis = node.int("axis", -1)?;
    check_last(node, axis, view.rank())?;
    let rows = Rowwise::new(node.name, view);
    let n = rows.length();
    if n > MAX_LENGTH {
        return Err(NodeError::OperandShape { index: 0, expected: MAX_LENGTH, got: n });
    }
    let factors = floats(node, 1, n)?.ok_or(NodeError::MissingInput { index: 1 })?;
    let summands = floats(node, 2, n)?.unwrap_or(vec![0.0; n]);
    let output = rows.output();
    let columns = Columns { factors, summands };
    let kind = if let Value::WordFloats(floats) = node.value(0)? {
        let (name, words, from) = (node.name.to_owned(), floats.words.clone(), floats.scaling);
        let rows = WordNormalization { name, words, from, centred, epsilon, columns };
        Kind::WordNormalization(Rc::new(rows))
    } else {
        let x = node.dequantized_codes(0)?;
        let (from, zero_code) = (x.scaling, x.zero_code());
        let rows = Normalization { x: rows, from, zero_code, centred, epsilon, columns };
        Kind::Normalization(Rc::new(rows))
    };
    Ok(Value::Deferred(Deferred::new(kind, output)))
}

/// Whether attribute `axis` is the last axis of a sample of `rank` dimensions.
pub(super) fn check_last(node: &NodeView<'_>, axis: i64, rank: usize) -> Result<(), NodeError> {
    if rank > 0 && shapes::axis(node, "axis", axis, rank)? == rank - 1 {
        return Ok(());
    }
    Err(NodeError::AttributeValue { attribute: "axis", value: axis as f64 })
}

/// Operand `index`, constant floats for the `n` elements of a row, if the node has it.
fn floats(node: &NodeView<'_>, index: usize, n: usize) -> Result<Option<Vec<f32>>, NodeError> {
    let (values, shape) = match node.optional(index)? {
        None => return Ok(None),
        Some(Value::Constant(array)) => match array.data() {
            ArrayData::F32(values) => (values.clone(), array.shape()),
            _ => return Err(NodeError::OperandType { index }),
        },
        Some(Value::Dequantized(constant)) => {
            (dequantized(constant, index)?, constant.values.shape())
        }
        Some(_) => return Err(NodeError::Operand { index, expected: "a constant" }),
    };
    let last = shape.last().copied().unwrap_or(1);
    if values.len() != last || last != n {
        return Err(NodeError::OperandShape { index, expected: n, got: values.len() });
    }
    if let Some(&value) = values.iter().find(|value| !value.is_finite()) {
        return Err(NodeError::NotOnGrid { index, value });
    }
    Ok(Some(values))
}

/// What a constant dequantizes to, in float32.
fn dequantized(constant: &Dequantized, index: usize) -> Result<Vec<f32>, NodeError> {
    let Dequantized { values, scales, zero_points, .. } = constant;
    let integers = |array: &crate::array::Array| match array.data() {
        ArrayData::I32(values) => Some(values.clone()),
        _ => {
            let (codes, dtype) = codes_of(array)?;
            Some(codes.iter().map(|&code| i32::from(code) + dtype.min()).collect())
        }
    };
    let wrong = NodeError::OperandType { index };
    let values = integers(values).ok_or(wrong.clone())?;
    let zeros = match zero_points {
        None => vec![0],
        Some(zeros) => integers(zeros).ok_or(wrong)?,
    };
    let n = values.len();
    for got in [scales.len(), zeros.len()] {
        super::operands::check_columns(got, n, index)?;
    }
    let of = |(at, &value): (usize, &i32)| {
        let scale = super::operands::of_column(scales, at);
        value.wrapping_sub(super::operands::of_column(&zeros, at)) as f32 * scale
    };
    Ok(values.iter().enumerate().map(of).collect())
}
