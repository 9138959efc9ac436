//! The graph's float input before its QuantizeLinear: what operations with constants make of it.

use super::arithmetic::{Operation, uniform};
use super::constants;
use super::error::NodeError;
use super::view::View;
use crate::array::{Array, ArrayData};
use crate::graph::{FloatOperation, FloatOperator, InputTransform};

/// Most constants of an operation.
pub(super) const MOST_NUMBERS: usize = 1 << 24;

/// The graph's float input, after operations that whoever holds it can do.
#[derive(Debug, Clone)]
pub(super) struct FloatInput {
    pub(super) view: View,
    pub(super) operations: Vec<FloatOperation>,
}

impl FloatInput {
    /// After `operation` with a constant, operand `index`, which is its first operand or its second.
    pub(super) fn followed(
        &self,
        constant: &Array,
        operation: Operation,
        first: bool,
        index: usize,
    ) -> Result<Self, NodeError> {
        let (numbers, run) = self.numbers(constant, index)?;
        if operation == Operation::Div && numbers.contains(&0.0) {
            return Err(NodeError::NotOnGrid { index, value: 0.0 });
        }
        let negative = |numbers: Vec<f32>| numbers.into_iter().map(|c| -c).collect();
        let (operator, numbers) = match operation {
            Operation::Add => (FloatOperator::Add, numbers),
            Operation::Sub if first => (FloatOperator::Add, numbers),
            Operation::Sub => (FloatOperator::Add, negative(numbers)),
            Operation::Mul => (FloatOperator::Mul, numbers),
            Operation::Div if !first => (FloatOperator::Div, numbers),
            Operation::Round if !first => (FloatOperator::Round, numbers),
            Operation::Div | Operation::Slope | Operation::Round => {
                let expected = "a dequantized tensor";
                return Err(NodeError::Operand { index: usize::from(first), expected });
            }
        };
        let mut made = self.clone();
        if first && operation == Operation::Sub {
            made.push(FloatOperator::Mul, vec![-1.0], 1);
        }
        made.push(operator, numbers, run);
        Ok(made)
    }

    /// Each rounded to an integer, to which a constant, operand `index`, is added.
    pub(super) fn rounded(&self, constant: &Array, index: usize) -> Result<Self, NodeError> {
        let (numbers, run) = self.numbers(constant, index)?;
        let mut made = self.clone();
        made.push(FloatOperator::Round, numbers, run);
        Ok(made)
    }

    /// The floats clamped to `[low, high]`.
    pub(super) fn clamped(&self, low: f32, high: f32) -> Self {
        let mut made = self.clone();
        for (operator, bound) in [(FloatOperator::AtLeast, low), (FloatOperator::AtMost, high)] {
            if bound.is_finite() {
                made.push(operator, vec![bound], 1);
            }
        }
        made
    }

    /// 1 where a float is at least that of a constant, operand `index`, or, `beyond`, above it, and 0 elsewhere.
    pub(super) fn at_least(
        &self,
        constant: &Array,
        beyond: bool,
        index: usize,
    ) -> Result<Self, NodeError> {
        let (mut least, run) = self.numbers(constant, index)?;
        if beyond {
            least.iter_mut().for_each(|bound| *bound = bound.next_up());
        }
        if let Some(&value) = least.iter().find(|bound| bound.abs() >= f32::MAX) {
            return Err(NodeError::NotOnGrid { index, value });
        }
        // Two floats are left, next to each other, whose distance is exact.
        let below: Vec<f32> = least.iter().map(|bound| bound.next_down()).collect();
        let distances = least.iter().zip(&below).map(|(bound, below)| bound - below).collect();
        let negated = below.iter().map(|below| -below).collect();
        let mut made = self.clone();
        made.push(FloatOperator::AtLeast, below, run);
        made.push(FloatOperator::AtMost, least, run);
        made.push(FloatOperator::Add, negated, run);
        made.push(FloatOperator::Div, distances, run);
        Ok(made)
    }

    /// What turns the input array into codes: the operations, and `then` what quantizes.
    pub(super) fn transform(&self, then: InputTransform) -> InputTransform {
        if self.operations.is_empty() {
            return then;
        }
        let operations = self.operations.clone();
        InputTransform::Computed { operations, then: Box::new(then) }
    }

