//! Rows brought to mean 0 and size 1, times a factor and plus a summand for each element of a row.

use super::{After, Columns, WordNormalization, row_sizes};
use crate::graph::{Edges, Function, TensorId};
use crate::onnx::builder::{Builder, Source};
use crate::onnx::error::NodeError;
use crate::onnx::rowwise::{Rowwise, Summand};
use crate::onnx::target::Target;
use crate::onnx::value::Scaling;
use crate::onnx::words::Words;

/// Longest row, such that sums in fixed point have 31 bits.
pub(in crate::onnx) const MAX_LENGTH: usize = 8192;

/// Reciprocals of sizes lie between `LEAST` and `256 LEAST`: four codes of 255 steps each, a step of the first being
/// `STEPS[0]`, and each four times as coarse as the one before.
const LEAST: i64 = 85 << 8;
const STEPS: [i64; 4] = [1 << 8, 1 << 10, 1 << 12, 1 << 14];

/// The size of `(q - 128)^2` sums of a row, with room for what is taken off.
const SUM: usize = 64296;

/// Normalization of a dequantized tensor along its last dimension.
#[derive(Debug)]
pub(in crate::onnx) struct Normalization {
    pub(in crate::onnx) x: Rowwise,
    pub(in crate::onnx) from: Scaling,
    /// The code that stands for zero.
    pub(in crate::onnx) zero_code: u8,
    /// The mean is subtracted.
    pub(in crate::onnx) centred: bool,
    pub(in crate::onnx) epsilon: f32,
    pub(in crate::onnx) columns: Columns,
}

/// The sum of squares of each row, and how many make a mean square of 1.
struct Squares {
    sums: TensorId,
    unit: i64,
}

/// The mean of each row: its sum, and a code and 256ths, rounded down.
struct Mean {
    sum: TensorId,
    whole: TensorId,
    fraction: TensorId,
}

impl Normalization {
    /// The same rows as those of a tensor of 16 bits.
    pub(super) fn of_words(&self, builder: &mut Builder) -> WordNormalization {
        let words = Words::of_codes(builder, self.x.name(), self.x.view());
        let scale = self.from.scale / 256.0;
        let from = Scaling { scale, zero_point: 256 * i32::from(self.zero_code) };
        let (x, columns) = (self.x.of(words.view()), self.columns.clone());
        let Self { centred, epsilon, .. } = *self;
        WordNormalization { x, words, from, centred, epsilon, columns }
    }

    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        after: &[After],
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let x = self.x.straight(builder)?;
        let mean = self.centred.then(|| mean(&x, builder)).transpose()?;
        // What is subtracted in products with codes; the rest of the mean comes off as a number for each row.
        let origin = if self.centred { 128 } else { self.zero_code };
        let squares = match &mean {
            None => squares(&x, builder, origin)?,
            Some(mean) => variance(&x, builder, mean)?,
        };
        // The largest size that a row can have: it has the reciprocal `LEAST`.
        let largest = f64::from(origin.max(u8::MAX - origin));
        let reciprocals = self.reciprocals(&x, builder, &squares, largest)?;
        let shift = match &mean {
            Some(mean) => Some(shift(&x, builder, mean, &reciprocals)?),
            None => None,
        };
        let mut products = Vec::with_capacity(reciprocals.len());
        for (&reciprocal, step) in reciprocals.iter().zip(STEPS) {
            products.push((builder.source(&x.broadcast(reciprocal), false)?, step));
        }
        let unit = LEAST as f64 * largest;
        let terms = |sign: i64| {
            let product = |(with, step): &(Source, i64)| {
                (x.elements(), with.factor([origin, 0], sign * step))
            };
            let mut terms: Vec<Summand> = products.iter().map(product).collect();
            let least = Function::table(|code| sign * LEAST * (code - i64::from(origin)));
            terms.push((x.elements(), least));
            terms.extend(shift.map(|shift| (x.broadcast(shift), Function::Times(-sign))));
            terms
        };
        self.columns.outputs(&x, builder, terms, unit, (after, target))
    }

    /// The codes whose sum, weighted by `STEPS` and with `LEAST`, is the reciprocal of each row's size, in units of
    /// which a row of the size `largest` has `LEAST`.
    fn reciprocals(
        &self,
        x: &Rowwise,
        builder: &mut Builder,
        squares: &Squares,
        largest: f64,
    ) -> Result<Vec<TensorId>, NodeError> {
        let scale = f64::from(self.from.scale);
        let epsilon = f64::from(self.epsilon) / (scale * scale);
        let parts = STEPS.into_iter().enumerate();
        let part = |(part, step): (usize, i64)| {
            // The reciprocal is as large where the sum of squares is as small.
            let least = |code: u8| {
                let reciprocal = 85.0 * step as f64 + (f64::from(code) - 0.5) * step as f64;
                let size = largest * LEAST as f64 / reciprocal;
                squares.unit as f64 * (epsilon - size * size)
            };
            let terms = vec![(x.rows_of(squares.sums), Function::Times(-1))];
            x.row_codes(builder, &format!("reciprocal{part}"), terms, Edges::rising(0, 255, least))
        };
        parts.map(part).collect()
    }
}

