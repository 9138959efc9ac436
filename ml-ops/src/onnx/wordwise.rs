//! Maxima, averages and products of 16-bit tensors, in their digits.

use super::arithmetic;
use super::builder::Builder;
use super::concatenated::{self, Around};
use super::constants;
use super::deferred::{Deferred, Kind, Summed, WordTensors};
use super::error::NodeError;
use super::heads::Heads;
use super::matrix::Matrix;
use super::node::NodeView;
use super::pairs::{self, Aligned};
use super::rowwise::{Summand, part};
use super::value::{Dequantized, Floats, Scaling, Value};
use super::view::View;
use super::windows::Pool;
use super::words::{Digits, WordFloats, Words};
use crate::array::ArrayData;
use crate::graph::{Edges, Epilogue, Function, GatherDim, TensorKind, WordType};
use std::borrow::Cow;
use std::rc::Rc;

/// The largest value in each window of each of the first dimension's elements.
pub(super) fn max(
    builder: &mut Builder,
    name: &str,
    words: &Words,
    pool: &Pool,
) -> Result<Words, NodeError> {
    let [high, low] = words.codes(builder, &part(name, "digits"))?;
    let largest = pool.max(builder, &part(name, "high"), &high)?;
    let (channels, taps) = (high.size(0), pool.taps());
    // Low digits count where the high one is the largest.
    let of_largest = Matrix {
        rows: largest.dims[1..].concat(),
        cols: [largest.digits(0), vec![GatherDim { size: taps, axis: None, step: 0 }]].concat(),
        view: largest.clone(),
        pad: None,
    };
    let high = pool.see(builder, &part(name, "seen"), &high)?.matrix(Some(0));
    let low = pool.see(builder, &part(name, "seen"), &low)?.matrix(Some(0));
    let rows = high.size().0;
    let terms = vec![
        (high, Function::table(|code| 256 * code)),
        (of_largest, Function::table(|code| -256 * code)),
        (low, Function::table(|code| code)),
    ];
    let epilogue = Epilogue::Edges(vec![Edges::clamped()]);
    let kind = TensorKind::Code;
    let beside = builder.combine(&part(name, "beside"), channels * taps, terms, kind, epilogue)?;
    let beside = View::new(beside, &[channels * taps, rows], |dim| dim == 0);
    let matrix = Matrix { pad: Some(0), ..Matrix::laid_out(&beside, |dim| dim == 0) };
    let low = builder.max(&part(name, "low"), channels, &matrix)?;
    let digits = Digits::Two([largest, pool.output(channels).on(low)]);
    Ok(Words { dtype: words.dtype, digits })
}

/// The averages over windows of the dimensions after the first, beyond which there are zeros.
pub(super) fn average(
    builder: &mut Builder,
    name: &str,
    floats: &WordFloats,
    pool: &Pool,
) -> Result<Value, NodeError> {
    let channels = floats.words.view().size(0);
    let means = Means { columns: channels, taps: pool.taps(), count: pool.taps() };
    let read = |view: &View, zero: u8| {
        let pad = pool.beyond.then_some(zero);
        pool.through(view.clone()).map(|seen| seen.matrix(pad))
    };
    means.of(builder, name, floats, read, pool.output(channels))
}

/// Sums of values divided by a number.
pub(super) struct Means {
    pub(super) columns: usize,
    /// Values that each is of.
    pub(super) taps: usize,
    pub(super) count: usize,
}

impl Means {
    /// Those of what `read` gives of each digit, beside the code that stands for its zero, seen as `output`.
    pub(super) fn of(
        &self,
        builder: &mut Builder,
        name: &str,
        floats: &WordFloats,
        read: impl Fn(&View, u8) -> Option<Matrix>,
        output: View,
    ) -> Result<Value, NodeError> {
        let factors = factors(builder, &part(name, "digits"), &Value::WordFloats(floats.clone()))?;
        let wrong = NodeError::Operand { index: 0, expected: "a dequantized tensor" };
        let (digits, scale) = factors.ok_or(wrong)?;
        let term = |(view, zero, counts): &(View, u8, i64)| {
            let (zero, counts) = (*zero, *counts);
            let matrix = read(view, zero).ok_or(NodeError::NoView { index: 0 })?;
            Ok((matrix, Function::table(move |code| counts * (code - i64::from(zero)))))
        };
        let terms = digits.iter().map(term).collect::<Result<Vec<_>, NodeError>>()?;
        let (unit, bound) = (f64::from(scale) / self.count as f64, 65535.0 * self.taps as f64);
        let (name, columns) = (name.to_owned(), self.columns);
        let sums = Summed { name, terms, columns, unit, bound };
        Ok(Value::Deferred(Deferred::new(Kind::Summed(Rc::new(sums)), output)))
    }
}

