//! How far integers may be from the floats that they stand for, and whether an output's codes are too fine for that.

use super::builder::Builder;
use super::error::NodeError;
use super::rowwise::Summand;
use super::value::MatMulOperands;
use crate::graph::{Edges, Epilogue, Function, TensorId};
use std::collections::HashMap;

/// Of so many codes one may be expected to be beside that of the float.
const OF_CODES: f64 = 32.0;

/// The mean size of a sum of independent numbers, for a mean square of 1.
const MEAN: f64 = 0.8;

/// How far the integers of a tensor may be from what they stand for, in their own units.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Off {
    /// At most.
    pub(super) most: f64,
    /// The mean square, where roundings are independent.
    square: f64,
}

impl Off {
    /// Numbers up to `most`, all alike often.
    pub(super) fn of(most: f64) -> Self {
        Self { most, square: most * most / 3.0 }
    }

    /// That of a sum of numbers that are `sizes` times these in all, `squares` times their squares.
    fn times(self, sizes: f64, squares: f64) -> Self {
        Self { most: self.most * sizes, square: self.square * squares }
    }

    fn plus(self, other: Self) -> Self {
        Self { most: self.most + other.most, square: self.square + other.square }
    }

    /// Whether codes whose steps are `step` apart at least are the float's but for a few, which are beside it.
    fn is_fine(self, step: f64) -> bool {
        self.most < step && self.square.sqrt() * MEAN * OF_CODES <= step
    }
}

/// How far the integers of tensors may be off; of those that are not here they are exact.
#[derive(Debug, Default)]
pub(super) struct Precision(HashMap<TensorId, Off>);

impl Precision {
    /// That of a tensor.
    pub(super) fn of(&self, tensor: TensorId) -> Off {
        self.0.get(&tensor).copied().unwrap_or_default()
    }

    /// Says that of a tensor.
    pub(super) fn set(&mut self, tensor: TensorId, off: Off) {
        if off != Off::default() {
            self.0.insert(tensor, off);
        }
    }

    /// Takes tensors for exact until they are put back, as where steps of them are finer than what they may be off.
    pub(super) fn set_aside(&mut self, tensors: impl Iterator<Item = TensorId>) -> Self {
        Self(tensors.filter_map(|tensor| self.0.remove_entry(&tensor)).collect())
    }

    /// Puts back what was set aside.
    pub(super) fn put_back(&mut self, aside: Self) {
        self.0.extend(aside.0);
    }

    /// That of a sum.
    pub(super) fn of_sum(&self, terms: &[Summand], columns: usize) -> Off {
        let of = |(matrix, function): &Summand| match function {
            Function::Times(factor) => {
                let taps = (matrix.size().1 / columns.max(1)) as f64;
                let factor = *factor as f64;
                self.of(matrix.view.tensor).times(factor.abs() * taps, factor * factor * taps)
            }
            // Of codes.
            Function::Table(_) | Function::Product { .. } => Off::default(),
        };
        terms.iter().map(of).fold(Off::default(), Off::plus)
    }
}

impl Builder {
    /// What the accumulators of a matmul of tensor `x` may be off by, in its worst column; an error if that is too much for
    /// the codes that `epilogue` gives.
    pub(super) fn off_of_matmul(
        &self,
        x: TensorId,
        operands: &MatMulOperands,
        epilogue: &Epilogue,
    ) -> Result<Off, NodeError> {
        let off = self.precision.of(x);
        let mut worst = Off::default();
        if off == worst {
            return Ok(off);
        }
        for column in 0..operands.weights.n {
            let (mut sizes, mut squares) = (0.0, 0.0);
            for weight in operands.weights.column(column) {
                sizes += (weight as f64).abs();
                squares += (weight as f64).powi(2);
            }
            let of_column = off.times(sizes, squares);
            check(of_column, epilogue, column, operands.bound(column))?;
            worst.most = worst.most.max(of_column.most);
            worst.square = worst.square.max(of_column.square);
        }
        Ok(worst)
    }

    /// What a sum may be off by; an error if that is too much for the codes that `epilogue` gives.
    pub(super) fn off_of_sum(
        &self,
        terms: &[Summand],
        columns: usize,
        epilogue: &Epilogue,
    ) -> Result<Off, NodeError> {
        let off = self.precision.of_sum(terms, columns);
        let all = match epilogue {
            Epilogue::Accumulator => 0,
            Epilogue::Edges(edges) => edges.len(),
            Epilogue::Requantize(requantize) => requantize.steps.len(),
        };
        (0..all).try_for_each(|column| check(off, epilogue, column, i64::MAX))?;
        Ok(off)
    }
}

/// Refuses codes of a column that are too fine; numbers lie in `[-bound, bound]`.
fn check(off: Off, epilogue: &Epilogue, column: usize, bound: i64) -> Result<(), NodeError> {
    if off == Off::default() {
        return Ok(());
    }
    let step = match epilogue {
        Epilogue::Accumulator => return Ok(()),
        Epilogue::Requantize(requantize) => 1.0 / f64::from(requantize.step(column).scale),
        Epilogue::Edges(edges) => match edges.as_slice() {
            [only] => apart(only, bound),
            edges => edges.get(column).map_or(0.0, |edges| apart(edges, bound)),
        },
    };
    if off.is_fine(step) { Ok(()) } else { Err(NodeError::TooCoarse { column }) }
}

/// How far edges are apart at least, of those in `[-bound, bound]`.
fn apart(edges: &Edges, bound: i64) -> f64 {
    let inside = |edge: &i64| (bound.saturating_neg()..=bound).contains(edge);
    let pairs = edges.edges.windows(2).filter(|pair| pair.iter().all(inside));
    pairs.map(|pair| pair[1] as f64 - pair[0] as f64).fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_too_fine_where_steps_are_near_to_what_numbers_are_off_by() {
        let edges = |step: i64| Epilogue::Edges(vec![Edges { first: 0, edges: [0, step].into() }]);
        let refused = Err(NodeError::TooCoarse { column: 0 });
        // Half a unit each, of one number: 0.23 in the mean.
        assert_eq!(check(Off::of(0.5), &edges(8), 0, 100), Ok(()));
        assert_eq!(check(Off::of(0.5), &edges(7), 0, 100), refused);
        // Of a thousand it is in the mean what 32 are of one, but at most what all are.
        let of_many = Off::of(0.5).times(1000.0, 1000.0);
        assert_eq!(check(of_many, &edges(501), 0, 1000), Ok(()));
        assert_eq!(check(of_many, &edges(499), 0, 1000), refused);
        // An edge that no number comes to is none.
        assert_eq!(check(of_many, &edges(9), 0, 8), Ok(()));
        assert_eq!(check(Off::default(), &edges(0), 0, 8), Ok(()));
        assert_eq!(check(of_many, &Epilogue::Accumulator, 0, 8), Ok(()));
    }
}
