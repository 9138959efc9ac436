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
                (scaled.round_ties_even() as i32 + self.zero_point - self.type_min) as u8
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
            let (mut inside, mut limit) = (lo, bound);
            while inside < limit {
                let middle = inside + (limit - inside + 1) / 2;
                if self.code(middle) == code {
                    inside = middle;
                } else {
                    limit = middle - 1;
                }
            }
            table[usize::from(code)] = Some((lo, inside));
            lo = inside + 1;
        }
        table
    }
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