/// The mean of each row.
fn mean(x: &Rowwise, builder: &mut Builder) -> Result<Mean, NodeError> {
    let n = x.length() as i64;
    let sum = row_sizes::sum(x, builder)?;
    let times = |factor| (x.rows_of(sum), Function::Times(factor));
    let whole = Edges::rising(0, 255, |code| f64::from(code) * n as f64);
    let whole = x.row_codes(builder, "mean", vec![times(1)], whole)?;
    let left = vec![times(1), (x.rows_of(whole), Function::table(|code| -n * code))];
    let fraction = x.row_codes(builder, "mean1", left, fractions(n))?;
    Ok(Mean { sum, whole, fraction })
}

/// The 256ths of numbers of at least 0 and less than `n`.
fn fractions(n: i64) -> Edges {
    Edges::rising(0, 255, |code| (f64::from(code) * n as f64) / 256.0)
}

/// The sum of the squares of a row's elements less `origin`.
fn squares(x: &Rowwise, builder: &mut Builder, origin: u8) -> Result<Squares, NodeError> {
    let (n, origin) = (x.length() as i64, i64::from(origin));
    let largest = origin.max(255 - origin);
    // Each square as it is or in 2^k-ths of it, as 30 bits allow.
    let room = (1i64 << 30) / (largest.pow(2) * n);
    let factor = room.clamp(1, 1 << 10);
    let summed = vec![(x.elements(), Function::table(|code| factor * (code - origin).pow(2)))];
    let sums = x.row_integers(builder, "squares", summed, factor * largest.pow(2) * n)?;
    Ok(Squares { sums, unit: factor * n })
}

/// The sum of the squares of a row's elements less its mean.
fn variance(x: &Rowwise, builder: &mut Builder, mean: &Mean) -> Result<Squares, NodeError> {
    let length = x.length();
    let n = length as i64;
    let left = vec![
        (x.rows_of(mean.sum), Function::Times(256)),
        (x.rows_of(mean.whole), Function::table(|code| -256 * n * code)),
        (x.rows_of(mean.fraction), Function::table(|code| -n * code)),
    ];
    let last = x.row_codes(builder, "mean2", left, fractions(n))?;
    // So that 256ths of the unit are integers, if there is room.
    let multiple = 128 >> length.trailing_zeros().min(7);
    let factor = match SUM / length {
        few if few < multiple => few,
        many => many / multiple * multiple,
    } as i64;
    let unit = factor * n;
    let float = unit as f64;
    let square = move |code: i64| -unit * (code - 128).pow(2);
    // The mean of the third digit stands for it in its product with the second.
    let second = move |code: i64| {
        let code = code as f64;
        -(float * code * (code + 255.0 / 256.0) / 65536.0).round_ties_even() as i64
    };
    let product = |with, fraction: f64| {
        let factor = -(2.0 * float / fraction).round_ties_even() as i64;
        (
            x.rows_of(mean.whole),
            Function::Product { with, with_gather: None, zeros: [128, 0], factor },
        )
    };
    let terms = vec![
        (x.elements(), Function::table(|code| factor * (code - 128).pow(2))),
        (x.rows_of(mean.whole), Function::table(square)),
        (x.rows_of(mean.fraction), Function::table(second)),
        product(mean.fraction, 256.0),
        product(last, 65536.0),
    ];
    let sums = x.row_integers(builder, "squares", terms, unit * 16700)?;
    Ok(Squares { sums, unit })
}

/// What a row's mean less 128 becomes by its reciprocal.
fn shift(
    x: &Rowwise,
    builder: &mut Builder,
    mean: &Mean,
    reciprocals: &[TensorId],
) -> Result<TensorId, NodeError> {
    let mut terms = vec![
        (x.rows_of(mean.whole), Function::table(|code| LEAST * (code - 128))),
        (x.rows_of(mean.fraction), Function::table(|code| LEAST / 256 * code)),
    ];
    let mut bound = LEAST * 129;
    for (&with, step) in reciprocals.iter().zip(STEPS) {
        let product =
            |zero, factor| Function::Product { with, with_gather: None, zeros: [zero, 0], factor };
        terms.push((x.rows_of(mean.whole), product(128, step)));
        terms.push((x.rows_of(mean.fraction), product(0, step / 256)));
        bound += 255 * step * 129;
    }
    x.row_integers(builder, "shift", terms, bound)
}
