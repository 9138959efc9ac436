//! The reciprocal of a number of each row, or of its root, to twenty bits: a level of its logarithm, and what is left of it.

use crate::exact::{exp, ln};
use crate::graph::{Edges, Function, TensorId};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::heads;
use crate::onnx::places::{self, Level};
use crate::onnx::rowwise::{Rowwise, Summand};

/// Levels are at most so far apart, in logarithms: between two of them a slope is one number.
const APART: f64 = 1.0 / 64.0;

/// Bits of functions of what is left.
const FUNCTION: u32 = 24;

/// A number of each row.
pub(super) struct Number {
    /// Integers that are it, less a constant, in units.
    pub(super) whole: TensorId,
    pub(super) unit: f64,
    pub(super) constant: f64,
    /// Integers that it is the sum of, and what 1 counts of each.
    pub(super) parts: Vec<(TensorId, f64)>,
    /// The least and the largest; what is below the least is taken for it.
    pub(super) ends: [f64; 2],
    /// Bits of its quotient by a level.
    pub(super) bits: u32,
}

/// What is made of the number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Power {
    /// One over it.
    Reciprocal,
    /// One over its root.
    Root,
}

impl Power {
    fn of(self, x: f64) -> f64 {
        match self {
            Self::Reciprocal => 1.0 / x,
            Self::Root => 1.0 / x.sqrt(),
        }
    }

    fn slope(self, x: f64) -> f64 {
        match self {
            Self::Reciprocal => -self.of(x) / x,
            Self::Root => -0.5 * self.of(x) / x,
        }
    }
}

impl Number {
    /// `one` times the power of each row's number, in `count` digits to base 256, from the highest on.
    pub(super) fn power(
        &self,
        x: &Rowwise,
        builder: &mut Builder,
        (power, one): (Power, f64),
        count: u32,
    ) -> Result<Vec<TensorId>, NodeError> {
        let [least, most] = self.ends;
        let whole = ln(most / least);
        let parts = (whole / (255.0 * APART)).ceil().max(1.0) as usize;
        let step = whole / (255.0 * parts as f64);
        // A level has the numbers from here to there.
        let (from, to) =
            (|at: f64| most * exp(-(at + 1.0) * step), |at: f64| most * exp(-at * step));
        let edges = |part: usize| {
            let first = 255.0 * part as f64;
            Edges::rising(0, 255, |code| self.constant - to(first + f64::from(code)) * self.unit)
        };
        let edges = (0..parts).map(edges).collect();
        let level = Level { tensor: x.parts(builder, "levels", self.whole, edges)?, parts };
        let one_of = (1u64 << self.bits) as f64;
        let mut quotient: Vec<Summand> = Vec::with_capacity(self.parts.len());
        for (at, &(tensor, counts)) in self.parts.iter().enumerate() {
            // A part that counts more than all numbers of a level is zero there.
            let of = |level: usize| match counts <= to(level as f64) {
                true => (one_of * counts / from(level as f64)).round_ties_even() as i64,
                false => 0,
            };
            let by = level.integers(x, builder, &format!("by{at}"), &of)?;
            let name = x.part(&format!("quotient{at}"));
            let views = [x.view_of_rows(tensor), x.view_of_rows(by)];
            let product = heads::products_of(builder, &name, [&views[0], &views[1]])?;
            quotient.push((x.read_rows(&product), Function::Times(1)));
        }
        let left = self.left(x, builder, quotient, (power, step))?;
        let of_level = |level: usize| (one * power.of(from(level as f64))).round_ties_even() as i64;
        let of_level = level.integers(x, builder, "power", &of_level)?;
        let views = [x.view_of_rows(of_level), x.view_of_rows(left)];
        let product = heads::products_of(builder, &x.part("product"), [&views[0], &views[1]])?;
        let unit = 1i64 << FUNCTION;
        let edge = |value: f64| (value - 0.5) * unit as f64;
        let terms = vec![(x.read_rows(&product), Function::Times(1))];
        let name = x.part("reciprocal");
        let of = (&name[..], x.columns());
        places::digits(builder, of, terms, (edge, unit), count, |y| x.rows_of(y))
    }

    /// The power of the quotient of a number by its level, between 1 and `e^step`.
    fn left(
        &self,
        x: &Rowwise,
        builder: &mut Builder,
        quotient: Vec<Summand>,
        (power, step): (Power, f64),
    ) -> Result<TensorId, NodeError> {
        let one = (1u64 << self.bits) as f64;
        let width = (1.0 / exp(-step) - 1.0) * 1.001;
        let unit = (width * one / 65536.0).ceil();
        let edge = |value: f64| one + value * unit;
        let name = x.part("left");
        let of = (&name[..], x.columns());
        let digits = (edge, unit as i64);
        let digits = places::digits(builder, of, quotient, digits, 2, |y| x.rows_of(y))?;
        let (unit, scale) = (unit / one, f64::from(1u32 << FUNCTION));
        let slope = power.slope(1.0 + width / 2.0);
        let high = |code: i64| scale * power.of(1.0 + (256.0 * code as f64 + 128.0) * unit);
        let low = |code: i64| scale * slope * (code as f64 - 127.5) * unit;
        let terms = vec![
            (x.rows_of(digits[0]), Function::table(|code| high(code).round_ties_even() as i64)),
            (x.rows_of(digits[1]), Function::table(|code| low(code).round_ties_even() as i64)),
        ];
        x.row_integers(builder, "left/power", terms, 1 << (FUNCTION + 1))
    }
}
