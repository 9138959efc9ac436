//! What normalizations of a 16-bit tensor are of: rows in two digits, their sums and those of their squares.

use super::Columns;
use crate::graph::{Function, TensorId};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::rowwise::Rowwise;
use crate::onnx::value::Scaling;
use crate::onnx::words::Words;

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
        let terms = vec![square(0, 1 << 16), product, square(1, 1)];
        let n = self.x[0].length() as i64;
        self.x[0].row_integers(builder, "squares", terms, n << 32)
    }
}
