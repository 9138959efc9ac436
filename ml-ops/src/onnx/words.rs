//! Tensors of 16 bits: integers, or two codes for each, and the floats that a DequantizeLinear makes of them.

use super::builder::Builder;
use super::deferred::{Addend, Applied, Deferred, Exact, ExactTerm, Kind};
use super::error::NodeError;
use super::matrix::Matrix;
use super::rowwise::{self, Summand};
use super::steps;
use super::value::{Codes, Scaling};
use super::view::View;
use crate::graph::{
    self, CodeType, Edges, Epilogue, Function, TensorId, TensorKind, WordType, quantize,
    signed_bits,
};
use std::rc::Rc;

/// Largest value of a table, and factor.
pub(super) const MAX_IMAGE: f64 = graph::MAX_IMAGE as f64;

/// Units that a code has at least, where they are no whole ones.
const FINE: f64 = 512.0;

/// Bits by which units are finer than those of a sum, at most.
const MOST_SHIFT: u32 = 12;

/// The least and the largest digit.
pub(super) const ALL: (u8, u8) = (0, 255);

/// A 16-bit tensor.
#[derive(Debug, Clone)]
pub(super) struct Words {
    pub(super) dtype: WordType,
    pub(super) digits: Digits,
}

/// What holds the values of a 16-bit tensor.
#[derive(Debug, Clone)]
pub(super) enum Digits {
    /// Integers.
    One(View),
    /// Codes: a value is the type's least, and the second, and 256 times the first.
    Two([View; 2]),
}

/// Floats that are a DequantizeLinear of a 16-bit tensor, clamped.
#[derive(Debug, Clone)]
pub(super) struct WordFloats {
    pub(super) words: Words,
    pub(super) scaling: Scaling,
    /// Bounds of the Relu and Clip that have come since.
    pub(super) low: f32,
    pub(super) high: f32,
}

impl Words {
    /// 256 times the codes of an 8-bit tensor.
    pub(super) fn of_codes(builder: &mut Builder, name: &str, codes: &View) -> Self {
        let zeros = builder.map(&rowwise::part(name, "zeros"), codes.tensor, &[0; 256]);
        let digits = Digits::Two([codes.clone(), codes.on(zeros)]);
        Self { dtype: WordType::U16, digits }
    }

    /// How the elements are seen.
    pub(super) fn view(&self) -> &View {
        match &self.digits {
            Digits::One(view) | Digits::Two([view, _]) => view,
        }
    }

    /// The same elements seen as `change` says, where it does.
    pub(super) fn see(&mut self, change: impl Fn(&View) -> Option<View>) -> Option<()> {
        match &mut self.digits {
            Digits::One(view) => *view = change(view)?,
            Digits::Two(views) => {
                for view in views {
                    *view = change(view)?;
                }
            }
        }
        Some(())
    }

    /// `factor` times each value, less a constant, as a sum: what is read, and the constant.
    pub(super) fn times(&self, factor: i64, read: impl Fn(&View) -> Matrix) -> (Vec<Summand>, i64) {
        match &self.digits {
            Digits::One(view) => (vec![(read(view), Function::Times(factor))], 0),
            Digits::Two([high, low]) => {
                let of = |view, factor: i64| {
                    (read(view), Function::table(move |code| factor.saturating_mul(code)))
                };
                let terms = vec![of(high, factor.saturating_mul(256)), of(low, factor)];
                (terms, factor.saturating_mul(self.dtype.min().into()))
            }
        }
    }

    /// The tensor as integers.
    pub(super) fn integers(&self, builder: &mut Builder, name: &str) -> Result<View, NodeError> {
        let Digits::Two([high, low]) = &self.digits else { return Ok(self.view().clone()) };
        let is_feature = |dim| high.is_feature(dim);
        let of = |view, function| (Matrix::laid_out(view, is_feature), function);
        let least = i64::from(self.dtype.min());
        let terms = vec![
            of(high, Function::table(|code| 256 * code + least)),
            of(low, Function::table(|code| code)),
        ];
        let columns = terms[0].0.size().1;
        let kind = self.dtype.kind();
        let y = builder.combine(name, columns, terms, kind, Epilogue::Accumulator)?;
        Ok(View::new(y, &high.shape(), is_feature))
    }

