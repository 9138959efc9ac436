//! What normalizations share: the dequantized tensor, its rows or groups of channels, its factors and its summands.

use super::builder::Builder;
use super::deferred::{
    Columns, Deferred, GroupNormalization, Kind, MAX_GROUP, MAX_LENGTH, Normalization,
    WordNormalization,
};
use super::error::NodeError;
use super::node::NodeView;
use super::operands::codes_of;
use super::proto::data_type;
use super::rowwise::Rowwise;
use super::shapes;
use super::value::{Dequantized, Value};
use super::view::View;
use crate::array::ArrayData;
use std::rc::Rc;

/// Attributes of the normalizations.
pub(super) const ATTRIBUTES: [&str; 3] = ["axis", "epsilon", "stash_type"];

/// Operand 0 normalized along its last dimension, times operand 1, plus operand 2 if there is one. Floats that no QuantizeLinear
/// is of are rounded to 16 bits before.
pub(super) fn deferred(
    builder: &mut Builder,
    node: &NodeView<'_>,
    centred: bool,
) -> Result<Value, NodeError> {
    node.int_among("stash_type", &[i64::from(data_type::FLOAT)])?;
    let rounded = match node.value(0)? {
        Value::Deferred(x) => x.in_words(builder, node.name)?.map(Value::WordFloats),
        _ => None,
    };
    let value = rounded.as_ref().unwrap_or(node.value(0)?);
    let view = view_of(node, value)?;
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
    let columns = Columns { factors, summands, silu: false };
    let kind = kind(node, value, rows, centred, columns)?;
    Ok(Value::Deferred(Deferred::new(kind, output)))
}

/// How groups of an image's channels are normalized.
pub(super) struct Groups {
    /// Groups of as many consecutive channels.
    pub(super) count: usize,
    /// Channels are the last dimension, not the first.
    pub(super) last: bool,
    /// There is a factor and a summand for each group, not for each channel.
    pub(super) by_group: bool,
    /// A SiLU follows.
    pub(super) silu: bool,
}

/// Groups of operand 0's channels normalized, times operand 1, plus operand 2.
pub(super) fn of_groups(
    builder: &mut Builder,
    node: &NodeView<'_>,
    groups: &Groups,
) -> Result<Value, NodeError> {
    let in_order = |view: &View| {
        if groups.last { shapes::channels_first(view) } else { view.clone() }
    };
    let view = in_order(view_of(node, node.value(0)?)?);
    let (shape, count) = (view.shape(), groups.count);
    let channels = shape.first().copied().unwrap_or(0);
    if count == 0 || channels == 0 || !channels.is_multiple_of(count) {
        return Err(NodeError::OperandShape { index: 0, expected: count, got: channels });
    }
    let n = view.elements() / count;
    if n > MAX_GROUP {
        return Err(NodeError::OperandShape { index: 0, expected: MAX_GROUP, got: n });
    }
    // What a file counts as places may hold channels, as where groups of them were made one.
    let within = channels / count * if channels == count { view.leading_features(1) } else { 1 };
    let grid = |view: &View| {
        let grid = in_order(view).reshaped(&[count, within, n / within])?;
        Some(grid.transposed(&[0, 2, 1]))
    };
    let value = match node.value(0)?.renumbered(grid) {
        Some(value) => value,
        None => {
            let copy = shapes::copied_as(node, |view| builder.copied(node.name, view))?;
            copy.renumbered(grid).ok_or(NodeError::NoView { index: 0 })?
        }
    };
    let rows = Rowwise::of_groups(node.name, value.view().ok_or(shapes::NOT_COMPUTED)?);
    let output = match channels / count == within {
        true => View::new(0, &shape, |dim| dim == 0),
        false => {
            let output = rows.output().transposed(&[0, 2, 1]).reshaped(&shape);
            output.ok_or(NodeError::NoView { index: 0 })?
        }
    };
    let output = if groups.last { shapes::channels_last(&output) } else { output };
    let given = if groups.by_group { count } else { channels };
    let spread = |index: usize| -> Result<Vec<f32>, NodeError> {
        let values = floats(node, index, given)?.ok_or(NodeError::MissingInput { index })?;
        let each = count * within / given;
        Ok(values.into_iter().flat_map(|value| std::iter::repeat_n(value, each)).collect())
    };
    let columns = Columns { factors: spread(1)?, summands: spread(2)?, silu: groups.silu };
    let kind = kind(node, &value, rows, true, columns)?;
    Ok(Value::Deferred(Deferred::new(kind, output)))
}

/// Attribute `name`, a number of groups.
pub(super) fn count(node: &NodeView<'_>, name: &'static str) -> Result<usize, NodeError> {
    let value = node.int(name, 0)?;
    let wrong = NodeError::AttributeValue { attribute: name, value: value as f64 };
    usize::try_from(value).ok().filter(|count| *count > 0).ok_or(wrong)
}

/// How operand 0, which is `value`, is seen: a dequantized tensor of 8 or 16 bits.
fn view_of<'a>(node: &NodeView<'a>, value: &'a Value) -> Result<&'a View, NodeError> {
    match value {
        Value::WordFloats(floats) if floats.is_pure() => Ok(floats.words.view()),
        _ => Ok(&node.dequantized_codes(0)?.codes.view),
    }
}

/// The normalization of operand 0, which is seen as `value` is, in `rows`.
fn kind(
    node: &NodeView<'_>,
    value: &Value,
    rows: Rowwise,
    centred: bool,
    columns: Columns,
) -> Result<Kind, NodeError> {
    let epsilon = node.float("epsilon", 1e-5)?;
    if !(epsilon.is_finite() && epsilon >= 0.0) {
        let value = f64::from(epsilon);
        return Err(NodeError::AttributeValue { attribute: "epsilon", value });
    }
    match value {
        Value::Floats(x) if rows.is_of_groups() => {
            let from = x.scaling;
            let groups = GroupNormalization { x: rows, from, epsilon, columns };
            Ok(Kind::GroupNormalization(Rc::new(groups)))
        }
        Value::Floats(x) => {
            let (from, zero_code) = (x.scaling, x.zero_code());
            let rows = Normalization { x: rows, from, zero_code, centred, epsilon, columns };
            Ok(Kind::Normalization(Rc::new(rows)))
        }
        Value::WordFloats(floats) => {
            if rows.length() > MAX_LENGTH {
                let (expected, got) = (MAX_LENGTH, rows.length());
                return Err(NodeError::OperandShape { index: 0, expected, got });
            }
            let (x, words, from) = (rows, floats.words.clone(), floats.scaling);
            let rows = WordNormalization { x, words, from, centred, epsilon, columns };
            Ok(Kind::WordNormalization(Rc::new(rows)))
        }
        _ => Err(shapes::NOT_COMPUTED),
    }
}

/// Whether attribute `axis` is the last axis of a sample of `rank` dimensions.
pub(super) fn check_last(node: &NodeView<'_>, axis: i64, rank: usize) -> Result<(), NodeError> {
    if rank > 0 && shapes::axis(node, "axis", axis, rank)? == rank - 1 {
        return Ok(());
    }
    Err(NodeError::AttributeValue { attribute: "axis", value: axis as f64 })
}

/// Operand `index`, `n` constant floats along its last dimension, if the node has it.
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
