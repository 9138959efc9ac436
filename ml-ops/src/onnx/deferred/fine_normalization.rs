//! Normalization of a 16-bit tensor into 8 or 16 bits: exact variances, reciprocals of twenty bits, elements of three digits.

use super::inverse::{Number, Power};
use super::row_sizes::variance;
use super::word_normalization::{Pair, WordNormalization};
use super::{After, Columns};
use crate::graph::{Function, TensorId, WordType};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::operands::of_column;
use crate::onnx::places;
use crate::onnx::rowwise::{Rowwise, Summand};
use crate::onnx::target::Target;
use crate::onnx::value::Scaling;
use crate::onnx::view::View;
use crate::onnx::words;

/// The reciprocal of the largest size that a row can have; that of the least is `RANGE` times as large.
const LEAST: f64 = 120_000.0;
const RANGE: f64 = 32768.0;

/// Bits of the squares of sizes: eighteen are left where they are the least.
const SIZES: i32 = 48;

/// Digits of the squares of sizes, two of which are an integer.
const DIGITS: u32 = 6;

/// Bits of the quotients of sizes by levels.
const QUOTIENT: u32 = 36;

/// Digits of reciprocals, and of normalized elements and factors.
const RECIPROCAL: u32 = 4;
const ELEMENT: u32 = 3;

/// Half of the numbers that three digits have.
const HALF: f64 = 8_388_608.0;

/// Units of a code that products of digits are added up in at least, and bits of what products count that are left out at most.
const FINE: f64 = 4096.0;
const LEFT_OUT: [i32; 4] = [24, 16, 8, 0];

/// Units of elements that a code has at least.
const FEWEST: f64 = 8.0;

impl WordNormalization {
    /// The 16-bit tensor that a QuantizeLinear makes after bounds, in two codes.
    pub(super) fn words(
        &self,
        builder: &mut Builder,
        after: &[After],
        bounds: (f32, f32),
        (to, dtype): (Scaling, WordType),
    ) -> Result<[TensorId; 2], NodeError> {
        let ends = words::ends(bounds, to, dtype)?;
        let columns = self.columns.followed(after)?;
        if columns.silu {
            let expected = "normalized without a SiLU, if 16 bits come of it";
            return Err(NodeError::Operand { index: 0, expected });
        }
        let products = self.products(builder)?;
        let elements = products.elements(builder)?;
        elements.outputs(&products.x, builder, &columns, ends, (to, dtype))
    }

    /// The codes that a QuantizeLinear makes.
    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        after: &[After],
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let products = self.products(builder)?;
        let terms = |sign| products.terms.iter().map(|term| words::times(term, sign)).collect();
        self.columns.outputs(&products.x, builder, terms, products.one, (after, target))
    }

    /// The elements by their rows' reciprocals, less the rows' shifts.
    fn products(&self, builder: &mut Builder) -> Result<Products, NodeError> {
        let pair = self.pair(builder)?;
        let x = &pair.x[0];
        let n = x.length() as f64;
        let origin = f64::from(pair.origin());
        let largest = origin.max(65535.0 - origin);
        let squares = pair.squares(builder)?;
        let (sizes, unit, sum) = match self.centred {
            true => {
                let sum = pair.sum(builder)?;
                (variance(x, builder, squares, sum, 32)?, n * n, Some(sum))
            }
            false => (squares, n, None),
        };
        let scale = f64::from(self.from.scale);
        let epsilon = f64::from(self.epsilon) / (scale * scale);
        let number = number(x, builder, (sizes, unit), epsilon, largest)?;
        // A row of the largest size has the reciprocal `LEAST`, whatever the number's unit is.
        let one = LEAST * number.ends[1].sqrt();
        let reciprocal = number.power(x, builder, (Power::Root, one), RECIPROCAL)?;
        let shift = sum.map(|sum| shift(&pair, builder, sum, &reciprocal)).transpose()?;
        let largest = (largest * largest + epsilon).sqrt();
        Products::new(pair, builder, &reciprocal, shift, LEAST * largest)
    }
}

/// Summands that come to `one` times the normalized elements of `x`.
struct Products {
    x: Rowwise,
    terms: Vec<Summand>,
    one: f64,
}

