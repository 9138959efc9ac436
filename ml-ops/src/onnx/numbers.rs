//! Inputs of whole numbers: ids, which a table has a row for, and masks of zeros and ones.

use super::arithmetic::uniform;
use super::builder::Builder;
use super::constants;
use super::deferred::{Deferred, Embedded, Kind};
use super::error::NodeError;
use super::matrix::Matrix;
use super::node::NodeView;
use super::one_hot::one_hot;
use super::operands::{codes_of, integers};
use super::value::{Codes, Dequantized, Floats, Scaling, Value};
use super::view::View;
use crate::array::{Array, ArrayData};
use crate::graph::{InputTransform, MAX_ELEMENTS};
use std::borrow::Cow;
use std::rc::Rc;

/// Numbers of a mask.
const FLAGS: usize = 2;

/// The floats of an input of zeros and ones.
pub(super) fn floats(builder: &mut Builder, view: &View) -> Result<Floats, NodeError> {
    let transform = InputTransform::Numbers { count: FLAGS };
    Ok(of_flags(builder.quantized_input(transform, view.clone())?))
}

/// The floats of codes 0 and 1.
pub(super) fn of_flags(codes: Codes) -> Floats {
    Floats { pure: false, ..Floats::of(codes, Scaling { scale: 1.0, zero_point: 0 }) }
}

/// Floats that are a function of an input's numbers as that function; others as they are.
pub(super) fn of_input(builder: &Builder, floats: &Floats) -> Floats {
    let (codes, function) = floats.codes.function();
    if floats.codes.origin.is_none() || !builder.is_of_numbers(codes.view.tensor) {
        return floats.clone();
    }
    let images = Box::new(function.map(|code| floats.images[usize::from(code)]));
    Floats { codes, images, pure: false, direct: false, fused: None, ..floats.clone() }
}

/// Operands 0 and 1, those of whole numbers as floats.
pub(super) fn operands<'a>(
    builder: &mut Builder,
    node: &NodeView<'a>,
) -> Result<[Cow<'a, Value>; 2], NodeError> {
    let values = [node.value(0)?, node.value(1)?];
    let is_of_numbers = values.iter().any(|value| is_of_numbers(builder, value));
    let as_floats = |builder: &mut Builder, value: &'a Value| match value {
        Value::NumberInput(view) => {
            Ok::<_, NodeError>(Cow::Owned(Value::Floats(floats(builder, view)?)))
        }
        Value::Constant(array) if is_of_numbers => Ok(match real(array) {
            Some(array) => Cow::Owned(Value::Constant(Rc::new(array))),
            None => Cow::Borrowed(value),
        }),
        value => Ok(Cow::Borrowed(value)),
    };
    Ok([as_floats(builder, values[0])?, as_floats(builder, values[1])?])
}

/// Whether a value is of an input of zeros and ones.
fn is_of_numbers(builder: &Builder, value: &Value) -> bool {
    match value {
        Value::NumberInput(_) => true,
        Value::Floats(floats) => builder.is_of_numbers(floats.codes.view.tensor),
        _ => false,
    }
}

/// A constant of integers as floats.
fn real(array: &Array) -> Option<Array> {
    let values = match array.data() {
        ArrayData::I64(values) => values.iter().map(|&value| value as f32).collect(),
        ArrayData::I32(values) => values.iter().map(|&value| value as f32).collect(),
        _ => return None,
    };
    Array::new(array.shape().to_vec(), ArrayData::F32(values)).ok()
}

/// What `holds` says of each element of operand 0 and the number that is operand 1, or the other way around.
pub(super) fn flags(
    builder: &mut Builder,
    node: &NodeView<'_>,
    holds: impl Fn(f32, f32) -> bool,
) -> Result<Option<Value>, NodeError> {
    let [a, b] = operands(builder, node)?;
    let flag = |holds: bool| f32::from(u8::from(holds));
    Ok(match (&*a, &*b) {
        (Value::Floats(x), Value::Constant(to)) => {
            let to = number(to, 1)?;
            Some(Value::Flags(x.map(|x| flag(holds(x, to)))))
        }
        (Value::Constant(of), Value::Floats(y)) => {
            let of = number(of, 0)?;
            Some(Value::Flags(y.map(|y| flag(holds(of, y)))))
        }
        _ => None,
    })
}

