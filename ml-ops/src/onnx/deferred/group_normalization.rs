//! Groups of an image's channels brought to mean 0 and size 1, times a factor and plus a summand for each channel.

use super::row_sizes::{Reciprocal, shift, variance};
use super::{After, Columns};
use crate::graph::{Function, TensorId};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::rowwise::{Rowwise, Summand};
use crate::onnx::target::Target;
use crate::onnx::value::Scaling;
use crate::onnx::words;

/// Most elements of a group, such that squares of sums have 61 bits.
pub(in crate::onnx) const MAX_GROUP: usize = 1 << 22;

/// The reciprocal of the largest size that a group can have, 128 codes, and the largest, of half a code.
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
        let largest = 128.0;
        let of = Reciprocal { sizes, unit, epsilon, largest, range: RECIPROCALS, parts: PARTS };
        let reciprocal = of.digits(&x, builder)?;
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
        let unit = RECIPROCALS[0] * largest * 256.0;
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
