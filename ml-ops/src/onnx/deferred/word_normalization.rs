//! Normalization of a 16-bit tensor: the same relation as of codes, with two digits for elements, means and reciprocals.

use super::normalization::{Columns, outputs};
use crate::exact::{exp, ln};
use crate::graph::{Edges, Function, TensorId};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::heads;
use crate::onnx::rowwise::{Rowwise, Summand};
use crate::onnx::value::{Scaling, Target};
use crate::onnx::words::{self, Words};

/// The reciprocal of the largest size that a row can have.
const LEAST: f64 = 16.0;

/// The largest reciprocal.
const MOST: f64 = 65535.0;

/// Codes of 255 steps each in which a reciprocal's logarithm is found.
const PARTS: usize = 9;

/// Normalization of a dequantized 16-bit tensor along its last dimension.
#[derive(Debug)]
pub(in crate::onnx) struct WordNormalization {
    pub(in crate::onnx) name: String,
    pub(in crate::onnx) words: Words,
    pub(in crate::onnx) from: Scaling,
    /// The mean is subtracted.
    pub(in crate::onnx) centred: bool,
    pub(in crate::onnx) epsilon: f32,
    pub(in crate::onnx) columns: Columns,
}

/// A tensor as rows of two digits, each less a code that stands for zero.
struct Pair {
    x: [Rowwise; 2],
    zeros: [u8; 2],
}

impl WordNormalization {
    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let [high, low] = self.words.codes(builder, &self.name)?;
        let rows = |view| Rowwise::new(&self.name, view);
        let x = [rows(&high).straight(builder)?, rows(&low).straight(builder)?];
        // What is subtracted in products with codes; the rest of the mean comes off as a number for each row.
        let origin =
            if self.centred { 1 << 15 } else { self.from.zero_point - self.words.dtype.min() };
        let zeros = [(origin >> 8) as u8, origin as u8];
        let pair = Pair { x, zeros };
        let largest = f64::from(origin.max(65535 - origin));
        let n = pair.x[0].length() as f64;
        let (sizes, unit, mean) = if self.centred {
            let (squares, sum) = (pair.squares(builder)?, pair.sum(builder)?);
            (pair.variance(builder, squares, sum)?, n * n, Some(pair.mean(builder, sum)?))
        } else {
            (pair.squares(builder)?, n, None)
        };
        let reciprocal = self.reciprocal(&pair, builder, sizes, unit, largest)?;
        let shift = match mean {
            Some(mean) => Some(pair.shift(builder, mean, reciprocal)?),
            None => None,
        };
        let x = &pair.x[0];
        let [high, low] = reciprocal.map(|of| x.broadcast(of));
        let factors = [builder.source(&high, false)?, builder.source(&low, false)?];
        let terms = |sign: i64| {
            let mut terms = Vec::with_capacity(5);
            for (of, zero, weight) in [(0, zeros[0], 256), (1, zeros[1], 1)] {
                for (with, factor) in factors.iter().zip([256 * weight, weight]) {
                    let product = with.factor([zero, 0], sign * factor);
                    terms.push((pair.x[of].elements(), product));
                }
            }
            terms.extend(shift.map(|shift| (x.broadcast(shift), Function::Times(-sign))));
            terms
        };
        outputs(x, builder, &self.columns, terms, LEAST * largest, target)
    }

    /// The digits of the reciprocal of each row's size: `unit` times the square of its size is in `sizes`, and a row of
    /// the size `largest` has `LEAST`.
    fn reciprocal(
        &self,
        pair: &Pair,
        builder: &mut Builder,
        sizes: TensorId,
        unit: f64,
        largest: f64,
    ) -> Result<[TensorId; 2], NodeError> {
        let x = &pair.x[0];
        let scale = f64::from(self.from.scale);
        let epsilon = f64::from(self.epsilon) / (scale * scale);
        let step = ln(MOST / LEAST) / (255.0 * PARTS as f64);
        let reciprocal = |level: f64| LEAST * exp(level * step);
        let edges = |part: usize| {
            Edges::rising(0, 255, |code| {
                let level = 255.0 * part as f64 + f64::from(code) - 0.5;
                let size = largest * LEAST / reciprocal(level);
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
        let read = |y| x.rows_of(y);
        words::digits(builder, &x.part("reciprocal"), x.columns(), &terms, |value| value, 1.0, read)
    }
}

impl Pair {
    /// The sum of each row.
    fn sum(&self, builder: &mut Builder) -> Result<TensorId, NodeError> {
        let of = |digit: usize, weight: i64| {
            let zero = i64::from(self.zeros[digit]);
            (self.x[digit].elements(), Function::table(move |code| weight * (code - zero)))
        };
        let n = self.x[0].length() as i64;
        self.x[0].row_integers(builder, "sum", vec![of(0, 256), of(1, 1)], n << 16)
    }

    /// The sum of the squares of each row.
    fn squares(&self, builder: &mut Builder) -> Result<TensorId, NodeError> {
        let zeros = self.zeros.map(i64::from);
        let square = |digit: usize, weight: i64| {
            let zero = zeros[digit];
            let square = Function::table(move |code| weight * (code - zero).pow(2));
            (self.x[digit].elements(), square)
        };
        let with = self.x[1].elements();
        let function = builder.source(&with, true)?.factor(self.zeros, 512);
        let product = (self.x[0].elements(), function);
        // Half of the square of the high digit, twice: images have 31 bits.
        let terms = vec![square(0, 1 << 15), square(0, 1 << 15), product, square(1, 1)];
        let n = self.x[0].length() as i64;
        self.x[0].row_integers(builder, "squares", terms, n << 32)
    }

    /// `n` times the sums of squares, less the squares of sums.
    fn variance(
        &self,
        builder: &mut Builder,
        squares: TensorId,
        sum: TensorId,
    ) -> Result<TensorId, NodeError> {
        let x = &self.x[0];
        let n = x.length() as i64;
        let of_sum = heads::squares(builder, &x.part("square"), &x.view_of_rows(sum))?;
        let terms: Vec<Summand> = vec![
            (x.rows_of(squares), Function::Times(n)),
            (x.read_rows(&of_sum), Function::Times(-1)),
        ];
        x.row_integers(builder, "variance", terms, n * (n << 32))
    }

    /// The nearest integer to each row's mean, plus `2^15`, in two digits.
    fn mean(&self, builder: &mut Builder, sum: TensorId) -> Result<[TensorId; 2], NodeError> {
        let x = &self.x[0];
        let n = x.length() as f64;
        let terms = vec![(x.rows_of(sum), Function::Times(1))];
        let edge = |value: f64| n * (value - 32768.5);
        let read = |y| x.rows_of(y);
        words::digits(builder, &x.part("mean"), x.columns(), &terms, edge, n, read)
    }

    /// What a row's mean becomes by its reciprocal.
    fn shift(
        &self,
        builder: &mut Builder,
        mean: [TensorId; 2],
        reciprocal: [TensorId; 2],
    ) -> Result<TensorId, NodeError> {
        let x = &self.x[0];
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
}