    /// The tensor as integers less `zero_point`, and the largest of them in size.
    pub(super) fn centred(
        &self,
        builder: &mut Builder,
        name: &str,
        zero_point: i32,
    ) -> Result<(View, i64), NodeError> {
        let [low, high] =
            [self.dtype.min(), self.dtype.max()].map(|end| i64::from(end - zero_point));
        let most = high.max(-low);
        if let (Digits::One(view), 0) = (&self.digits, zero_point) {
            return Ok((view.clone(), most));
        }
        let digits = self.codes(builder, &rowwise::part(name, "digits"))?;
        let is_feature = |dim| digits[0].is_feature(dim);
        let of = |view, function| (Matrix::laid_out(view, is_feature), function);
        let terms = vec![
            of(&digits[0], Function::table(|code| 256 * code + low)),
            of(&digits[1], Function::table(|code| code)),
        ];
        let columns = terms[0].0.size().1;
        let bits = signed_bits(low).max(signed_bits(high));
        let (kind, all) = (TensorKind::Integer { bits }, Epilogue::Accumulator);
        let y = builder.combine(name, columns, terms, kind, all)?;
        Ok((View::new(y, &digits[0].shape(), is_feature), most))
    }

    /// The tensor as two codes for each element, all of the one view's layout.
    pub(super) fn codes(&self, builder: &mut Builder, name: &str) -> Result<[View; 2], NodeError> {
        let view = match &self.digits {
            Digits::One(view) => view,
            Digits::Two(views) => return Ok(views.clone()),
        };
        let last = view.rank().saturating_sub(1);
        let is_feature = |dim| dim == last || !view.is_open() && view.is_feature(dim);
        let seen = |y| View::new(y, &view.shape(), is_feature);
        let terms = vec![(Matrix::laid_out(view, is_feature), Function::Times(1))];
        let (least, columns) = (f64::from(self.dtype.min()), terms[0].0.size().1);
        let read = |y| Matrix::laid_out(&seen(y), is_feature);
        let edge = (|value| value + least, 1.0);
        let found = digits(builder, name, columns, &terms, edge, ALL, read)?;
        Ok(found.map(seen))
    }

    /// The codes that a function of the values, which does not fall, makes.
    fn step(
        &self,
        builder: &mut Builder,
        name: &str,
        code: impl Fn(i64) -> u8,
    ) -> Result<View, NodeError> {
        let view = self.view();
        let is_feature = |dim| view.is_feature(dim);
        let (terms, constant) = self.times(1, |view| Matrix::laid_out(view, is_feature));
        let (least, most) = (i64::from(self.dtype.min()), i64::from(self.dtype.max()));
        let of = |sum: i64| code((sum + constant).clamp(least, most));
        let edges = steps::edges(1 << 17, of).ok_or(NodeError::NotMonotone { column: 0 })?;
        let columns = terms[0].0.size().1;
        let epilogue = Epilogue::Edges(vec![edges]);
        let y = builder.combine(name, columns, terms, TensorKind::Code, epilogue)?;
        Ok(View::new(y, &view.shape(), is_feature))
    }
}

/// `factor` times what is added up, up to what is too large for a graph.
pub(super) fn times((matrix, function): &Summand, factor: i64) -> Summand {
    let function = match function.clone() {
        Function::Table(table) => {
            Function::Table(Box::new(table.map(|image| image.saturating_mul(factor))))
        }
        Function::Times(times) => Function::Times(times.saturating_mul(factor)),
        Function::Product { with, with_gather, zeros, factor: of } => {
            let factor = of.saturating_mul(factor);
            Function::Product { with, with_gather, zeros, factor }
        }
    };
    (matrix.clone(), function)
}

/// The high digits of the bounds `low` and `high`, between which all have every low digit.
pub(super) fn ends(
    (low, high): (f32, f32),
    to: Scaling,
    dtype: WordType,
) -> Result<(u8, u8), NodeError> {
    let digits = |x: f32| {
        let value = dtype.quantize(x, to.scale, to.zero_point) - i64::from(dtype.min());
        (value.div_euclid(256) as u8, value.rem_euclid(256))
    };
    match (digits(low), digits(high)) {
        ((first, 0), (last, 255)) if first <= last => Ok((first, last)),
        _ => Err(NodeError::ClipBounds { low, high }),
    }
}

