//! What is done to the floats of an input before they are quantized: operations with constants, element by element.

use super::PortError;

/// An operation with a constant on each float of a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct FloatOperation {
    /// What is done.
    pub operator: FloatOperator,
    /// The constants, finite; those of a division are not zero. Number `i / run % numbers.len()` is that of
    /// element `i` of a sample, of which there are a multiple of `run * numbers.len()`.
    pub numbers: Vec<f32>,
    /// Elements on end that share a constant, at least 1.
    pub run: usize,
}

/// An operator on a float `x` and a constant `c`, rounded to float32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FloatOperator {
    /// `x + c`.
    Add,
    /// `x * c`.
    Mul,
    /// `x / c`.
    Div,
    /// The larger of both.
    AtLeast,
    /// The smaller of both.
    AtMost,
    /// The integer nearest to `x`, of two the even one, plus `c`.
    Round,
}

impl FloatOperator {
    fn of(self, x: f32, c: f32) -> f32 {
        match self {
            Self::Add => x + c,
            Self::Mul => x * c,
            Self::Div => x / c,
            // What is not a number stays so.
            Self::AtLeast if x < c => c,
            Self::AtMost if x > c => c,
            Self::AtLeast | Self::AtMost => x,
            Self::Round => x.round_ties_even() + c,
        }
    }
}

impl FloatOperation {
    /// Whether it is one of samples of `elements`.
    pub(super) fn is_valid(&self, elements: usize) -> bool {
        let is_constant =
            |c: &f32| c.is_finite() && (self.operator != FloatOperator::Div || *c != 0.0);
        let period = self.run.checked_mul(self.numbers.len());
        period.is_some_and(|period| period > 0 && elements.is_multiple_of(period))
            && self.numbers.iter().all(is_constant)
    }

    /// What becomes of `floats`, whole samples.
    fn apply(&self, floats: &mut [f32]) {
        let constants = self.numbers.iter().cycle();
        for (run, &constant) in floats.chunks_mut(self.run.max(1)).zip(constants) {
            run.iter_mut().for_each(|x| *x = self.operator.of(*x, constant));
        }
    }
}

/// What `operations`, one after the other, make of `floats`, whole samples.
///
/// # Errors
/// [`PortError::NotANumber`] if one is or becomes none.
pub(super) fn after(operations: &[FloatOperation], floats: &[f32]) -> Result<Vec<f32>, PortError> {
    let mut floats = floats.to_vec();
    operations.iter().for_each(|operation| operation.apply(&mut floats));
    match floats.iter().position(|x| x.is_nan()) {
        Some(index) => Err(PortError::NotANumber { index }),
        None => Ok(floats),
    }
}
