//! Averages of a sum of dequantized tensors and products, or of what a Relu leaves of it: all in integers, rounded once.

use super::exact::Exact;
use super::rectified::FINER;
use super::stem;
use crate::graph::{Edges, Epilogue, Function, TensorId, TensorKind};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::matrix::Matrix;
use crate::onnx::rowwise::part;
use crate::onnx::target::Target;

/// Averages of a sum.
#[derive(Debug)]
pub(in crate::onnx) struct SumAverage {
    pub(in crate::onnx) name: String,
    pub(in crate::onnx) sum: Exact,
    /// A Relu comes between.
    pub(in crate::onnx) relu: bool,
    /// What each of `columns` averages is of, for each row, in a tensor of the sum's layout.
    pub(in crate::onnx) x: Matrix,
    pub(in crate::onnx) columns: usize,
    /// Elements of an average.
    pub(in crate::onnx) count: usize,
}

impl SumAverage {
    /// The ends between which averages lie.
    pub(super) fn ends(&self) -> [f32; 2] {
        let taps = (self.x.size().1 / self.columns) as f32 / self.count as f32;
        let [low, high] = stem::exact(&self.sum).map(|end| end * taps);
        if self.relu { [0.0, high] } else { [low, high] }
    }

    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let unit = self.sum.unit(self.sum.off(FINER) * target.fineness())?;
        let sums = self.sum.sums(builder, &self.name, unit)?;
        let tensor = match self.relu {
            true => builder.relu(&part(&self.name, "relu"), sums),
            false => sums,
        };
        let matrix = Matrix { view: self.x.view.on(tensor), ..self.x.clone() };
        let step = self.count as f64 / unit;
        let (lowest, highest) = target.ends();
        let edges = Edges::rising(lowest, highest, |code| target.least(code) * step);
        let terms = vec![(matrix, Function::Times(1))];
        let epilogue = Epilogue::Edges(vec![edges]);
        builder.combine(&self.name, self.columns, terms, TensorKind::Code, epilogue)
    }
}
