//! Averages of a dequantized tensor: a step function of sums of codes less their zero.

use super::exact::multiples;
use crate::graph::{CodeType, Epilogue, Function, TensorId, TensorKind, quantize};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::matrix::Matrix;
use crate::onnx::steps;
use crate::onnx::value::{Floats, Scaling, Target};

/// Averages of a dequantized tensor.
///
/// The runtime adds up float32 numbers, in an order of its own, whose sum is one rounding or a few away from
/// the exact one. The exact sum, rounded once, stands for it.
#[derive(Debug)]
pub(in crate::onnx) struct Average {
    pub(in crate::onnx) name: String,
    /// What each of `columns` averages is of, for each row.
    pub(in crate::onnx) x: Matrix,
    pub(in crate::onnx) columns: usize,
    pub(in crate::onnx) summands: Summands,
    /// The type of the codes.
    pub(in crate::onnx) dtype: CodeType,
    /// The number that sums are divided by.
    pub(in crate::onnx) count: usize,
    /// What the elements of each sum are multiplied with, if sums are of different numbers of them.
    pub(in crate::onnx) weights: Option<Matrix>,
    pub(in crate::onnx) formula: Formula,
}

/// The floats that are added up, as integers at a scale.
#[derive(Debug)]
pub(in crate::onnx) struct Summands {
    table: Box<[i64; 256]>,
    scale: f64,
    /// Integers are codes less this.
    pub(in crate::onnx) zero_code: Option<u8>,
}

/// The largest integer for a float that is none of a scale's, and the largest sum of them.
const LARGEST: usize = 1 << 26;
const LARGEST_SUM: usize = 1 << 30;

impl Summands {
    /// Codes less their zero.
    pub(in crate::onnx) fn scaled(from: Scaling, zero_code: u8) -> Self {
        let table = std::array::from_fn(|code| code as i64 - i64::from(zero_code));
        Self { table: Box::new(table), scale: from.scale.into(), zero_code: Some(zero_code) }
    }

    /// Codes less their zero, if that is what floats are of, or else the nearest of levels, at most `2^27`, that leave
    /// room for sums of `taps`.
    pub(in crate::onnx) fn of(floats: &Floats, taps: usize) -> Self {
        if floats.pure {
            return Self::scaled(floats.scaling, floats.zero_code());
        }
        let scale = floats.scaling.scale;
        if let Some(table) = multiples(&floats.images, scale) {
            return Self { table, scale: scale.into(), zero_code: None };
        }
        let most = floats.images.iter().fold(f32::MIN_POSITIVE, |most, x| x.abs().max(most));
        let scale = f64::from(most) / (LARGEST_SUM / taps.max(1)).clamp(1, LARGEST) as f64;
        let table = floats.images.map(|x| (f64::from(x) / scale).round_ties_even() as i64);
        Self { table: Box::new(table), scale, zero_code: None }
    }

    /// Bound on the size of a sum of `taps`.
    fn bound(&self, taps: usize) -> i64 {
        let largest = self.table.iter().map(|value| value.abs()).max().unwrap_or(0);
        (taps as i64).saturating_mul(largest)
    }
}

/// How the runtime makes a code of a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::onnx) enum Formula {
    /// QLinearAveragePool: dequantized, added up, divided, and rounded with the zero point added.
    Pool,
    /// QLinearGlobalAveragePool: integers added up, and scaled once.
    Global,
    /// ReduceMean: dequantized, added up, divided, and quantized.
    Mean,
}

impl Average {
    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let &Target { to: Scaling { scale, zero_point }, dtype, .. } = target;
        let count = self.count as f32;
        let code = |x: f32| {
            let x = x.max(dtype.min() as f32).min(dtype.max() as f32);
            (x as i32 - dtype.min()) as u8
        };
        let (lowest, highest) = target.ends();
        let mean = |sum: i64| (sum as f64 * self.summands.scale) as f32 / count;
        // The runtime has kernels for tensors of one type.
        let formula = if self.dtype == dtype { self.formula } else { Formula::Mean };
        let step = |sum: i64| {
            let unbounded = match formula {
                Formula::Pool => code((mean(sum) / scale + zero_point as f32).round_ties_even()),
                Formula::Mean => quantize(mean(sum), scale, zero_point, dtype),
                Formula::Global => {
                    let scaled = sum as f32 * (self.summands.scale as f32 / (scale * count));
                    code(scaled.round_ties_even() + zero_point as f32)
                }
            };
            unbounded.clamp(lowest, highest)
        };
        let taps = self.x.size().1 / self.columns;
        let most = if self.weights.is_some() { 255 } else { 1 };
        let edges = steps::edges(most * self.summands.bound(taps), step);
        let edges = edges.ok_or(NodeError::NotMonotone { column: 0 })?;
        let function = match (&self.weights, self.summands.zero_code) {
            (Some(weights), Some(zero)) => builder.source(weights, true)?.factor([zero, 0], 1),
            _ => Function::Table(self.summands.table.clone()),
        };
        let terms = vec![(self.x.clone(), function)];
        let epilogue = Epilogue::Edges(vec![edges]);
        builder.combine(&self.name, self.columns, terms, TensorKind::Code, epilogue)
    }
}
