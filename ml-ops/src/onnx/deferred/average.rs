//! Averages of a dequantized tensor: a step function of sums of codes less their zero.

use crate::graph::{Epilogue, Function, TensorId, TensorKind, quantize};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::matrix::Matrix;
use crate::onnx::steps;
use crate::onnx::value::{Scaling, Target};

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
    pub(in crate::onnx) from: Scaling,
    pub(in crate::onnx) zero_code: u8,
    /// The number that sums are divided by.
    pub(in crate::onnx) count: usize,
    pub(in crate::onnx) formula: Formula,
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
        let mean = |sum: i64| (sum as f64 * f64::from(self.from.scale)) as f32 / count;
        let step = |sum: i64| {
            let unbounded = match self.formula {
                Formula::Pool => code((mean(sum) / scale + zero_point as f32).round_ties_even()),
                Formula::Mean => quantize(mean(sum), scale, zero_point, dtype),
                Formula::Global => {
                    let scaled = sum as f32 * (self.from.scale / (scale * count));
                    code(scaled.round_ties_even() + zero_point as f32)
                }
            };
            unbounded.clamp(lowest, highest)
        };
        let taps = self.x.size().1 / self.columns;
        let zero = i64::from(self.zero_code);
        let bound = taps as i64 * zero.max(255 - zero);
        let edges = steps::edges(bound, step).ok_or(NodeError::NotMonotone { column: 0 })?;
        let table = std::array::from_fn(|code| code as i64 - zero);
        let terms = vec![(self.x.clone(), Function::Table(Box::new(table)))];
        let epilogue = Epilogue::Edges(vec![edges]);
        builder.combine(&self.name, self.columns, terms, TensorKind::Code, epilogue)
    }
}