/// The one float of a constant, operand `index`.
fn number(constant: &Array, index: usize) -> Result<f32, NodeError> {
    match constant.data() {
        ArrayData::F32(values) => uniform(values, index),
        _ => Err(NodeError::OperandType { index }),
    }
}

/// A table, operand 0 of a Gather of its rows.
pub(super) struct Table<'a> {
    values: &'a Array,
    of: Entries,
}

/// What a table has.
enum Entries {
    /// 8-bit integers, with scale and zero point if they have been dequantized.
    Integers(Option<Scaling>),
    /// Floats, which a QuantizeLinear is to follow on.
    Floats(Vec<f32>),
}

impl<'a> Table<'a> {
    /// That of a constant, or of one behind a DequantizeLinear.
    pub(super) fn of(value: &'a Value) -> Result<Self, NodeError> {
        let floats = || constants::floats_in(value, 0).map(Entries::Floats);
        match value {
            Value::Constant(values) => Ok(match values.data() {
                ArrayData::F32(_) => Self { values, of: floats()? },
                _ => Self { values, of: Entries::Integers(None) },
            }),
            Value::Dequantized(constant) => {
                let Dequantized { values, scales, zero_points, .. } = &**constant;
                let zeros = match zero_points.as_deref() {
                    Some(zeros) => integers(zeros).ok_or(NodeError::OperandType { index: 0 })?,
                    None => vec![0],
                };
                let of = match (uniform(scales, 0), uniform(&zeros, 0), codes_of(values)) {
                    (Ok(scale), Ok(zero_point), Some(_)) => {
                        Entries::Integers(Some(Scaling { scale, zero_point }))
                    }
                    _ => floats()?,
                };
                Ok(Self { values, of })
            }
            _ => Err(NodeError::Operand { index: 0, expected: "a constant" }),
        }
    }

    /// The rows of the table that the numbers of an input, or of an ArgMax, seen as `ids`, are those of: products with a 1
    /// among zeros.
    pub(super) fn embedded(
        self,
        builder: &mut Builder,
        name: &str,
        ids: &Value,
    ) -> Result<Value, NodeError> {
        let view = match ids {
            Value::NumberInput(ids) | Value::Integers(ids, _) => ids,
            Value::Counted(counted) => &counted.view,
            _ => return Err(NodeError::OperandType { index: 1 }),
        };
        let &[rows, width] = self.values.shape() else {
            let got = self.values.shape().len();
            return Err(NodeError::OperandShape { index: 0, expected: 2, got });
        };
        let tokens = view.elements();
        let fits = rows > 0 && width > 0 && rows.max(width) <= MAX_ELEMENTS / tokens;
        if !fits {
            return Err(NodeError::OperandShape { index: 0, expected: 1, got: rows });
        }
        let x = match ids {
            Value::Counted(counted) => counted.one_hot(builder, name, rows)?,
            Value::Integers(ids, _) => one_hot(builder, name, ids, rows)?,
            // Rows of an input's tensor are numbers as the input has them; of one number they are so always.
            _ if tokens != 1 && Matrix::rows_and_columns(view, 0).in_order().is_none() => {
                return Err(NodeError::NoView { index: 1 });
            }
            _ => builder.one_hot_input(view, rows)?,
        };
        let (mut shape, last) = (view.shape(), view.rank());
        shape.push(width);
        let view = View::new(0, &shape, |dim| dim == last);
        let scaling = match self.of {
            Entries::Integers(scaling) => scaling,
            Entries::Floats(table) => {
                let name = name.to_owned();
                let rows = Embedded { name, x, tokens, size: (rows, width), table };
                return Ok(Value::Deferred(Deferred::new(Kind::Embedded(Rc::new(rows)), view)));
            }
        };
        let (codes, dtype) = codes_of(self.values).ok_or(NodeError::OperandType { index: 0 })?;
        let y = builder.embedding(name, x, tokens, (rows, width), &codes);
        let codes = Codes { view: view.on(y), dtype, quantized: false, origin: None };
        let Some(scaling) = scaling else { return Ok(Value::Codes(codes)) };
        Ok(Value::Floats(Floats { direct: true, ..Floats::of(codes, scaling) }))
    }
}
