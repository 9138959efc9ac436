//! Softmax of codes in units of 1 / 255, with distances that stand for infinity.

use crate::graph::{Edges, Function};
use crate::onnx::exact::{exp, ln};
use crate::onnx::softmax::{Levels, UNIT, exponential_bits};

/// What an output of 1 has.
const OUTPUT: f64 = 1.0 / 255.0;

/// The tables and edges of rows of one length.
pub(super) struct Softmax {
    /// What a step of a distance stands for.
    scale: f64,
    /// The code of an infinite distance.
    never: i64,
    /// What an exponential of 1 has.
    one: f64,
    levels: Levels,
}

impl Softmax {
    pub(super) fn new(scale: f64, length: usize, never: i64) -> Self {
        let one = f64::from(1u32 << exponential_bits(length));
        Self { scale, never, one, levels: Levels::new(length, OUTPUT, 1.0) }
    }

    /// The logarithm of a distance's exponential.
    pub(super) fn distances(&self) -> Function {
        Function::table(|code| {
            let exponent = if code == self.never { 64.0 } else { self.scale * code as f64 };
            -(UNIT * exponent.min(64.0)).round_ties_even() as i64
        })
    }

    /// The exponential.
    pub(super) fn exponentials(&self) -> Function {
        Function::table(|code| {
            let finite = (self.one * exp(-self.scale * code as f64)).round_ties_even() as i64;
            if code == self.never { 0 } else { finite }
        })
    }

    /// Codes that hold the sum of a row.
    pub(super) fn parts(&self) -> u32 {
        self.levels.parts
    }

    /// The step of a sum to one of them.
    pub(super) fn edges(&self, part: u32) -> Edges {
        self.levels.edges(part, self.one)
    }

    /// What it takes off the logarithm of an output.
    pub(super) fn logarithms(&self, part: u32) -> Function {
        self.levels.logarithms(part)
    }

    /// The step of an output's logarithm to its code.
    pub(super) fn outputs(&self) -> Edges {
        Edges::rising(0, 255, |code| UNIT * ln((f64::from(code) - 0.5) * OUTPUT))
    }
}
