//! Operators on constants: lists of integers, as exporters compute the targets of reshapes, floats, and rows of tables.

use super::constants;
use super::error::NodeError;
use super::node::NodeView;
use super::operands::of_column;
use super::shapes;
use super::value::{Dequantized, Value};
use crate::array::{Array, ArrayData};
use crate::graph::MAX_ELEMENTS;
use std::rc::Rc;

/// A constant of integers in `shape`.
pub(super) fn integers(shape: Vec<usize>, values: Vec<i64>) -> Result<Value, NodeError> {
    let (expected, got) = (shape.iter().product(), values.len());
    let array = Array::new(shape, ArrayData::I64(values));
    let array = array.map_err(|_| NodeError::OperandShape { index: 0, expected, got })?;
    Ok(Value::Constant(Rc::new(array)))
}

/// Operand `index`, a constant of integers of one dimension at most.
fn list<'a>(node: &NodeView<'a>, index: usize) -> Result<&'a [i64], NodeError> {
    let array = node.constant(index)?;
    match array.data() {
        ArrayData::I64(values) if array.shape().len() < 2 => Ok(values),
        _ => Err(NodeError::OperandType { index }),
    }
}

/// Gather of what operand 0, a constant, dequantized at one scale or not, has at the indices of operand 1.
pub(super) fn gather(node: &NodeView<'_>) -> Result<Value, NodeError> {
    let values = match node.value(0)? {
        Value::Constant(values) => values,
        Value::Dequantized(constant) if constant.scales.len() == 1 => &constant.values,
        _ => return Err(NodeError::Operand { index: 0, expected: "a constant of one scale" }),
    };
    let axis = from_front("axis", node.int("axis", 0)?, values.shape().len())?;
    let places = places(node, values.shape()[axis])?;
    let taken = Rc::new(taken(values, axis, &places, node.constant(1)?.shape())?);
    Ok(match node.value(0)? {
        Value::Dequantized(constant) => {
            let (scales, zero_points) = (constant.scales.clone(), constant.zero_points.clone());
            let axis = constant.axis;
            Value::Dequantized(Rc::new(Dequantized { values: taken, scales, zero_points, axis }))
        }
        _ => Value::Constant(taken),
    })
}

/// The indices of a Gather, operand 1, into a dimension of `size` elements, counted from the front.
pub(super) fn places(node: &NodeView<'_>, size: usize) -> Result<Vec<usize>, NodeError> {
    let indices = node.integers("indices", 1)?.ok_or(NodeError::MissingInput { index: 1 })?;
    let place = |&index: &i64| {
        let wrong = NodeError::IndexRange { index: 1, value: index, size };
        place(index, size).ok_or(wrong)
    };
    indices.iter().map(place).collect()
}

/// Index `index` into `size` elements, where negative ones count from the end.
fn place(index: i64, size: usize) -> Option<usize> {
    let from_front = if index < 0 { index.saturating_add(size as i64) } else { index };
    usize::try_from(from_front).ok().filter(|&at| at < size)
}

/// Attribute `attribute`, an axis of a constant of `rank` dimensions, counted from the front.
pub(super) fn from_front(
    attribute: &'static str,
    axis: i64,
    rank: usize,
) -> Result<usize, NodeError> {
    place(axis, rank).ok_or(NodeError::AttributeValue { attribute, value: axis as f64 })
}

