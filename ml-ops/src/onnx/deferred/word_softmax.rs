//! Softmax of a 16-bit tensor along its last dimension: exponentials of two digits of a distance, by the reciprocal of their sum.

use super::exact::Integers;
use super::inverse::{Number, Power};
use crate::exact::exp;
use crate::graph::{Edges, Function, TensorId, WordType};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::masked::Mask;
use crate::onnx::matrix::Matrix;
use crate::onnx::places;
use crate::onnx::rowwise::{Rowwise, Summand};
use crate::onnx::target::Target;
use crate::onnx::value::Scaling;
use crate::onnx::words::{self, Words};

/// Digits of exponentials and of reciprocals of their sums, and the largest of the numbers that so many have.
const DIGITS: u32 = 3;
const MOST: f64 = 16_777_215.0;

/// Bits of the products of two such numbers that are left out.
const LEFT_OUT: u32 = 16;

/// Bits of the quotients of sums by levels.
const QUOTIENT: u32 = 44;

/// How far the largest element may be from the end of its high digit, so that the largest high digit is enough.
const NEAR: f64 = 1.0;

/// Units that a code has at least.
const FINE: f64 = 2.0;

/// Softmax of a dequantized 16-bit tensor along its last dimension.
#[derive(Debug)]
pub(in crate::onnx) struct WordSoftmax {
    pub(in crate::onnx) x: Rowwise,
    pub(in crate::onnx) words: Words,
    /// Scale of the dequantized tensor.
    pub(in crate::onnx) scale: f32,
    /// The elements that are left out.
    pub(in crate::onnx) mask: Option<Mask>,
}

/// How far elements are below a number of their row, in two digits, and the exponential of each number of the second.
struct Distances {
    high: TensorId,
    low: Matrix,
    of_low: Box<dyn Fn(f64) -> f64>,
    /// The least that the largest exponential of a row is.
    least: f64,
}

impl WordSoftmax {
    /// The 16-bit tensor that a QuantizeLinear makes after bounds, in two codes.
    pub(super) fn words(
        &self,
        builder: &mut Builder,
        bounds: (f32, f32),
        (to, dtype): (Scaling, WordType),
    ) -> Result<[TensorId; 2], NodeError> {
        let ends = words::ends(bounds, to, dtype)?;
        let of = self.integers(builder, to.scale.into())?;
        let name = self.x.part("softmax");
        of.words(builder, &name, ends, (to, dtype), |y| self.x.elements_of(y))
    }

