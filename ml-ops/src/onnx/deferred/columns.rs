//! The codes of normalized elements: a factor, a summand and perhaps a SiLU, as a step for each column.

use super::after::{self, After};
use crate::exact::exp;
use crate::graph::{Edges, Function, TensorId};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::operands::one_if_alike;
use crate::onnx::rowwise::{Rowwise, Summand};
use crate::onnx::target::Target;

/// Where `x / (1 + e^-x)` is least.
const LEAST_AT: f64 = -1.278464542761074;

/// Where it is nothing to 24 bits.
const NOTHING_AT: f64 = -100.0;

/// Halvings of an interval in which a number is looked for.
const HALVINGS: usize = 64;

/// What becomes of the elements of a row, one of each for each element, or for each channel.
#[derive(Debug, Clone)]
pub(in crate::onnx) struct Columns {
    pub(in crate::onnx) factors: Vec<f32>,
    pub(in crate::onnx) summands: Vec<f32>,
    /// `x / (1 + e^-x)` comes last.
    pub(in crate::onnx) silu: bool,
}

impl Columns {
    /// Whether constants by columns, as many as `constant` has, can follow.
    pub(in crate::onnx) fn can_be_followed(&self, constant: &[f32]) -> bool {
        !self.silu && [1, self.factors.len()].contains(&constant.len())
    }

    /// Ends between which lie what comes of rows of as many elements, of size 1 at most.
    pub(super) fn ends(&self) -> [f32; 2] {
        let largest = |of: &[f32]| of.iter().fold(0.0, |most: f32, x| most.max(x.abs()));
        let most = (self.factors.len() as f32).sqrt() * largest(&self.factors);
        let most = most + largest(&self.summands);
        [-most, most]
    }

    /// The same with what has been done `after`.
    pub(super) fn followed(&self, after: &[After]) -> Result<Self, NodeError> {
        let columns = after::affine(after, self.factors.len());
        let columns = columns.ok_or(NodeError::NotMonotone { column: 0 })?;
        let mut followed = self.clone();
        let numbers = followed.factors.iter_mut().zip(&mut followed.summands);
        for ((factor, summand), (by, plus)) in numbers.zip(columns) {
            *factor = (f64::from(*factor) * by) as f32;
            *summand = (f64::from(*summand) * by + plus) as f32;
        }
        Ok(followed)
    }

    /// The codes of normalized elements after what has been done to them: `terms` are `unit` times these, for a sign.
    pub(super) fn outputs(
        &self,
        x: &Rowwise,
        builder: &mut Builder,
        terms: impl Fn(i64) -> Vec<Summand>,
        unit: f64,
        (after, target): (&[After], &Target),
    ) -> Result<TensorId, NodeError> {
        let columns = self.followed(after)?;
        let steps = |sign: f64| -> Vec<Edges> {
            let numbers = columns.factors.iter().zip(&columns.summands);
            let of = |(&factor, &summand): (&f32, &f32)| {
                columns.step(unit, f64::from(factor) * sign, f64::from(summand), sign, target)
            };
            one_if_alike(numbers.map(of).collect())
        };
        let (up, down) = (steps(1.0), steps(-1.0));
        let is_nothing = |steps: &[Edges]| steps.iter().all(|step| *step == nothing());
        if is_nothing(&down) {
            return x.codes(builder, "normalized", terms(1), up);
        }
        if is_nothing(&up) {
            return x.codes(builder, "normalized", terms(-1), down);
        }
        // Each has code 0 in the columns of the other.
        let up = x.codes(builder, "rising", terms(1), up)?;
        let down = x.codes(builder, "falling", terms(-1), down)?;
        let terms = [up, down].map(|tensor| (x.elements_of(tensor), Function::table(|code| code)));
        x.codes(builder, "normalized", terms.into(), vec![Edges::clamped()])
    }

    /// The step of a column's accumulators, `sign` times the normalized number in units of `1 / unit`, of which what comes
    /// is `factor` times that and `summand`: what the codes of both signs add up to is the column's code.
    fn step(&self, unit: f64, factor: f64, summand: f64, sign: f64, target: &Target) -> Edges {
        if factor == 0.0 {
            // Of zeros of either sign, one that is added and one that is not.
            let float = if self.silu { silu(summand) } else { summand };
            let first = if sign > 0.0 { target.code(float as f32) } else { 0 };
            return Edges { first, edges: [].into() };
        }
        let float = |code: u8| {
            let zero = f64::from(target.zero_code());
            (f64::from(code) - 0.5 - zero) * f64::from(target.to.scale)
        };
        let at = |value: f64| unit * ((value - summand) / factor);
        let (lowest, highest) = target.ends();
        if !self.silu {
            return match factor > 0.0 {
                true => Edges::rising(lowest, highest, |code| at(float(code))),
                false => nothing(),
            };
        }
        let lowest = target.code(silu(LEAST_AT) as f32);
        if factor > 0.0 {
            let value = |of: f64| found(|x| silu(x) >= of, [LEAST_AT, of.max(0.0) + 1.0]);
            return Edges::rising(lowest, highest, |code| at(value(float(code))));
        }
        // As the number falls below that of the least, what is left of codes rises again.
        let value = |of: f64| found(|x| silu(x) >= of, [LEAST_AT, NOTHING_AT]);
        let most = target.code(0.0) - lowest;
        Edges::rising(0, most, |code| at(value(float(lowest + code))))
    }
}

/// Code 0 whatever the accumulator.
fn nothing() -> Edges {
    Edges { first: 0, edges: [].into() }
}

/// `x / (1 + e^-x)`.
fn silu(x: f64) -> f64 {
    let exponential = exp(-x.abs());
    let sigmoid = if x < 0.0 { exponential } else { 1.0 } / (1.0 + exponential);
    x * sigmoid
}

/// The number from which on `holds`, on the way from the first of `ends`, where it may not, to the second, where it does.
fn found(holds: impl Fn(f64) -> bool, ends: [f64; 2]) -> f64 {
    let [mut from, mut to] = ends;
    for _ in 0..HALVINGS {
        let middle = (from + to) / 2.0;
        *(if holds(middle) { &mut to } else { &mut from }) = middle;
    }
    to
}
