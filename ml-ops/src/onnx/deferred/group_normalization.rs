//! Groups of an image's channels brought to mean 0 and size 1, times a factor and plus a summand for each channel.

use super::row_sizes::variance;
use super::{After, Columns};
use crate::exact::{exp, ln};
use crate::graph::{Edges, Function, TensorId};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::rowwise::{Rowwise, Summand};
use crate::onnx::target::Target;
use crate::onnx::value::Scaling;
use crate::onnx::words;

/// Most elements of a group, such that squares of sums have 61 bits.
pub(in crate::onnx) const MAX_GROUP: usize = 1 << 22;

/// The largest size that a group can have, in codes.
const LARGEST: f64 = 128.0;

/// The reciprocal that this has, and the largest, of half a code.
const RECIPROCALS: [f64; 2] = [256.0, 65535.0];

/// Codes of 255 steps each in which a reciprocal's logarithm is found.
const PARTS: usize = 16;

/// Normalization of the groups of a dequantized tensor.
#[derive(Debug)]
pub(in crate::onnx) struct GroupNormalization {
    pub(in crate::onnx) x: Rowwise,
    pub(in crate::onnx) from: Scaling,
    pub(in crate::onnx) epsilon: f32,
    pub(in crate::onnx) columns: Columns,
}

impl GroupNormalization {
    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        after: &[After],
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let x = self.x.straight(builder)?;
        let n = x.length() as i64;
        let summed = vec![(x.taps(), Function::table(|code| code))];
        let sum = x.row_integers(builder, "sum", summed, 255 * n)?;
        let squared = vec![(x.taps(), Function::table(|code| code.pow(2)))];
        let squares = x.row_integers(builder, "squares", squared, n << 16)?;
        let sizes = variance(&x, builder, squares, sum, 16)?;
        let (unit, scale) = ((n * n) as f64, f64::from(self.from.scale));
        let epsilon = f64::from(self.epsilon) / (scale * scale);
        let reciprocal = reciprocal(&x, builder, (sizes, unit), epsilon)?;
        let mean = self.mean(&x, builder, sum)?;
        let shift = shift(&x, builder, mean, reciprocal)?;
        let [high, low] = reciprocal.map(|of| x.broadcast(of));
        let factors = [builder.source(&high, false)?, builder.source(&low, false)?];
        let terms = |sign: i64| {
            let product = |(at, factor): (usize, i64)| {
                (x.elements(), factors[at].factor([128, 0], sign * factor))
            };
            let mut terms: Vec<Summand> = [(0, 1 << 16), (1, 1 << 8)].map(product).into();
            terms.push((x.broadcast(shift), Function::Times(-sign)));
            terms
        };
        let unit = RECIPROCALS[0] * LARGEST * 256.0;
        self.columns.outputs(&x, builder, terms, unit, (after, target))
    }

    /// The nearest 256th to each group's mean, in two digits.
    fn mean(
        &self,
        x: &Rowwise,
        builder: &mut Builder,
        sum: TensorId,
    ) -> Result<[TensorId; 2], NodeError> {
        let n = x.length() as f64;
        let terms = vec![(x.rows_of(sum), Function::Times(1))];
        let unit = n / 256.0;
        let edge = |value: f64| unit * (value - 0.5);
        let read = |y| x.rows_of(y);
        let name = x.part("mean");
        words::digits(builder, &name, x.columns(), &terms, (edge, unit), words::ALL, read)
    }
}

/// The reciprocals of groups' sizes, of which the squares are `sizes` over `unit`, and `epsilon`, in two digits.
fn reciprocal(
    x: &Rowwise,
    builder: &mut Builder,
    (sizes, unit): (TensorId, f64),
    epsilon: f64,
) -> Result<[TensorId; 2], NodeError> {
    let [least, most] = RECIPROCALS;
    let step = ln(most / least) / (255.0 * PARTS as f64);
    // Exponentials are of negative numbers.
    let reciprocal = |level: f64| least / exp(-level * step);
    let edges = |part: usize| {
        Edges::rising(0, 255, |code| {
            let level = 255.0 * part as f64 + f64::from(code) - 0.5;
            let size = LARGEST * least / reciprocal(level);
            // The reciprocal is as large where the sum of squares is as small.
            unit * (epsilon - size * size)
        })
    };
    let levels = x.parts(builder, "levels", sizes, (0..PARTS).map(edges).collect())?;
    let integer = |level: f64| reciprocal(level).round_ties_even() as i64;
    let term = |part: usize| {
        let first = 255.0 * part as f64;
        let base = if part == 0 { 0 } else { integer(first) };
        let function = Function::table(move |code| integer(first + code as f64) - base);
        Ok((x.part_of(levels, PARTS, part)?, function))
    };
    let terms = (0..PARTS).map(term).collect::<Result<Vec<_>, NodeError>>()?;
    let (name, read) = (x.part("reciprocal"), |y| x.rows_of(y));
    let edge = (|value| value, 1.0);
    words::digits(builder, &name, x.columns(), &terms, edge, words::ALL, read)
}

/// What a group's mean, less 128 of its high digit, becomes by its reciprocal.
fn shift(
    x: &Rowwise,
    builder: &mut Builder,
    mean: [TensorId; 2],
    reciprocal: [TensorId; 2],
) -> Result<TensorId, NodeError> {
    let mut terms = Vec::with_capacity(4);
    for (mean, zero, weight) in [(mean[0], 128, 256), (mean[1], 0, 1)] {
        for (with, factor) in reciprocal.into_iter().zip([256 * weight, weight]) {
            let zeros = [zero, 0];
            let function = Function::Product { with, with_gather: None, zeros, factor };
            terms.push((x.rows_of(mean), function));
        }
    }
    x.row_integers(builder, "shift", terms, 1 << 32)
}