    /// The codes that one makes.
    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let of = self.integers(builder, target.fineness())?;
        of.quantize(builder, &self.x.part("softmax"), target)
    }

    /// The outputs as integers, of which a code has several.
    fn integers(&self, builder: &mut Builder, code: f64) -> Result<Integers, NodeError> {
        if code * MOST < FINE {
            return Err(NodeError::TooCoarse { column: 0 });
        }
        let [high, low] = self.words.codes(builder, &self.x.part("digits"))?;
        let x = [self.x.of(&high).straight(builder)?, self.x.of(&low).straight(builder)?];
        let scale = f64::from(self.scale);
        let distances = match 255.0 * scale <= NEAR {
            true => self.to_digit(builder, &x)?,
            false => self.to_largest(builder, &x)?,
        };
        let rows = &x[0];
        let exponentials = self.exponentials(rows, builder, &distances)?;
        let n = rows.length() as f64;
        let sum = |(place, &digit): (usize, &TensorId)| {
            let counts = 1i64 << (8 * (DIGITS as usize - 1 - place));
            (rows.of_taps(digit), Function::table(move |code| counts * code))
        };
        let terms = exponentials.iter().enumerate().map(sum).collect();
        let whole = rows.row_integers(builder, "sum", terms, (n * MOST) as i64)?;
        let ends = [0.999 * distances.least * MOST, n * MOST];
        let parts = vec![(whole, 1.0)];
        let number = Number { whole, unit: 1.0, constant: 0.0, parts, ends, bits: QUOTIENT };
        // The reciprocal of the least sum has almost all digits.
        let one = 0.98 * MOST * ends[0];
        let reciprocal = number.power(rows, builder, (Power::Reciprocal, one), DIGITS)?;
        let factors: Vec<Matrix> = reciprocal.iter().map(|&of| rows.broadcast(of)).collect();
        let elements = |tensor| rows.elements_of(tensor);
        let terms = products(builder, &exponentials, elements, &factors)?;
        let unit = f64::from(1u32 << LEFT_OUT) / one;
        Ok(Integers { terms, constant: 0, unit, columns: rows.width() })
    }

    /// Distances from the end of the largest high digit.
    fn to_digit(&self, builder: &mut Builder, x: &[Rowwise; 2]) -> Result<Distances, NodeError> {
        let [x, low] = x;
        let most = self.largest(x, builder, x.elements(), "kept")?;
        let terms = vec![
            (x.broadcast(most), Function::table(|code| code)),
            (x.elements(), Function::table(|code| -code)),
        ];
        let high = x.codes(builder, "below", terms, vec![Edges::clamped()])?;
        let scale = f64::from(self.scale);
        Ok(Distances {
            high,
            low: low.elements(),
            of_low: Box::new(move |code| exp(-scale * (255.0 - code))),
            least: exp(-255.0 * scale),
        })
    }

    /// Distances from the largest element.
    fn to_largest(&self, builder: &mut Builder, x: &[Rowwise; 2]) -> Result<Distances, NodeError> {
        let [x, low] = x;
        let most = self.largest(x, builder, x.elements(), "kept")?;
        // Low digits count where the high one is the largest.
        let terms = vec![
            (x.elements(), Function::table(|code| 256 * code)),
            (x.broadcast(most), Function::table(|code| -256 * code)),
            (low.elements(), Function::table(|code| code)),
        ];
        let beside = x.codes(builder, "beside", terms, vec![Edges::clamped()])?;
        let least = self.largest(x, builder, x.elements_of(beside), "kept/beside")?;
        let terms = vec![
            (x.broadcast(most), Function::table(|code| 256 * code)),
            (x.broadcast(least), Function::table(|code| code)),
            (x.elements(), Function::table(|code| -256 * code)),
            (low.elements(), Function::table(|code| -code)),
        ];
        let name = x.part("below");
        let of = (&name[..], x.width());
        let edge = (|value: f64| value, 1);
        let below = places::digits(builder, of, terms, edge, 2, |y| x.elements_of(y))?;
        let scale = f64::from(self.scale);
        Ok(Distances {
            high: below[0],
            low: x.elements_of(below[1]),
            of_low: Box::new(move |code| exp(-scale * code)),
            least: 1.0,
        })
    }

    /// The largest of the codes in each row that are not left out.
    fn largest(
        &self,
        x: &Rowwise,
        builder: &mut Builder,
        elements: Matrix,
        part: &str,
    ) -> Result<TensorId, NodeError> {
        let Some(mask) = &self.mask else { return x.maximum_of(builder, part, elements) };
        let terms = vec![
            (elements, Function::table(|code| code)),
            (x.repeated(&mask.view), left_out(mask, -255)),
        ];
        let kept = x.codes(builder, part, terms, vec![Edges::clamped()])?;
        x.maximum_of(builder, &format!("{part}/max"), x.elements_of(kept))
    }

    /// The exponentials of the negated distances, in digits; of what is left out they are zero.
    fn exponentials(
        &self,
        x: &Rowwise,
        builder: &mut Builder,
        distances: &Distances,
    ) -> Result<Vec<TensorId>, NodeError> {
        let of_high = |code: f64| exp(-256.0 * f64::from(self.scale) * code);
        let (mut highs, mut lows) = (Vec::new(), Vec::new());
        for place in (0..DIGITS).rev() {
            let digit = |x: f64| ((x * MOST).round_ties_even() as i64) >> (8 * place) & 255;
            let high = Function::table(|code| digit(of_high(code as f64)));
            let mut terms = vec![(x.elements_of(distances.high), high)];
            if let Some(mask) = &self.mask {
                terms.push((x.repeated(&mask.view), left_out(mask, -255)));
            }
            let identity = || vec![Edges::clamped()];
            highs.push(x.codes(builder, &format!("high{place}"), terms, identity())?);
            let low = Function::table(|code| digit((distances.of_low)(code as f64)));
            let terms = vec![(distances.low.clone(), low)];
            let low = x.codes(builder, &format!("low{place}"), terms, identity())?;
            lows.push(x.elements_of(low));
        }
        let terms = products(builder, &highs, |tensor| x.elements_of(tensor), &lows)?;
        // The product of two ones is one.
        let unit = (MOST * MOST / f64::from(1u32 << LEFT_OUT) / MOST).round_ties_even();
        let edge = |value: f64| (value - 0.5) * unit;
        let name = x.part("exponential");
        let of = (&name[..], x.width());
        let unit = (edge, unit as i64);
        places::digits(builder, of, terms, unit, DIGITS, |y| x.elements_of(y))
    }
}

/// `by` for what `mask` leaves out.
fn left_out(mask: &Mask, by: i64) -> Function {
    let out = i64::from(mask.out);
    Function::table(move |code| if code == out { by } else { 0 })
}

/// The product of two numbers of three digits, less what counts less than `2^LEFT_OUT`, in units of that.
fn products(
    builder: &mut Builder,
    digits: &[TensorId],
    elements: impl Fn(TensorId) -> Matrix,
    factors: &[Matrix],
) -> Result<Vec<Summand>, NodeError> {
    let mut terms = Vec::new();
    for (of, factor) in factors.iter().enumerate() {
        let with = builder.source(factor, false)?;
        for (place, &digit) in digits.iter().enumerate() {
            let bits = 8 * (2 * (DIGITS as usize - 1) - of - place);
            if let Some(bits) = bits.checked_sub(LEFT_OUT as usize) {
                terms.push((elements(digit), with.factor([0, 0], 1 << bits)));
            }
        }
    }
    Ok(terms)
}
