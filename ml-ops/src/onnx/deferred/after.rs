//! Operations with constants between a matmul and its QuantizeLinear.

use crate::onnx::arithmetic::Operation;
use crate::onnx::error::NodeError;
use crate::onnx::operands::of_column;

/// An operation with a constant that follows on the result of a matmul.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::onnx) struct After {
    pub(in crate::onnx) operation: Operation,
    /// One number, or one for each column.
    pub(in crate::onnx) constant: Vec<f32>,
    /// The constant is the first operand.
    pub(in crate::onnx) first: bool,
}

impl After {
    fn of(&self, column: usize, x: f32) -> f32 {
        let constant = of_column(&self.constant, column);
        if self.first { self.operation.of(constant, x) } else { self.operation.of(x, constant) }
    }

    /// What it adds, if it is an addition.
    pub(super) fn summand(&self) -> Option<&[f32]> {
        (self.operation == Operation::Add).then_some(&self.constant)
    }

    /// Whether it reverses the order of floats; `None` if it does neither that nor keep it.
    pub(super) fn reverses(&self, column: usize) -> Option<bool> {
        let constant = of_column(&self.constant, column);
        match self.operation {
            Operation::Add | Operation::Round => Some(false),
            Operation::Sub => Some(self.first),
            Operation::Mul => Some(constant < 0.0),
            Operation::Slope => (constant >= 0.0).then_some(false),
            Operation::Div if self.first => None,
            Operation::Div => Some(constant < 0.0),
        }
    }
}

/// The factor and the summand of each of `columns` columns that `after` comes to; `None` if it is no affine function.
pub(super) fn affine(after: &[After], columns: usize) -> Option<Vec<(f64, f64)>> {
    let column = |column: usize| {
        after.iter().try_fold((1.0, 0.0), |(factor, summand), after| {
            let constant = f64::from(of_column(&after.constant, column));
            match after.operation {
                Operation::Add => Some((factor, summand + constant)),
                Operation::Sub if after.first => Some((-factor, constant - summand)),
                Operation::Sub => Some((factor, summand - constant)),
                Operation::Mul => Some((factor * constant, summand * constant)),
                Operation::Div if !after.first => Some((factor / constant, summand / constant)),
                Operation::Div | Operation::Slope | Operation::Round => None,
            }
        })
    };
    (0..columns).map(column).collect()
}

/// What has become of the float `x` in a column.
pub(super) fn value(after: &[After], column: usize, x: f32) -> f32 {
    after.iter().fold(x, |x, after| after.of(column, x))
}

/// For each of `columns` columns whether `after` reverses the order of floats.
pub(super) fn falls(after: &[After], columns: usize) -> Result<Vec<bool>, NodeError> {
    let falls = |column: usize| {
        let reversals = after.iter().map(|after| after.reverses(column));
        let falls = reversals.reduce(|a, b| Some(a? ^ b?)).unwrap_or(Some(false));
        falls.ok_or(NodeError::NotMonotone { column })
    };
    (0..columns).map(falls).collect()
}
