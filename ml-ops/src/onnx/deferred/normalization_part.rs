//! The parts of a normalization between which tensors are quantized: elements less the mean of their row, the mean of the squares of
//! these, and quotients of these or of elements by a function of codes, one a row.

use super::row_sizes::{sum, variance};
use super::{Deferred, Kind, MAX_LENGTH};
use crate::graph::{Edges, Function, TensorId};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::heads;
use crate::onnx::rowwise::{Rowwise, Summand};
use crate::onnx::target::Target;
use crate::onnx::value::Floats;
use crate::onnx::view::View;
use std::rc::Rc;

/// Digits of a reciprocal, which are of the largest.
const DIGITS: u32 = 3;

/// The largest power of two that one over zero, times a row's elements, may be a byte's multiple of.
const MOST: u32 = 33;

/// A dequantized tensor's elements less the mean of their row, or what is made of these.
#[derive(Debug)]
pub(in crate::onnx) struct NormalizationPart {
    x: Rowwise,
    /// The scale of the tensor.
    scale: f64,
    part: Part,
}

#[derive(Debug)]
enum Part {
    Difference,
    Square,
    /// The mean of the squares in each row.
    Variance,
    /// The difference, or the elements of which this code is zero, over what the codes of a tensor, one a row, stand for.
    Quotient {
        zero_code: Option<u8>,
        by: View,
        images: Box<[f32; 256]>,
    },
}

impl NormalizationPart {
    /// `x` less `mean`, if that is its mean along the last dimension.
    pub(in crate::onnx) fn less(name: &str, x: &Floats, mean: &Deferred) -> Option<Deferred> {
        let Kind::Average(of) = &mean.kind else { return None };
        let view = &x.codes.view;
        let (n, mut shape) = (*view.shape().last()?, view.shape());
        *shape.last_mut()? = 1;
        let is_mean = of.weights.is_none() && of.count == n && of.taps() == n;
        let is_of_rows = of.x.view == *view && mean.view.shape() == shape && n <= MAX_LENGTH;
        let is_plain = mean.is_unbounded() && mean.after.is_empty() && x.is_scaled();
        (is_mean && is_of_rows && is_plain).then(|| {
            let (x, scale) = (Rowwise::new(name, view), x.scaling.scale.into());
            Self { x, scale, part: Part::Difference }.deferred()
        })
    }

    /// The square of each element of a difference.
    pub(in crate::onnx) fn squared(name: &str, x: &Deferred) -> Option<Deferred> {
        let of = Self::plain(x).filter(|of| matches!(of.part, Part::Difference))?;
        Some(Self { x: Rowwise::new(name, of.x.view()), part: Part::Square, ..*of }.deferred())
    }

    /// The means of squares along the last dimension.
    pub(in crate::onnx) fn averaged(name: &str, x: &Deferred) -> Option<Deferred> {
        let of = Self::plain(x).filter(|of| matches!(of.part, Part::Square))?;
        Some(Self { x: Rowwise::new(name, of.x.view()), part: Part::Variance, ..*of }.deferred())
    }

    /// A difference over floats of codes, one for each row.
    pub(in crate::onnx) fn over(name: &str, x: &Deferred, by: &Floats) -> Option<Deferred> {
        let of = Self::plain(x).filter(|of| matches!(of.part, Part::Difference))?;
        Self::quotient(Rowwise::new(name, of.x.view()), of.scale, None, by)
    }

    /// A dequantized tensor over floats of codes, one for each row, some of them zero.
    pub(in crate::onnx) fn of_codes(name: &str, x: &Floats, by: &Floats) -> Option<Deferred> {
        let view = &x.codes.view;
        let is_row = view.shape().last().is_some_and(|n| *n > 1);
        (is_row && x.is_scaled() && by.images.contains(&0.0))
            .then(|| Rowwise::new(name, view))
            .and_then(|rows| Self::quotient(rows, x.scaling.scale.into(), Some(x.zero_code()), by))
    }

    fn quotient(x: Rowwise, scale: f64, zero_code: Option<u8>, by: &Floats) -> Option<Deferred> {
        let view = by.codes.view.clone();
        let is_of_rows = view.shape() == x.view_of_rows(0).shape() && x.length() <= MAX_LENGTH;
        let part = Part::Quotient { zero_code, by: view, images: by.images.clone() };
        is_of_rows.then(|| Self { x, scale, part }.deferred())
    }

    /// What floats to which nothing has been done are.
    fn plain(floats: &Deferred) -> Option<&Self> {
        let Kind::NormalizationPart(of) = &floats.kind else { return None };
        let as_made = floats.is_unbounded() && floats.after.is_empty();
        Some(of).filter(|of| as_made && floats.view == of.output()).map(Rc::as_ref)
    }

    fn deferred(self) -> Deferred {
        let output = self.output();
        Deferred::new(Kind::NormalizationPart(Rc::new(self)), output)
    }