/// A tensor with `pads` positions before and after each dimension.
pub(super) fn around(
    builder: &mut Builder,
    name: &str,
    floats: &WordFloats,
    pads: &[(usize, usize)],
    around: Around<f32>,
) -> Result<Words, NodeError> {
    if !floats.is_pure() {
        return Err(NodeError::Operand { index: 0, expected: "a dequantized tensor" });
    }
    let (Scaling { scale, zero_point }, dtype) = (floats.scaling, floats.words.dtype);
    let mut outside = 0;
    if let Around::Constant(number) = around {
        let value = dtype.quantize(number, scale, zero_point);
        if WordType::dequantize(value, scale, zero_point) != number {
            return Err(NodeError::NotOnGrid { index: 2, value: number });
        }
        outside = (value - i64::from(dtype.min())) as u16;
    }
    let [high, low] = floats.words.codes(builder, &part(name, "digits"))?;
    let of = outside.to_be_bytes();
    let mut placed = |part_name: &str, view: &View, code: u8| {
        let around = around.map(|_| code);
        concatenated::around(builder, &part(name, part_name), view, pads, around)
    };
    let digits = Digits::Two([placed("high", &high, of[0])?, placed("low", &low, of[1])?]);
    Ok(Words { dtype, digits })
}

/// Operands 0 and 1, one of them of 16 bits: a constant of many values is a tensor too, and both have one shape.
pub(super) fn beside<'a>(
    builder: &mut Builder,
    node: &NodeView<'_>,
    [mut a, mut b]: [Cow<'a, Value>; 2],
) -> Result<[Cow<'a, Value>; 2], NodeError> {
    if let Value::Dequantized(constant) = &*b
        && let Some(made) = tensor(builder, node, &a, constant, 1)?
    {
        b = Cow::Owned(made);
    } else if let Value::Dequantized(constant) = &*a
        && let Some(made) = tensor(builder, node, &b, constant, 0)?
    {
        a = Cow::Owned(made);
    }
    let is_tensor = |value: &Value| matches!(value, Value::WordFloats(_) | Value::Floats(_));
    let is_word = |value: &Value| matches!(value, Value::WordFloats(_));
    if is_tensor(&a) && is_tensor(&b) && (is_word(&a) || is_word(&b)) {
        let shapes = [&a, &b].map(|value| value.view().map(View::shape).unwrap_or_default());
        let stretched = |value: Cow<'a, Value>, shape: &[usize]| match stretched(&value, shape) {
            Some(value) => Cow::Owned(value),
            None => value,
        };
        return Ok([stretched(a, &shapes[1]), stretched(b, &shapes[0])]);
    }
    Ok([a, b])
}

/// Operand `index`, a constant of many values beside the floats `x`, as a tensor, if either has 16 bits.
fn tensor(
    builder: &mut Builder,
    node: &NodeView<'_>,
    x: &Value,
    constant: &Dequantized,
    index: usize,
) -> Result<Option<Value>, NodeError> {
    let is_word = matches!(constant.values.data(), ArrayData::U16(_) | ArrayData::I16(_));
    let view = match x {
        Value::WordFloats(floats) => floats.words.view(),
        Value::Floats(floats) if is_word => &floats.codes.view,
        _ => return Ok(None),
    };
    // One number is a function of each element.
    if arithmetic::is_number(node.value(index)?) {
        return Ok(None);
    }
    let name = part(node.name, "constant");
    Ok(Some(match is_word {
        true => Value::WordFloats(constants::words(builder, &name, view, constant, index)?),
        false => Value::Floats(constants::dequantized(builder, &name, view, constant, index)?),
    }))
}

/// A tensor with dimensions of size 1 repeated as `shape` has them; `None` where there are none, or other sizes.
fn stretched(value: &Value, shape: &[usize]) -> Option<Value> {
    let own = value.view()?.shape();
    let sizes = own.iter().zip(shape).enumerate();
    let repeated: Vec<(usize, usize)> = sizes
        .filter(|(_, (own, other))| **own == 1 && **other > 1)
        .map(|(dim, of)| (dim, *of.1))
        .collect();
    if own.len() != shape.len() || repeated.is_empty() {
        return None;
    }
    let change = |view: &View| {
        Some(repeated.iter().fold(view.clone(), |view, &(dim, size)| view.repeated(dim, size)))
    };
    value.renumbered(change)
}