/// The squares of sizes and `epsilon`, of which `unit` are one, as a number of at most `SIZES` bits.
fn number(
    x: &Rowwise,
    builder: &mut Builder,
    (sizes, unit): (TensorId, f64),
    epsilon: f64,
    largest: f64,
) -> Result<Number, NodeError> {
    let most = (largest * largest + epsilon) * unit;
    let all = (1i64 << SIZES) as f64;
    let (mut counts, mut times) = (1i64, 1i64);
    while most > all * counts as f64 {
        counts *= 2;
    }
    while 2.0 * most * times as f64 <= all && times < 1 << 30 {
        times *= 2;
    }
    let (of_unit, constant) = (counts as f64 / times as f64, epsilon * unit);
    let edge = |value: f64| value * counts as f64 - constant * times as f64;
    let name = x.part("sizes");
    let terms = vec![(x.rows_of(sizes), Function::Times(times))];
    let of = (&name[..], x.columns());
    let digits = places::digits(builder, of, terms, (edge, counts), DIGITS, |y| x.rows_of(y))?;
    let mut parts = Vec::with_capacity(digits.len() / 2);
    for (at, pair) in digits.chunks(2).enumerate() {
        let terms = vec![
            (x.rows_of(pair[0]), Function::table(|code| 256 * code)),
            (x.rows_of(pair[1]), Function::table(|code| code)),
        ];
        let word = x.row_integers(builder, &format!("sizes/word{at}"), terms, 65535)?;
        let place = 16 * (DIGITS / 2 - 1 - at as u32);
        parts.push((word, (1u64 << place) as f64));
    }
    let most = most / of_unit;
    let least = (most / (RANGE * RANGE)).max(constant / of_unit);
    let ends = [least, most];
    Ok(Number { whole: sizes, unit: of_unit, constant, parts, ends, bits: QUOTIENT })
}

/// What a row's mean, less its zero, becomes by its reciprocal.
fn shift(
    pair: &Pair,
    builder: &mut Builder,
    sum: TensorId,
    reciprocal: &[TensorId],
) -> Result<TensorId, NodeError> {
    let x = &pair.x[0];
    let n = x.length() as i64;
    // The mean in two digits, less the middle, and its fraction in two.
    let terms = vec![(x.rows_of(sum), Function::Times(1 << 16))];
    let middle = f64::from(1u32 << 31);
    let edge = |value: f64| n as f64 * (value - 0.5 - middle);
    let name = x.part("mean");
    let of = (&name[..], x.columns());
    let mean = places::digits(builder, of, terms, (edge, n), 4, |y| x.rows_of(y))?;
    let mut terms = Vec::new();
    for (place, (&digit, zero)) in mean.iter().zip([128, 0, 0, 0]).enumerate() {
        for (of, &with) in reciprocal.iter().enumerate() {
            // What counts less than one is left out.
            let bits = 8 * (1 - place as i32) + 8 * (RECIPROCAL as i32 - 1 - of as i32);
            if bits >= 0 {
                let (zeros, factor) = ([zero, 0], 1 << bits);
                let product = Function::Product { with, with_gather: None, zeros, factor };
                terms.push((x.rows_of(digit), product));
            }
        }
    }
    x.row_integers(builder, "shift", terms, 1 << 49)
}

/// Normalized elements in three digits: `value` of them is `unit (value - HALF)`.
struct Elements {
    digits: Vec<TensorId>,
    unit: f64,
}

impl Products {
    /// The elements by their rows' reciprocals, less the rows' shifts; `one` is the product of a size and its reciprocal.
    fn new(
        pair: Pair,
        builder: &mut Builder,
        reciprocal: &[TensorId],
        shift: Option<TensorId>,
        one: f64,
    ) -> Result<Self, NodeError> {
        let Pair { x, zeros } = pair;
        let mut terms: Vec<Summand> = Vec::new();
        for (place, &digit) in reciprocal.iter().enumerate() {
            let with = builder.source(&x[0].broadcast(digit), false)?;
            let counts = 1i64 << (8 * (RECIPROCAL as usize - 1 - place));
            for (of, weight) in [(0, 256), (1, 1)] {
                let function = with.factor([zeros[of], 0], counts * weight);
                terms.push((x[of].elements(), function));
            }
        }
        let [x, _] = x;
        terms.extend(shift.map(|shift| (x.broadcast(shift), Function::Times(-1))));
        Ok(Self { x, terms, one })
    }

    /// The elements in three digits.
    fn elements(&self, builder: &mut Builder) -> Result<Elements, NodeError> {
        let Self { x, terms, one } = self;
        // No element is farther from the mean of `n` than by the root of that many sizes.
        let farthest = (x.length() as f64).sqrt() * 1.001;
        let unit = (one * farthest / HALF).ceil();
        let edge = |value: f64| (value - 0.5 - HALF) * unit;
        let name = x.part("normalized");
        let (of, step) = ((&name[..], x.width()), (edge, unit as i64));
        let read = |y| x.elements_of(y);
        let digits = places::digits(builder, of, terms.clone(), step, ELEMENT, read)?;
        Ok(Elements { digits, unit: unit / one })
    }
}

