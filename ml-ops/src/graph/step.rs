//! Requantization: monotone step functions from accumulators to 8-bit codes, and their thresholds.

/// Which runtime's arithmetic turns an accumulator into a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RoundingProfile {
    /// ONNX Runtime and LiteRT's default kernels: accumulator to float32, float32 product with the
    /// scale, clamp, round half to even, add the zero point.
    OrtF32Rne,
}

/// A monotone non-decreasing function from accumulators to codes:
/// `zero_point + RNE(clamp(f32(acc) * scale, qmin - zero_point, qmax - zero_point)) - type_min`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Factor, finite and positive: input scale times weight scale over output scale, in float32.
    pub scale: f32,
    /// The output's zero point, in the output type's own values.
    pub zero_point: i32,
    /// Smallest output value: the type's, or more where a Relu or Clip is folded in.
    pub qmin: i32,
    /// Largest output value: the type's, or less where a Clip is folded in.
    pub qmax: i32,
    /// The output type's smallest value (0 or -128), which has code 0.
    pub type_min: i32,
    /// The arithmetic.
    pub profile: RoundingProfile,
}

impl Step {
    /// The code of an accumulator. Precondition: the step belongs to a valid graph.
    #[inline]
    pub fn code(&self, acc: i64) -> u8 {
        match self.profile {
            RoundingProfile::OrtF32Rne => {
                let low = (self.qmin - self.zero_point) as f32;
                let high = (self.qmax - self.zero_point) as f32;
                let scaled = (acc as f32 * self.scale).max(low).min(high);
                (round_ties_even(scaled) + self.zero_point - self.type_min) as u8
            }
        }
    }

    /// For each code the inclusive range `(lo, hi)` of the accumulators in `[-bound, bound]` that it
    /// stands for, `None` if it never occurs: 256 entries, whose ranges partition `[-bound, bound]`
    /// in increasing order. Precondition: `0 <= bound < 2^62`.
    pub fn thresholds(&self, bound: i64) -> Vec<Option<(i64, i64)>> {
        let mut table = vec![None; 256];
        let mut lo = -bound;
        while lo <= bound {
            let code = self.code(lo);
            let hi = self.last_with(code, lo, bound);
            table[usize::from(code)] = Some((lo, hi));
            lo = hi + 1;
        }
        table
    }

    /// The last of `lo ..= bound` whose code is `code`, which is that of `lo`.
    fn last_with(&self, code: u8, lo: i64, bound: i64) -> i64 {
        // Where exact arithmetic rounds up to the next code, give or take a few accumulators.
        let value = i32::from(code) + self.type_min - self.zero_point;
        let edge = (f64::from(value) + 0.5) / f64::from(self.scale);
        let guess = (edge.floor() as i64).clamp(lo, bound);
        let (mut inside, mut limit) = (lo, bound + 1);
        let mut reach = 1;
        if self.code(guess) == code {
            inside = guess;
            while inside + reach < limit && self.code(inside + reach) == code {
                inside += reach;
                reach *= 2;
            }
            limit = limit.min(inside + reach);
        } else {
            limit = guess;
            while limit - reach > inside && self.code(limit - reach) != code {
                limit -= reach;
                reach *= 2;
            }
            inside = inside.max(limit - reach);
        }
        // `inside` has the code, `limit` has not.
        while limit - inside > 1 {
            let middle = inside + (limit - inside) / 2;
            if self.code(middle) == code {
                inside = middle;
            } else {
                limit = middle;
            }
        }
        inside
    }
}

/// The nearest integer, ties to even. Precondition: `|x| < 2^22`.
#[inline]
fn round_ties_even(x: f32) -> i32 {
    // Floats from 2^23 on are integers, and sums round to the nearest, ties to even.
    const INTEGERS: f32 = (3 << 22) as f32;
    (x + INTEGERS - INTEGERS) as i32
}

/// The epilogue that turns a matmul's accumulators into codes.
#[derive(Debug, Clone, PartialEq)]
pub struct Requantize {
    /// One step for all output columns, or one for each.
    pub steps: Vec<Step>,
}

impl Requantize {
    /// The step of output column `column`.
    pub fn step(&self, column: usize) -> &Step {
        match self.steps.as_slice() {
            [only] => only,
            steps => &steps[column],
        }
    }
}
