//! Softmax along the last dimension: distances from the maximum, and the logarithm of the sum of their exponentials.

use crate::graph::{CodeType, Edges, Function, TensorId, quantize};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::exact::{exp, ln};
use crate::onnx::rowwise::Rowwise;
use crate::onnx::value::Scaling;
use crate::onnx::view::View;

/// Fixed-point unit of exponentials and logarithms.
pub(crate) const UNIT: f64 = 65536.0;

/// Steps of one code.
const STEPS: u32 = 255;

/// The distance from the maximum that stands for an element that is left out.
const LEFT_OUT: i64 = 255;

/// Most codes that hold the sum of a row.
const MAX_PARTS: u32 = 8;

/// Half the spacing of sums' levels, as far as it goes into an output, in units of the output's code: what the
/// number of parts is chosen for.
const TOLERANCE: f64 = 0.51;

/// Softmax of a dequantized tensor along its last dimension.
#[derive(Debug)]
pub(in crate::onnx) struct Softmax {
    pub(in crate::onnx) x: Rowwise,
    /// Scale of the dequantized tensor.
    pub(in crate::onnx) scale: f32,
    /// Codes that are 0 for the elements that are left out, broadcast to the tensor.
    pub(in crate::onnx) mask: Option<View>,
}

impl Softmax {
    /// The codes of `e^(x - max) / sum` in `to`.
    pub(in crate::onnx) fn quantize(
        &self,
        builder: &mut Builder,
        (low, high): (f32, f32),
        to: Scaling,
        dtype: CodeType,
    ) -> Result<TensorId, NodeError> {
        let (x, scale) = (&self.x, f64::from(self.scale));
        let below = self.below(builder)?;
        let is_left_out = |code: i64| self.mask.is_some() && code == LEFT_OUT;
        let one = f64::from(1u32 << exponential_bits(x.length()));
        let e = Function::table(|code| match is_left_out(code) {
            true => 0,
            false => (one * exp(-scale * code as f64)).round_ties_even() as i64,
        });
        let zero = f64::from(to.zero_point);
        let output = f64::from(to.scale);
        let levels = Levels::new(x.length(), output, output * (f64::from(dtype.max()) - zero));
        let distance = |code: i64| {
            let exponent = if is_left_out(code) { 64.0 } else { (scale * code as f64).min(64.0) };
            -(UNIT * exponent).round_ties_even() as i64
        };
        let mut terms = vec![(x.elements_of(below), Function::table(distance))];
        for part in 0..levels.parts {
            let summed = vec![(x.elements_of(below), e.clone())];
            let (step, function) = (levels.edges(part, one), levels.logarithms(part));
            let name = if levels.parts == 1 { "sum".to_owned() } else { format!("sum{part}") };
            let sum = x.row_codes(builder, &name, summed, step)?;
            terms.push((x.broadcast(sum), function));
        }
        let bound = |x: f32| quantize(x, to.scale, to.zero_point, dtype);
        let (lowest, highest) = (bound(low), bound(high));
        let zero_code = (to.zero_point - dtype.min()) as u8;
        let first = zero_code.clamp(lowest, highest);
        let least = |code: u8| UNIT * ln((f64::from(code) - f64::from(zero_code) - 0.5) * output);
        x.codes(builder, "softmax", terms, vec![Edges::rising(first, highest, least)])
    }
}

impl Softmax {
    /// How far each element is below the largest of its row: 0 to 255, or 0 to 254 and 255 for those that are left out.
    fn below(&self, builder: &mut Builder) -> Result<TensorId, NodeError> {
        let x = &self.x;
        let identity = Edges::clamped();
        // What is left out is beyond all codes.
        let left_out = |by: i64| move |code: i64| if code == 0 { by } else { 0 };
        let Some(mask) = &self.mask else {
            let most = x.maximum(builder, x.elements())?;
            let terms = vec![
                (x.broadcast(most), Function::table(|code| code)),
                (x.elements(), Function::table(|code| -code)),
            ];
            return x.codes(builder, "below", terms, vec![identity]);
        };
        let mask = || x.repeated(mask);
        let terms = vec![
            (x.elements(), Function::table(|code| code)),
            (mask(), Function::table(left_out(-255))),
        ];
        let kept = x.codes(builder, "kept", terms, vec![identity])?;
        let most = x.maximum(builder, x.elements_of(kept))?;
        let terms = vec![
            (x.broadcast(most), Function::table(|code| code)),
            (x.elements(), Function::table(|code| -code)),
            (mask(), Function::table(left_out(1024))),
        ];
        let least = |code: u8| if i64::from(code) == LEFT_OUT { 512.0 } else { f64::from(code) };
        x.codes(builder, "below", terms, vec![Edges::rising(0, 255, least)])
    }
}

/// Bits of an exponential of 1 in rows of `length`, which leave room for the sum of a row in 31.
pub(crate) fn exponential_bits(length: usize) -> u32 {
    29u32.saturating_sub(length.ilog2()).min(16)
}

/// Levels of `s`, the sum of exponentials of which the largest is 1, between 1 and the number of summands.
///
/// An output is at most `y(s) = min(most, 1/s)`, and moves by `y dln(s)` with the logarithm of the sum. Levels are
/// spaced evenly in the integral of that from 1 on: `most ln(s)` up to `1/most`, and on by `most - 1/s`.
pub(crate) struct Levels {
    /// Codes that number the levels.
    pub(crate) parts: u32,
    /// The integral at the largest sum.
    whole: f64,
    /// The largest output that the output's codes hold, between 0 and 1.
    most: f64,
}

impl Levels {
    /// Those for sums of `n` exponentials, into outputs of at most `most` in steps of `scale`.
    pub(crate) fn new(n: usize, scale: f64, most: f64) -> Self {
        let most = most.clamp(scale.min(1.0), 1.0);
        let least = 1.0 / n as f64;
        let whole = if least >= most { -most * ln(least) } else { most - least - most * ln(most) };
        let parts = (whole / (2.0 * TOLERANCE * scale * f64::from(STEPS))).ceil();
        Self { parts: (parts as u32).clamp(1, MAX_PARTS), whole, most }
    }

    /// The logarithm of the sum at `level`, of `255 * parts` and between them.
    fn logarithm(&self, level: f64) -> f64 {
        let at = self.whole * level / f64::from(STEPS * self.parts);
        let turn = -self.most * ln(self.most);
        if at <= turn { at / self.most } else { -ln(self.most - (at - turn)) }
    }

    /// The step that takes a sum in units of `1 / one` to the levels of a part that it has passed.
    pub(crate) fn edges(&self, part: u32, one: f64) -> Edges {
        let least = |code: u8| {
            let level = f64::from(STEPS * part + u32::from(code)) - 0.5;
            one / exp(-self.logarithm(level))
        };
        Edges::rising(0, 255, least)
    }

    /// What the levels of a part that a sum has passed take off the logarithm of an output.
    pub(crate) fn logarithms(&self, part: u32) -> Function {
        let of = |code: i64| {
            let level = f64::from(STEPS * part) + code as f64;
            (UNIT * self.logarithm(level)).round_ties_even() as i64
        };
        Function::table(|code| of(0) - of(code))
    }
}
