//! Floats that a matmul reads before any QuantizeLinear: exact sums, or integers of 24 bits between the ends that floats have. Those
//! that a normalization reads, and those of one that an average reads, have 16.

use super::exact::{Exact, Integers, OFF, multiples};
use super::{Deferred, Kind, stem};
use crate::graph::{Edges, Epilogue, Function, TensorId, TensorKind, WordType, signed_bits};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::matrix::Matrix;
use crate::onnx::precision::Off;
use crate::onnx::rowwise::part;
use crate::onnx::value::{Floats, Scaling, Value};
use crate::onnx::view::View;
use crate::onnx::words::WordFloats;

/// Widest exact sums that are read, in bits.
const WIDEST: u32 = 36;

/// Bits of the largest of a sum that its scales may not be off by, but for a sixteenth.
const BITS: u32 = 24;

/// Digits of what is wider, and half of the numbers that they have.
const DIGITS: u32 = 3;
const SIGNED: i64 = 1 << (8 * DIGITS - 1);

/// More than the bits by which sums are divided: tables have multiples of digits up to `255 * 2^52`.
const WIDEST_SHIFT: u32 = 37;

/// The largest integer of a function of codes.
const LARGEST: i64 = (1 << 15) - 1;

/// Integers at a scale.
#[derive(Debug)]
pub(in crate::onnx) struct Hidden {
    pub(in crate::onnx) view: View,
    pub(in crate::onnx) scale: f32,
}

impl Hidden {
    /// A function of codes as integers: exact where floats are multiples of the scale of the codes, or else of 16 bits. `None` if it
    /// gives no numbers.
    pub(in crate::onnx) fn of(
        builder: &mut Builder,
        name: &str,
        floats: &Floats,
    ) -> Result<Option<Self>, NodeError> {
        let images = &floats.images;
        if images.iter().any(|image| !image.is_finite()) {
            return Ok(None);
        }
        let fine = stem::most(images.iter()) / LARGEST as f32;
        let of_scale = multiples(images, floats.scaling.scale);
        let is_exact = of_scale.is_some();
        let scale = if is_exact { floats.scaling.scale } else { fine };
        let nearest = |x: f32| (f64::from(x) / f64::from(fine)).round_ties_even() as i64;
        let table = of_scale.unwrap_or_else(|| Box::new(images.map(nearest)));
        let view = &floats.codes.view;
        let last = view.rank().saturating_sub(1);
        let is_feature = |dim| dim == last || !view.is_open() && view.is_feature(dim);
        let largest = table.iter().fold(0, |most, value| value.abs().max(most));
        let terms = vec![(Matrix::laid_out(view, is_feature), Function::Table(table))];
        let (columns, bits) = (terms[0].0.size().1, signed_bits(largest));
        let (name, kind) = (part(name, "integers"), TensorKind::Integer { bits });
        let y = builder.combine(&name, columns, terms, kind, Epilogue::Accumulator)?;
        if !is_exact {
            builder.precision.set(y, Off::of(0.5));
        }
        Ok(Some(Self { view: View::new(y, &view.shape(), is_feature), scale }))
    }
}

impl Deferred {
    /// The floats as integers, if they are averages or a sum; nodes have names that begin with `name`.
    pub(in crate::onnx) fn hidden(
        &self,
        builder: &mut Builder,
        name: &str,
    ) -> Result<Option<Hidden>, NodeError> {
        if !self.pools.is_empty() {
            return Ok(None);
        }
        if let Kind::Average(average) = &self.kind
            && self.is_unbounded()
            && signed_bits(average.bound()) <= WIDEST
        {
            let sums = average.sums(builder, &part(name, "sums"))?;
            let scale = (average.scale() / average.count as f64) as f32;
            return Ok(Some(Hidden { view: self.view.on(sums), scale }));
        }
        if let Kind::Applied(applied) = &self.kind {
            return applied.hidden(builder, name, self);
        }
        let Some((sum, seen)) = self.sum(&part(name, "hidden")) else { return Ok(None) };
        let [low, high] = stem::exact(&sum);
        // Bounds but that of a Relu are those of no integers.
        if self.low != 0.0 && self.low > low || self.high < high {
            return Ok(None);
        }
        let low = low.max(self.low);
        let most = f64::from(low.abs().max(high).max(f32::MIN_POSITIVE));
        let unit = sum.unit(OFF * most / (1i64 << BITS) as f64)?;
        let relu = self.low == 0.0;
        let of = sum.integers(builder, unit)?;
        let bits = signed_bits(sum.bound(unit));
        let (tensor, scale) = if bits <= WIDEST && of.constant == 0 {
            let (name, kind) = (part(&sum.name, "sum"), TensorKind::Integer { bits });
            let sums = builder.combine(&name, of.columns, of.terms, kind, Epilogue::Accumulator)?;
            let tensor = if relu { builder.relu(&part(&sum.name, "relu"), sums) } else { sums };
            (tensor, unit)
        } else {
            let last = if low < 0.0 { SIGNED } else { 2 * SIGNED } - 1;
            rounded(builder, &sum, of, most / last as f64, low < 0.0)?
        };
        Ok(Some(Hidden { view: seen.on(tensor), scale: scale as f32 }))
    }
}