    fn push(&mut self, operator: FloatOperator, numbers: Vec<f32>, run: usize) {
        self.operations.push(FloatOperation { operator, numbers, run });
    }

    /// A constant, operand `index`, that is broadcast to the floats, in the order of the input's elements, and how many
    /// elements on end share one of its numbers.
    fn numbers(&self, constant: &Array, index: usize) -> Result<(Vec<f32>, usize), NodeError> {
        let ArrayData::F32(values) = constant.data() else {
            return Err(NodeError::OperandType { index });
        };
        if let Some(&value) = values.iter().find(|c| !c.is_finite()) {
            return Err(NodeError::NotOnGrid { index, value });
        }
        match uniform(values, index) {
            Ok(number) => Ok((vec![number], 1)),
            Err(_) => self.laid_out(values, &self.aligned(constant, index)?, index),
        }
    }

    /// The shape of a constant that is broadcast to the floats: for each dimension its size or 1.
    fn aligned(&self, constant: &Array, index: usize) -> Result<Vec<usize>, NodeError> {
        let shape = constants::shape(constant, self.view.rank(), index)?;
        let fits = shape.iter().zip(self.view.shape()).all(|(&size, of)| size == 1 || size == of);
        let (expected, got) = (self.view.elements(), constant.data().len());
        if fits { Ok(shape) } else { Err(NodeError::OperandShape { index, expected, got }) }
    }

    /// `values` of `shape` in the order of the input's elements, and how many elements on end share one.
    fn laid_out(
        &self,
        values: &[f32],
        shape: &[usize],
        index: usize,
    ) -> Result<(Vec<f32>, usize), NodeError> {
        // The digits of an element's number in the input, each with its step among `values`, and whether it counts down.
        let mut digits = Vec::new();
        let mut stride = values.len();
        for (dim, &size) in shape.iter().enumerate() {
            stride /= size;
            let mut inner = self.view.size(dim);
            for digit in self.view.digits(dim) {
                inner /= digit.size;
                let step = if size > 1 { inner * stride } else { 0 };
                let (of_input, down) = (self.step(digit.axis, digit.step.abs()), digit.step < 0);
                digits.push((of_input, digit.size, step, down));
            }
        }
        digits.sort_unstable_by(|a, b| b.cmp(a));
        if !self.is_whole() {
            return Err(NodeError::NoView { index });
        }
        // Each element must be there once.
        let mut elements = 1;
        for &(of_input, size, ..) in digits.iter().rev() {
            if of_input != Some(elements) {
                return Err(NodeError::NoView { index });
            }
            elements *= size;
        }
        let varies = |digit: &(_, usize, usize, bool)| digit.2 > 0;
        let last = digits.iter().rposition(varies).map_or(0, |last| last + 1);
        let run = digits[last..].iter().map(|&(_, size, ..)| size).product();
        let begin = digits.iter().position(varies).unwrap_or(last);
        let digits = &digits[begin..last];
        let count = digits.iter().fold(1usize, |n, &(_, size, ..)| n.saturating_mul(size));
        if count > MOST_NUMBERS {
            return Err(NodeError::OperandShape { index, expected: MOST_NUMBERS, got: count });
        }
        let number = |at: usize| {
            let (mut rest, mut place) = (at, 0);
            for &(_, size, step, down) in digits.iter().rev() {
                let digit = rest % size;
                place += if down { size - 1 - digit } else { digit } * step;
                rest /= size;
            }
            values[place]
        };
        Ok(((0..count).map(number).collect(), run))
    }

    /// Elements of the input from one step of a digit to the next.
    fn step(&self, axis: Option<usize>, step: i64) -> Option<usize> {
        let (at, step) = (axis?, usize::try_from(step).ok()?);
        let within: usize = self.view.axes[at + 1..].iter().map(|axis| axis.size).product();
        Some(step * within)
    }

    /// Whether the elements along each axis are counted from the first on, or, backwards, from the last.
    fn is_whole(&self) -> bool {
        self.view.axes.iter().enumerate().all(|(at, axis)| {
            let of_axis = self.view.dims.iter().flatten().filter(|digit| digit.axis == Some(at));
            let down = of_axis.map(|digit| digit.step.min(0) * (digit.size as i64 - 1));
            axis.offset == -down.sum::<i64>()
        })
    }
}
