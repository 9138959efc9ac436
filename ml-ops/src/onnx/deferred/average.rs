//! Averages of a dequantized tensor: a step function of sums of codes less their zero.

use super::Summed;
use super::exact::multiples;
use super::stem;
use crate::graph::{
    CodeType, Epilogue, Function, GatherDim, TensorId, TensorKind, quantize, signed_bits,
};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::matrix::Matrix;
use crate::onnx::qlinear;
use crate::onnx::rowwise::Summand;
use crate::onnx::steps;
use crate::onnx::target::Target;
use crate::onnx::value::{Floats, Scaling};

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
    /// What the elements of each sum are multiplied with, and its code that stands for zero: the number of elements where sums are
    /// of different numbers of them, or another tensor.
    pub(in crate::onnx) weights: Option<(Matrix, u8)>,
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

/// The scales of sums that QLinearGlobalAveragePool takes.
const LEAST_OF_GLOBAL: f32 = 1.0 / (1u64 << 32) as f32;
const MOST_OF_GLOBAL: f32 = 256.0;

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
        let scale = f64::from(stem::most(floats.images.iter()))
            / (LARGEST_SUM / taps.max(1)).clamp(1, LARGEST) as f64;
        let table = floats.images.map(|x| (f64::from(x) / scale).round_ties_even() as i64);
        Self { table: Box::new(table), scale, zero_code: None }
    }

    /// What 1 is a multiple of, where code 0 is none and code 1 is one; `None` if they are something else.
    pub(super) fn of_one(&self) -> Option<f64> {
        (self.table[0] == 0 && self.table[1] > 0).then(|| self.table[1] as f64 * self.scale)
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
        // The runtime has kernels for tensors of one type, and drops a Relu or Clip that the output's range implies.
        let has_kernel = self.dtype == dtype && (lowest, highest) == (0, 255);
        let formula = if has_kernel { self.formula } else { Formula::Mean };
        let step = |sum: i64| {
            if target.through.is_some() {
                return target.code(mean(sum));
            }
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
        if target.through.is_none() {
            self.check(formula, target.to)?;
        }
        let edges = steps::edges(self.bound(), step);
        let edges = edges.ok_or(NodeError::NotMonotone { column: 0 })?;
        let terms = self.terms(builder)?;
        let epilogue = Epilogue::Edges(vec![edges]);
        builder.combine(&self.name, self.columns, terms, TensorKind::Code, epilogue)
    }

    /// Refuses averages that the runtime's kernels take as none, or make integers of more than 32 bits of.
    fn check(&self, formula: Formula, to: Scaling) -> Result<(), NodeError> {
        let [_, most] = self.ends();
        match formula {
            Formula::Mean => Ok(()),
            Formula::Pool => qlinear::fits(most / to.scale),
            Formula::Global => {
                let scale = self.summands.scale as f32 / (to.scale * self.count as f32);
                if !(LEAST_OF_GLOBAL..MOST_OF_GLOBAL).contains(&scale) {
                    return Err(NodeError::AccumulatorScale { column: 0, value: scale });
                }
                qlinear::fits(self.bound() as f32 * scale)
            }
        }
    }

    /// The ends between which averages lie.
    pub(super) fn ends(&self) -> [f32; 2] {
        let values = self.summands.table.iter();
        let (least, most) = values.fold((0, 0), |(least, most), &x| (x.min(least), x.max(most)));
        let sums = match self.weights {
            Some(_) => [-self.bound(), self.bound()],
            None => [least, most].map(|value| value * self.taps() as i64),
        };
        sums.map(|sum| (sum as f64 * self.summands.scale) as f32 / self.count as f32)
    }

    /// Elements of a sum.
    pub(super) fn taps(&self) -> usize {
        self.x.size().1 / self.columns
    }

    /// The digits of what is kept, and those of what is added up.
    pub(super) fn kept_and_taps(&self) -> (Vec<GatherDim>, Vec<GatherDim>) {
        let (mut kept, mut columns) = (self.x.rows.clone(), 1);
        let is_kept = |digit: &&GatherDim| {
            columns *= digit.size;
            columns <= self.columns
        };
        let of_columns: Vec<GatherDim> = self.x.cols.iter().take_while(is_kept).copied().collect();
        let taps = self.x.cols.iter().skip(of_columns.len()).copied().collect();
        kept.extend(of_columns);
        (kept, taps)
    }

    /// What a one of an input's zeros and ones is; `None` if the summands are something else.
    pub(super) fn of_one(&self) -> Option<f64> {
        self.summands.of_one().filter(|_| self.count == 1 && self.weights.is_none())
    }

    /// What a sum of 1 is.
    pub(super) fn scale(&self) -> f64 {
        self.summands.scale
    }

    /// Bound on the size of a sum.
    pub(super) fn bound(&self) -> i64 {
        let most = if self.weights.is_some() { 255 } else { 1 };
        most * self.summands.bound(self.taps())
    }

    fn terms(&self, builder: &mut Builder) -> Result<Vec<Summand>, NodeError> {
        let function = match (&self.weights, self.summands.zero_code) {
            (Some((weights, of_weights)), Some(zero)) => {
                builder.source(weights, true)?.factor([zero, *of_weights], 1)
            }
            _ => Function::Table(self.summands.table.clone()),
        };
        Ok(vec![(self.x.clone(), function)])
    }

    /// The averages as sums that 16-bit integers can be made of.
    pub(super) fn summed(&self, builder: &mut Builder) -> Result<Summed, NodeError> {
        let (name, terms, columns) = (self.name.clone(), self.terms(builder)?, self.columns);
        let unit = self.summands.scale / self.count as f64;
        Ok(Summed { name, terms, columns, unit, bound: self.bound() as f64 })
    }

    /// The sums, exact.
    pub(super) fn sums(&self, builder: &mut Builder, name: &str) -> Result<TensorId, NodeError> {
        let kind = TensorKind::Integer { bits: signed_bits(self.bound()) };
        let terms = self.terms(builder)?;
        builder.combine(name, self.columns, terms, kind, Epilogue::Accumulator)
    }
}