/// The two digits to base 256 of a sum of `terms` in units of `unit`, the high one between `ends`: `edge` takes a
/// number to the least sum that has it. The digits have `columns` columns, and `read` reads them.
pub(super) fn digits(
    builder: &mut Builder,
    name: &str,
    columns: usize,
    terms: &[Summand],
    (edge, unit): (impl Fn(f64) -> f64, f64),
    (first, last): (u8, u8),
    read: impl Fn(TensorId) -> Matrix,
) -> Result<[TensorId; 2], NodeError> {
    // A high digit's multiple is rounded to an integer, so that units be small parts of a code.
    let is_whole = (256.0 * unit).fract() == 0.0;
    let mut shift = 0;
    while !is_whole && unit * f64::from(1u32 << shift) < FINE && shift < MOST_SHIFT {
        shift += 1;
    }
    let finer = f64::from(1u32 << shift);
    let terms = &terms.iter().map(|term| times(term, 1 << shift)).collect::<Vec<_>>()[..];
    let (unit, edge) = (unit * finer, |value| finer * edge(value));
    let step = |of: f64, first: u8, last: u8| {
        let edges = Edges::rising(first, last, |digit| edge(of * f64::from(digit)));
        Epilogue::Edges(vec![edges])
    };
    let name = |part| rowwise::part(name, part);
    let (kind, all) = (TensorKind::Code, terms.to_vec());
    let of_high = step(256.0, first, last);
    let high = builder.combine(&name("high"), columns, all, kind, of_high)?;
    let taken = |digit: i64| -(256.0 * unit * digit as f64).round_ties_even() as i64;
    if 65280.0 * unit > MAX_IMAGE {
        return Err(NodeError::NoTables);
    }
    let rest = [terms, &[(read(high), Function::table(taken))]].concat();
    let low = builder.combine(&name("low"), columns, rest, kind, step(1.0, 0, 255))?;
    Ok([high, low])
}

impl WordFloats {
    /// The floats clamped to `[low, high]`.
    pub(super) fn clamped(&self, low: f32, high: f32) -> Self {
        let (low, high) = (self.low.clamp(low, high), self.high.clamp(low, high));
        Self { low, high, ..self.clone() }
    }

    /// Whether no Relu or Clip has come.
    pub(super) fn is_pure(&self) -> bool {
        (self.low, self.high) == (f32::NEG_INFINITY, f32::INFINITY)
    }

    /// The floats as those that a QuantizeLinear will make codes of.
    pub(super) fn deferred(&self, name: &str) -> Result<Deferred, NodeError> {
        let sum = Exact::new(name, vec![self.term()])?;
        let output = sum.layout.clone();
        let floats = Deferred::new(Kind::Exact(Rc::new(sum)), output);
        Ok(floats.clamped(self.low, self.high))
    }

    /// The floats of `function` of each.
    pub(super) fn applied(
        &self,
        name: &str,
        function: impl Fn(f32) -> f32 + 'static,
    ) -> Result<Deferred, NodeError> {
        let applied = Applied::map(&self.deferred(name)?, function);
        applied.ok_or(NodeError::Operand { index: 0, expected: "a dequantized tensor" })
    }

    fn float(&self, value: i64) -> f32 {
        let Scaling { scale, zero_point } = self.scaling;
        WordType::dequantize(value, scale, zero_point).max(self.low).min(self.high)
    }

    /// The codes that a QuantizeLinear makes.
    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        name: &str,
        to: Scaling,
        dtype: CodeType,
    ) -> Result<Codes, NodeError> {
        let code = |value| quantize(self.float(value), to.scale, to.zero_point, dtype);
        let view = self.words.step(builder, name, code)?;
        Ok(Codes { view, dtype, quantized: true, origin: None })
    }

    /// The 16-bit tensor that a QuantizeLinear makes.
    pub(super) fn words(
        &self,
        builder: &mut Builder,
        name: &str,
        to: Scaling,
        dtype: WordType,
    ) -> Result<Words, NodeError> {
        if self.is_pure() && to == self.scaling && dtype == self.words.dtype {
            return Ok(self.words.clone());
        }
        let sum = Exact::new(name, vec![self.term()])?;
        let digits = sum.words(builder, (self.low, self.high), to, dtype)?;
        Ok(Words { dtype, digits: Digits::Two(digits.map(|tensor| sum.layout.on(tensor))) })
    }

    /// The floats before their bounds as a summand.
    pub(super) fn term(&self) -> ExactTerm {
        let Scaling { scale, zero_point } = self.scaling;
        let of = Addend::Words { words: self.words.clone(), zero_point };
        ExactTerm { of, scale: scale.into() }
    }
}