    /// How the tensor that is made is seen.
    fn output(&self) -> View {
        match self.part {
            Part::Variance => self.x.view_of_rows(0),
            _ => self.x.output(),
        }
    }

    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let x = self.x.straight(builder)?;
        let n = x.length() as i64;
        let (lowest, highest) = target.ends();
        let steps = |unit: f64| Edges::rising(lowest, highest, |code| target.least(code) / unit);
        match &self.part {
            Part::Square => Err(NodeError::QuantizedParts),
            Part::Difference => {
                let sum = sum(&x, builder)?;
                let terms = vec![
                    (x.elements(), Function::table(|code| n * code)),
                    (x.broadcast(sum), Function::Times(-1)),
                ];
                x.codes(builder, "centred", terms, vec![steps(self.scale / n as f64)])
            }
            Part::Variance => {
                let sum = sum(&x, builder)?;
                let squares = vec![(x.elements(), Function::table(|code| code * code))];
                let squares = x.row_integers(builder, "squares", squares, 255 * 255 * n)?;
                let variance = variance(&x, builder, squares, sum, 16)?;
                let unit = self.scale * self.scale / (n * n) as f64;
                let terms = vec![(x.rows_of(variance), Function::Times(1))];
                x.row_codes(builder, "codes", terms, steps(unit))
            }
            Part::Quotient { zero_code, by, images } => {
                // Differences are counted in parts of a code.
                let parts = if zero_code.is_some() { 1 } else { n };
                // The nearest that one can be to zero is as far as from one end of the output to the other.
                let ends = 256.0 * parts as f64 * target.fineness() / self.scale;
                let by = Reciprocals::new(&x, builder, by, images, ends)?;
                let mut terms = Vec::new();
                if zero_code.is_none() {
                    let factors = [sum(&x, builder)?, by.integers(&x, builder)?];
                    let [sum, over] = factors.map(|of| x.view_of_rows(of));
                    let shift = heads::products_of(builder, &x.part("shift"), [&sum, &over])?;
                    terms.push((x.repeated(&shift), Function::Times(-1)));
                }
                let zeros = [zero_code.unwrap_or(0), 0];
                for (digit, weight) in &by.digits {
                    let with = builder.source(&x.repeated(digit), false)?;
                    terms.push((x.elements(), with.factor(zeros, parts * weight)));
                }
                let unit = self.scale * by.unit / parts as f64;
                x.codes(builder, "quotient", terms, vec![steps(unit)])
            }
        }
    }
}

/// One over a function of codes, one a row, in units: sums of digits times their weights.
struct Reciprocals {
    digits: Vec<(View, i64)>,
    unit: f64,
}

impl Reciprocals {
    /// One over zero, or over what is no number, is `infinite`, as far as there is room.
    fn new(
        x: &Rowwise,
        builder: &mut Builder,
        by: &View,
        images: &[f32; 256],
        infinite: f64,
    ) -> Result<Self, NodeError> {
        if let Some(&value) = images.iter().find(|image| **image < 0.0) {
            return Err(NodeError::NotOnGrid { index: 1, value });
        }
        let over = images.map(|image| if image > 0.0 { 1.0 / f64::from(image) } else { 0.0 });
        let most = over.into_iter().fold(0.0, f64::max);
        if most == 0.0 {
            return Err(NodeError::NotOnGrid { index: 1, value: images[255] });
        }
        let unit = most / f64::from((1 << (8 * DIGITS)) - 1);
        let integers = over.map(|value| (value / unit).round_ties_even() as i64);
        let mut digit =
            |name: &str, table: [u8; 256]| by.on(builder.map(&x.part(name), by.tensor, &table));
        let of_place = |place: u32| {
            let table = integers.map(|value| (value >> (8 * place)) as u8);
            (digit(&format!("reciprocal{place}"), table), 1 << (8 * place))
        };
        let mut digits: Vec<(View, i64)> = (0..DIGITS).map(of_place).collect();
        let room = MOST - x.length().next_power_of_two().ilog2();
        let wanted = |power: &u32| (255.0 * unit) * (1u64 << power) as f64 >= infinite;
        let power = (0..room).find(wanted).unwrap_or(room);
        let is_infinite = images.map(|image| if image > 0.0 { 0 } else { u8::MAX });
        digits.push((digit("infinite", is_infinite), 1 << power));
        Ok(Self { digits, unit })
    }

    /// The integers.
    fn integers(&self, x: &Rowwise, builder: &mut Builder) -> Result<TensorId, NodeError> {
        let (mut terms, mut bound): (Vec<Summand>, i64) = (Vec::new(), 0);
        for (digit, weight) in &self.digits {
            bound += 255 * weight;
            terms.push((x.read_rows(digit), Function::table(|code| code * weight)));
        }
        x.row_integers(builder, "reciprocal", terms, bound)
    }
}