/// Codes of which each counts, with the code that stands for zero.
type Factors = Vec<(View, u8, i64)>;

/// A dequantized tensor, one of 16 bits in two digits, and its scale.
fn factors(
    builder: &mut Builder,
    name: &str,
    value: &Value,
) -> Result<Option<(Factors, f32)>, NodeError> {
    Ok(match value {
        Value::WordFloats(floats) if floats.is_pure() => {
            let Scaling { scale, zero_point } = floats.scaling;
            let [high, low] = floats.words.codes(builder, name)?;
            let zero = (zero_point - floats.words.dtype.min()) as u16;
            let [of_high, of_low] = zero.to_be_bytes();
            Some((vec![(high, of_high, 256), (low, of_low, 1)], scale))
        }
        Value::Floats(floats) if floats.pure => {
            let Floats { codes, scaling, .. } = floats;
            Some((vec![(codes.view.clone(), floats.zero_code(), 1)], scaling.scale))
        }
        _ => None,
    })
}

/// The matmul of operands 0 and 1, dequantized tensors of which one has 16 bits; `None` of others.
pub(super) fn matmul(
    builder: &mut Builder,
    node: &NodeView<'_>,
) -> Result<Option<Value>, NodeError> {
    let operands = [node.value(0)?, node.value(1)?];
    let is_tensor = |value: &&Value| match value {
        Value::WordFloats(floats) => floats.is_pure(),
        Value::Floats(floats) => floats.pure,
        _ => false,
    };
    let is_word = |value: &&Value| matches!(value, Value::WordFloats(_));
    if !operands.iter().all(is_tensor) || !operands.iter().any(is_word) {
        return Ok(None);
    }
    let mut scale = 1.0;
    let mut operand = |index: usize| -> Result<(View, u8, i64), NodeError> {
        match operands[index] {
            Value::WordFloats(WordFloats { words, scaling, .. }) => {
                scale *= f64::from(scaling.scale);
                let name = part(node.name, ["left", "right"][index]);
                let (view, most) = words.centred(builder, &name, scaling.zero_point)?;
                Ok((view, 0, most))
            }
            Value::Floats(floats) => {
                scale *= f64::from(floats.scaling.scale);
                let zero = floats.zero_code();
                Ok((floats.codes.view.clone(), zero, zero.max(255 - zero).into()))
            }
            _ => Err(NodeError::Operand { index, expected: "a dequantized tensor" }),
        }
    };
    let ((a, of_a, most), (b, of_b, other)) = (operand(0)?, operand(1)?);
    let (heads, output) = Heads::new(node, [&a, &b], [of_a, of_b], 1)?;
    let product = WordTensors { heads: heads.of_sizes([most, other]), scale };
    Ok(Some(Value::Deferred(Deferred::new(Kind::WordTensors(Rc::new(product)), output))))
}

/// The product of two dequantized tensors, one of which has 16 bits, element by element; `None` of others.
pub(super) fn product(
    builder: &mut Builder,
    name: &str,
    [a, b]: [&Value; 2],
) -> Result<Option<Value>, NodeError> {
    if !matches!(a, Value::WordFloats(_)) && !matches!(b, Value::WordFloats(_)) {
        return Ok(None);
    }
    let of_a = factors(builder, &part(name, "first"), a)?;
    let of_b = factors(builder, &part(name, "second"), b)?;
    let (Some((of_a, scale)), Some((of_b, other))) = (of_a, of_b) else { return Ok(None) };
    let mut terms: Vec<Summand> = Vec::with_capacity(4);
    let mut seen = None;
    for (x, zero, counts) in &of_a {
        for (y, of_other, times) in &of_b {
            let Aligned { a, b, output, .. } = pairs::aligned(x, y, 1)?;
            let function = builder.source(&b, false)?.factor([*zero, *of_other], counts * times);
            terms.push((a, function));
            seen = Some(output);
        }
    }
    let Some(output) = seen else { return Ok(None) };
    let (name, columns) = (name.to_owned(), terms[0].0.size().1);
    let unit = f64::from(scale) * f64::from(other);
    let most = |of: &Factors| if of.len() == 2 { 65535.0 } else { 255.0 };
    let bound = most(&of_a) * most(&of_b);
    let sums = Summed { name, terms, columns, unit, bound };
    Ok(Some(Value::Deferred(Deferred::new(Kind::Summed(Rc::new(sums)), output))))
}
