//! What normalizations in two digits make of rows: exact variances, the reciprocals of sizes, and means by these.

use crate::exact::{exp, ln};
use crate::graph::{Edges, Function, TensorId};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::heads;
use crate::onnx::rowwise::Rowwise;
use crate::onnx::words;

/// The sum of each row's codes.
pub(super) fn sum(x: &Rowwise, builder: &mut Builder) -> Result<TensorId, NodeError> {
    let terms = vec![(x.elements(), Function::table(|code| code))];
    x.row_integers(builder, "sum", terms, 255 * x.length() as i64)
}

/// The number of a row's elements times the sum of their squares, less the square of their sum: elements have `2 / bits` bits
/// each.
pub(super) fn variance(
    x: &Rowwise,
    builder: &mut Builder,
    squares: TensorId,
    sum: TensorId,
    bits: u32,
) -> Result<TensorId, NodeError> {
    let n = x.length() as i64;
    let of_sum = heads::squares(builder, &x.part("square"), &x.view_of_rows(sum))?;
    let terms =
        vec![(x.rows_of(squares), Function::Times(n)), (x.read_rows(&of_sum), Function::Times(-1))];
    x.row_integers(builder, "variance", terms, n * (n << bits))
}

/// The reciprocals of rows' sizes, of which the squares are `sizes` over `unit`, and `epsilon`.
pub(super) struct Reciprocal {
    pub(super) sizes: TensorId,
    pub(super) unit: f64,
    pub(super) epsilon: f64,
    /// The largest size that a row can have.
    pub(super) largest: f64,
    /// The reciprocal that this has, and the largest.
    pub(super) range: [f64; 2],
    /// Codes of 255 steps each in which a reciprocal's logarithm is found.
    pub(super) parts: usize,
}

impl Reciprocal {
    /// The reciprocals' digits.
    pub(super) fn digits(
        &self,
        x: &Rowwise,
        builder: &mut Builder,
    ) -> Result<[TensorId; 2], NodeError> {
        let ([least, most], parts) = (self.range, self.parts);
        let step = ln(most / least) / (255.0 * parts as f64);
        // Exponentials are of negative numbers.
        let reciprocal = |level: f64| least / exp(-level * step);
        let edges = |part: usize| {
            Edges::rising(0, 255, |code| {
                let level = 255.0 * part as f64 + f64::from(code) - 0.5;
                let size = self.largest * least / reciprocal(level);
                // The reciprocal is as large where the sum of squares is as small.
                self.unit * (self.epsilon - size * size)
            })
        };
        let levels = x.parts(builder, "levels", self.sizes, (0..parts).map(edges).collect())?;
        let integer = |level: f64| reciprocal(level).round_ties_even() as i64;
        let term = |part: usize| {
            let first = 255.0 * part as f64;
            let base = if part == 0 { 0 } else { integer(first) };
            let function = Function::table(move |code| integer(first + code as f64) - base);
            Ok((x.part_of(levels, parts, part)?, function))
        };
        let terms = (0..parts).map(term).collect::<Result<Vec<_>, NodeError>>()?;
        let (name, read) = (x.part("reciprocal"), |y| x.rows_of(y));
        let edge = (|value| value, 1.0);
        words::digits(builder, &name, x.columns(), &terms, edge, words::ALL, read)
    }
}

/// What a row's mean, less 128 of its high digit, becomes by its reciprocal.
pub(super) fn shift(
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
