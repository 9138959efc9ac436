//! Normalization of a 16-bit tensor: the same relation as of codes, with two digits for elements, means and reciprocals.

use super::row_sizes::{Reciprocal, shift, variance};
use super::{After, Columns};
use crate::graph::{Function, TensorId};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::rowwise::Rowwise;
use crate::onnx::target::Target;
use crate::onnx::value::Scaling;
use crate::onnx::words::{self, Words};

/// The reciprocal of the largest size that a row can have.
const LEAST: f64 = 16.0;

/// The largest reciprocal.
const MOST: f64 = 65535.0;

/// Codes of 255 steps each in which a reciprocal's logarithm is found.
const PARTS: usize = 9;

/// Normalization of the rows of a dequantized 16-bit tensor.
#[derive(Debug)]
pub(in crate::onnx) struct WordNormalization {
    /// The rows, of the tensor's elements or of their high digits.
    pub(in crate::onnx) x: Rowwise,
    pub(in crate::onnx) words: Words,
    pub(in crate::onnx) from: Scaling,
    /// The mean is subtracted.
    pub(in crate::onnx) centred: bool,
    pub(in crate::onnx) epsilon: f32,
    pub(in crate::onnx) columns: Columns,
}

/// A tensor as rows of two digits, each less a code that stands for zero.
pub(super) struct Pair {
    pub(super) x: [Rowwise; 2],
    pub(super) zeros: [u8; 2],
}

impl WordNormalization {
    /// The rows in two digits.
    pub(super) fn pair(&self, builder: &mut Builder) -> Result<Pair, NodeError> {
        let [high, low] = self.words.codes(builder, self.x.name())?;
        let x = [self.x.of(&high).straight(builder)?, self.x.of(&low).straight(builder)?];
        // What is subtracted in products with codes; the rest of the mean comes off as a number for each row.
        let origin =
            if self.centred { 1 << 15 } else { self.from.zero_point - self.words.dtype.min() };
        Ok(Pair { x, zeros: [(origin >> 8) as u8, origin as u8] })
    }

    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        after: &[After],
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let pair = self.pair(builder)?;
        let (zeros, origin) = (pair.zeros, pair.origin());
        let largest = f64::from(origin.max(65535 - origin));
        let n = pair.x[0].length() as f64;
        let (sizes, unit, mean) = if self.centred {
            let (squares, sum) = (pair.squares(builder)?, pair.sum(builder)?);
            (
                variance(&pair.x[0], builder, squares, sum, 32)?,
                n * n,
                Some(pair.mean(builder, sum)?),
            )
        } else {
            (pair.squares(builder)?, n, None)
        };
        let scale = f64::from(self.from.scale);
        let epsilon = f64::from(self.epsilon) / (scale * scale);
        let of = Reciprocal { sizes, unit, epsilon, largest, range: [LEAST, MOST], parts: PARTS };
        let reciprocal = of.digits(&pair.x[0], builder)?;
        let shift = match mean {
            Some(mean) => Some(shift(&pair.x[0], builder, mean, reciprocal)?),
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
        self.columns.outputs(x, builder, terms, LEAST * largest, (after, target))
    }
}

impl Pair {
    /// What is subtracted from elements.
    pub(super) fn origin(&self) -> i32 {
        i32::from(u16::from_be_bytes(self.zeros))
    }

    /// The sum of each row.
    pub(super) fn sum(&self, builder: &mut Builder) -> Result<TensorId, NodeError> {
        let of = |digit: usize, weight: i64| {
            let zero = i64::from(self.zeros[digit]);
            (self.x[digit].taps(), Function::table(move |code| weight * (code - zero)))
        };
        let n = self.x[0].length() as i64;
        self.x[0].row_integers(builder, "sum", vec![of(0, 256), of(1, 1)], n << 16)
    }

    /// The sum of the squares of each row.
    pub(super) fn squares(&self, builder: &mut Builder) -> Result<TensorId, NodeError> {
        let zeros = self.zeros.map(i64::from);
        let square = |digit: usize, weight: i64| {
            let zero = zeros[digit];
            let square = Function::table(move |code| weight * (code - zero).pow(2));
            (self.x[digit].taps(), square)
        };
        let with = self.x[1].taps();
        let function = builder.source(&with, true)?.factor(self.zeros, 512);
        let product = (self.x[0].taps(), function);
        // Half of the square of the high digit, twice: images have 31 bits.
        let terms = vec![square(0, 1 << 15), square(0, 1 << 15), product, square(1, 1)];
        let n = self.x[0].length() as i64;
        self.x[0].row_integers(builder, "squares", terms, n << 32)
    }

    /// The nearest integer to each row's mean, plus `2^15`, in two digits.
    fn mean(&self, builder: &mut Builder, sum: TensorId) -> Result<[TensorId; 2], NodeError> {
        let x = &self.x[0];
        let n = x.length() as f64;
        let terms = vec![(x.rows_of(sum), Function::Times(1))];
        let edge = |value: f64| n * (value - 32768.5);
        let read = |y| x.rows_of(y);
        let name = x.part("mean");
        words::digits(builder, &name, x.columns(), &terms, (edge, n), words::ALL, read)
    }
}