impl Elements {
    /// The codes of the elements times a factor and plus a summand of each column.
    fn outputs(
        &self,
        x: &Rowwise,
        builder: &mut Builder,
        columns: &Columns,
        ends: (u8, u8),
        (to, dtype): (Scaling, WordType),
    ) -> Result<[TensorId; 2], NodeError> {
        let most = columns.factors.iter().fold(0.0f64, |most, of| most.max(f64::from(of.abs())));
        let of_factor = if most > 0.0 { most / (HALF - 1.0) } else { 1.0 };
        let coarse = NodeError::TooCoarse { column: 0 };
        if f64::from(to.scale) < FEWEST * self.unit * most {
            return Err(coarse);
        }
        // Products of digits that count less than a unit are left out but for their mean.
        let unit = |bits: i32| self.unit * of_factor * (1u64 << bits) as f64;
        let is_fine = |bits: &i32| f64::from(to.scale) >= FINE * unit(*bits);
        let left_out = LEFT_OUT.into_iter().find(is_fine).unwrap_or(0);
        let unit = unit(left_out);
        let step = f64::from(to.scale) / unit;
        let length = columns.factors.len();
        let factor = |at: usize| {
            (f64::from(columns.factors[at]) / of_factor).round_ties_even() as i64 + HALF as i64
        };
        let mut summands: Vec<f64> =
            (0..length).map(|at| f64::from(of_column(&columns.summands, at)) / unit).collect();
        let mut terms: Vec<Summand> = Vec::new();
        for place in 0..ELEMENT {
            let code = |at: usize| (factor(at) >> (8 * (ELEMENT - 1 - place))) as u8;
            let codes = (0..length).map(code).collect();
            let constant = beside(x, builder, &format!("factor{place}"), codes);
            let with = builder.source(&x.repeated(&constant), false)?;
            let zero = if place == 0 { 128 } else { 0 };
            for (of, &digit) in self.digits.iter().enumerate() {
                let bits = 8 * (2 - place as i32) + 8 * (2 - of as i32) - left_out;
                let zeros = [if of == 0 { 128 } else { 0 }, zero];
                if bits >= 0 {
                    terms.push((x.elements_of(digit), with.factor(zeros, 1 << bits)));
                } else if of > 0 {
                    let counts = 127.5 / (1u64 << -bits) as f64;
                    for (at, summand) in summands.iter_mut().enumerate() {
                        *summand += counts * (f64::from(code(at)) - f64::from(zero));
                    }
                }
            }
        }
        let largest = summands.iter().fold(0.0f64, |most, summand| most.max(summand.abs()));
        // Bytes of a summand and what is the middle of their numbers.
        let bytes = (1..=5).find(|bytes| largest + 1.0 < (1i64 << (8 * bytes - 1)) as f64);
        let bytes = bytes.ok_or(coarse)?;
        let middle = 1i64 << (8 * bytes - 1);
        for byte in 0..bytes {
            let code =
                |summand: &f64| ((summand.round_ties_even() as i64 + middle) >> (8 * byte)) as u8;
            let codes = summands.iter().map(code).collect();
            let constant = beside(x, builder, &format!("summand{byte}"), codes);
            let zero = if byte + 1 == bytes { 128 } else { 0 };
            let of = |code: i64| (code - zero) << (8 * byte);
            terms.push((x.repeated(&constant), Function::table(of)));
        }
        let zero = f64::from(to.zero_point - dtype.min());
        let edge = |value: f64| (value - 0.5 - zero) * step;
        let name = x.part("outputs");
        words::digits(builder, &name, x.width(), &terms, (edge, step), ends, |y| x.elements_of(y))
    }
}

/// A constant of codes, one for each element of a row or for each channel.
fn beside(x: &Rowwise, builder: &mut Builder, part: &str, codes: Vec<u8>) -> View {
    let mut shape = vec![1; x.view().rank()];
    // Groups have their channels in the first dimension and the last.
    if x.is_of_groups() {
        shape[0] = x.view().size(0);
    }
    let last = shape.len() - 1;
    shape[last] = x.view().size(last);
    builder.constant(&x.part(part), &x.output(), &shape, &codes)
}