/// What `array` has at `places` of `axis`, of which dimensions `shape` come in its place.
pub(super) fn taken(
    array: &Array,
    axis: usize,
    places: &[usize],
    shape: &[usize],
) -> Result<Array, NodeError> {
    let of = array.shape();
    let inner: usize = of[axis + 1..].iter().product();
    let to = [&of[..axis], shape, &of[axis + 1..]].concat();
    let total = to.iter().try_fold(1usize, |total, &size| total.checked_mul(size));
    let total = total.filter(|&total| total <= MAX_ELEMENTS);
    let wrong = |got| NodeError::OperandShape { index: 0, expected: MAX_ELEMENTS, got };
    let total = total.ok_or(wrong(usize::MAX))?;
    fn pick<T: Copy>(values: &[T], size: usize, places: &[usize], inner: usize) -> Vec<T> {
        let outer = values.chunks(size.max(1) * inner.max(1));
        let rows = outer.flat_map(|of| places.iter().map(move |at| &of[at * inner..][..inner]));
        rows.flatten().copied().collect()
    }
    let size = of[axis];
    let data = match array.data() {
        ArrayData::F32(v) => ArrayData::F32(pick(v, size, places, inner)),
        ArrayData::U8(v) => ArrayData::U8(pick(v, size, places, inner)),
        ArrayData::I8(v) => ArrayData::I8(pick(v, size, places, inner)),
        ArrayData::I32(v) => ArrayData::I32(pick(v, size, places, inner)),
        ArrayData::I64(v) => ArrayData::I64(pick(v, size, places, inner)),
        ArrayData::I16(v) => ArrayData::I16(pick(v, size, places, inner)),
        ArrayData::U16(v) => ArrayData::U16(pick(v, size, places, inner)),
    };
    Array::new(to, data).map_err(|_| wrong(total))
}

/// A function of each of two lists' integers, one of which may be of one.
pub(super) fn pairs(
    node: &NodeView<'_>,
    function: impl Fn(i64, i64) -> i64,
) -> Result<Value, NodeError> {
    let (a, b) = (list(node, 0)?, list(node, 1)?);
    let n = a.len().max(b.len());
    let shape = [0, 1].map(|index| Ok(node.constant(index)?.shape().to_vec()));
    let [of_a, of_b]: [Result<Vec<usize>, NodeError>; 2] = shape;
    let shape = if a.len() >= b.len() { of_a? } else { of_b? };
    for (index, of) in [(0, a), (1, b)] {
        if of.len() != n && of.len() != 1 {
            return Err(NodeError::OperandShape { index, expected: n, got: of.len() });
        }
    }
    let of = |at| function(of_column(a, at), of_column(b, at));
    integers(shape, (0..n).map(of).collect())
}

/// Whether operand `index` is constant floats, dequantized or not.
pub(super) fn is_floats(node: &NodeView<'_>, index: usize) -> Result<bool, NodeError> {
    Ok(match node.value(index)? {
        Value::Constant(array) => matches!(array.data(), ArrayData::F32(_)),
        Value::Dequantized(_) => true,
        _ => false,
    })
}

/// A function of each of the floats of operands 0 and 1, [`is_floats`], one of which may be of one.
pub(super) fn floats(
    node: &NodeView<'_>,
    function: impl Fn(f32, f32) -> f32,
) -> Result<Value, NodeError> {
    let (a, b) = (constants::floats_of(node, 0)?, constants::floats_of(node, 1)?);
    let [of_a, of_b] =
        [shape(node.value(0)?), shape(node.value(1)?)].map(Option::unwrap_or_default);
    let (to, other) = if a.len() >= b.len() { (of_a, of_b) } else { (of_b, of_a) };
    let expected = a.len().max(b.len());
    for (index, of, got) in [(0, of_a, a.len()), (1, of_b, b.len())] {
        if got != 1 && of != to {
            return Err(NodeError::OperandShape { index, expected, got });
        }
    }
    let value = |at| function(of_column(&a, at), of_column(&b, at));
    let to = [&vec![1; other.len().saturating_sub(to.len())], to].concat();
    constant(to, (0..expected).map(value).collect())
}

/// A function of each of the floats of operand 0, [`is_floats`].
pub(super) fn each(node: &NodeView<'_>, function: impl Fn(f32) -> f32) -> Result<Value, NodeError> {
    let values = constants::floats_of(node, 0)?;
    let to = shape(node.value(0)?).unwrap_or_default().to_vec();
    constant(to, values.into_iter().map(function).collect())
}

/// Constant floats in `shape`.
fn constant(shape: Vec<usize>, values: Vec<f32>) -> Result<Value, NodeError> {
    let (expected, got) = (shape.iter().product(), values.len());
    let array = Array::new(shape, ArrayData::F32(values));
    array.map(|array| Value::Constant(Rc::new(array))).map_err(|_| NodeError::OperandShape {
        index: 0,
        expected,
        got,
    })
}