impl Deferred {
    /// What a normalization gives, before any QuantizeLinear, as [`Self::in_words`]; others as they are.
    pub(in crate::onnx) fn rounded(
        &self,
        builder: &mut Builder,
        name: &str,
    ) -> Result<Value, NodeError> {
        let words = match &self.kind {
            Kind::Normalization(_) | Kind::WordNormalization(_) => self.in_words(builder, name)?,
            _ => None,
        };
        Ok(words.map_or_else(|| Value::Deferred(self.clone()), Value::WordFloats))
    }

    /// The floats rounded to 16 bits between the ends that they have, for a normalization; `None` where none are known.
    pub(in crate::onnx) fn in_words(
        &self,
        builder: &mut Builder,
        name: &str,
    ) -> Result<Option<WordFloats>, NodeError> {
        let ends = match &self.kind {
            _ if !self.pools.is_empty() => None,
            Kind::Normalization(rows) => Some(rows.columns.followed(&self.after)?.ends()),
            Kind::WordNormalization(rows) => Some(rows.columns.followed(&self.after)?.ends()),
            kind if self.after.is_empty() => stem::ends(kind),
            _ => None,
        };
        let Some(ends) = ends else { return Ok(None) };
        let [low, high] = ends.map(|end| end.max(self.low).min(self.high));
        let (low, high) = (low.min(0.0), high.max(0.0));
        let scale = (high - low) / 65535.0;
        if !(scale.is_finite() && scale > 0.0) {
            return Ok(None);
        }
        let scaling = Scaling { scale, zero_point: (-low / scale).round_ties_even() as i32 };
        let words = self.words(builder, &part(name, "rounded"), scaling, WordType::U16)?;
        let (low, high) = (f32::NEG_INFINITY, f32::INFINITY);
        Ok(Some(WordFloats { words, scaling, low, high }))
    }
}

/// The integers `of` of `sum` rounded to three digits: in multiples of the least power of two times their unit that is at least `scale`.
/// Gives the integers, which may be `signed`, and their scale.
fn rounded(
    builder: &mut Builder,
    sum: &Exact,
    of: Integers,
    scale: f64,
    signed: bool,
) -> Result<(TensorId, f64), NodeError> {
    let Integers { mut terms, constant, unit, columns } = of;
    let shift = (0..WIDEST_SHIFT).find(|shift| unit * (1i64 << shift) as f64 >= scale);
    let shift = shift.ok_or(NodeError::NoTables)?;
    let least = if signed { -SIGNED } else { 0 };
    // The last digit's steps are finer than what the integers may be off.
    let off = builder.precision.of_sum(&terms, columns).most / (1i64 << shift) as f64;
    let tensors: Vec<TensorId> = terms.iter().map(|(matrix, _)| matrix.view.tensor).collect();
    let aside = builder.precision.set_aside(tensors.into_iter());
    let edge = |value: f64| (value - 0.5 + least as f64) * (1i64 << shift) as f64 - constant as f64;
    let layout = &sum.layout;
    let read = |y| Matrix::laid_out(&layout.on(y), |dim| layout.is_feature(dim));
    let name = |name: &str, at: u32| part(&sum.name, &format!("{name}{at}"));
    let mut digits = Vec::with_capacity(DIGITS as usize);
    for at in (0..DIGITS).rev() {
        let edges =
            Edges::rising(0, 255, |code| edge(f64::from(code) * f64::from(1u32 << (8 * at))));
        let (all, epilogue) = (terms.clone(), Epilogue::Edges(vec![edges]));
        let digit =
            builder.combine(&name("digit", at), columns, all, TensorKind::Code, epilogue)?;
        let counts = move |code: i64| code << (8 * at);
        digits.push((
            read(digit),
            Function::table(move |code| counts(code) + if at == 0 { least } else { 0 }),
        ));
        // What it counts is taken off before the next.
        let shift = shift + 8 * at;
        if at == 0 {
            break;
        }
        terms.push((read(digit), Function::table(move |code| -(code << shift))));
    }
    let kind = TensorKind::Integer { bits: 8 * DIGITS + 1 };
    let (name, epilogue) = (part(&sum.name, "integers"), Epilogue::Accumulator);
    let integers = builder.combine(&name, columns, digits, kind, epilogue)?;
    builder.precision.put_back(aside);
    builder.precision.set(integers, Off::of(0.5 + off));
    Ok((integers, unit * (1i64 << shift) as f64))
}