/// Where of lists: operand 1's integers where operand 0 is not zero, elsewhere operand 2's.
pub(super) fn chosen(node: &NodeView<'_>) -> Result<Value, NodeError> {
    let (flags, yes, no) = (list(node, 0)?, list(node, 1)?, list(node, 2)?);
    let n = flags.len();
    for (index, of) in [(1, yes), (2, no)] {
        if of.len() != n && of.len() != 1 {
            return Err(NodeError::OperandShape { index, expected: n, got: of.len() });
        }
    }
    let of = |(at, &flag): (usize, &i64)| of_column(if flag != 0 { yes } else { no }, at);
    let shape = node.constant(0)?.shape().to_vec();
    integers(shape, flags.iter().enumerate().map(of).collect())
}

/// A constant, or one of one scale behind a DequantizeLinear, in the shape `to`; nothing of other values.
pub(super) fn reshaped(value: &Value, to: &[usize]) -> Result<Option<Value>, NodeError> {
    let shaped = |array: &Array| {
        let (expected, got) = (to.iter().product(), array.data().len());
        let array = Array::new(to.to_vec(), array.data().clone());
        array.map(Rc::new).map_err(|_| NodeError::OperandShape { index: 0, expected, got })
    };
    Ok(match value {
        Value::Constant(array) => Some(Value::Constant(shaped(array)?)),
        Value::Dequantized(constant) if constant.scales.len() == 1 => {
            let values = shaped(&constant.values)?;
            Some(Value::Dequantized(Rc::new(Dequantized { values, ..(**constant).clone() })))
        }
        _ => None,
    })
}

/// The shape of a constant, or of one behind a DequantizeLinear; nothing of other values.
pub(super) fn shape(value: &Value) -> Option<&[usize]> {
    match value {
        Value::Constant(array) => Some(array.shape()),
        Value::Dequantized(constant) => Some(constant.values.shape()),
        _ => None,
    }
}

/// Operand 0, of `shape`, with dimensions of one more.
pub(super) fn unsqueeze(node: &NodeView<'_>, shape: &[usize]) -> Result<Value, NodeError> {
    let axes = node.integers("axes", 1)?;
    let axes = axes.ok_or(NodeError::MissingAttribute { attribute: "axes" })?;
    let rank = shape.len() + axes.len();
    let axes = axes.iter().map(|&axis| from_front("axes", axis, rank));
    let axes = axes.collect::<Result<Vec<_>, _>>()?;
    let mut sizes = shape.iter();
    let size = |dim| if axes.contains(&dim) { Some(1) } else { sizes.next().copied() };
    let to = (0..rank).filter_map(size).collect::<Vec<_>>();
    reshaped(node.value(0)?, &to)?.ok_or(shapes::NOT_COMPUTED)
}

/// Operand 0, a list of one integer, as that.
pub(super) fn squeeze(node: &NodeView<'_>) -> Result<Value, NodeError> {
    let values = list(node, 0)?.to_vec();
    integers(vec![], values)
}

/// The lists one after the other.
pub(super) fn concat(node: &NodeView<'_>) -> Result<Value, NodeError> {
    let lists = (0..node.inputs()).map(|index| list(node, index));
    let values = lists.collect::<Result<Vec<_>, _>>()?.concat();
    integers(vec![values.len()], values)
}

/// A constant's elements in ranges of some dimensions: each a dimension, a start, a step and a count.
pub(super) fn sliced(
    array: &Array,
    ranges: &[(usize, usize, i64, usize)],
) -> Result<Value, NodeError> {
    let mut array = array.clone();
    for &(axis, start, step, count) in ranges {
        let size = array.shape()[axis];
        let place = |at: usize| usize::try_from(start as i64 + step * at as i64).ok();
        let places = (0..count).map(|at| place(at).filter(|&at| at < size)).collect();
        let places: Option<Vec<usize>> = places;
        let places =
            places.ok_or(NodeError::OperandShape { index: 0, expected: size, got: start })?;
        array = taken(&array, axis, &places, &[count])?;
    }
    Ok(Value::Constant(Rc::new(array)))
}
