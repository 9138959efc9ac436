//! Sums of functions of codes and of their products, at one scale, of which some are digits of 16-bit tensors: rounded once.

use super::exact::Integers;
use crate::graph::{TensorId, WordType};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::matrix::Matrix;
use crate::onnx::rowwise::Summand;
use crate::onnx::target::Target;
use crate::onnx::value::Scaling;
use crate::onnx::view::View;
use crate::onnx::words;

/// A sum of integers for each element.
#[derive(Debug)]
pub(in crate::onnx) struct Summed {
    pub(in crate::onnx) name: String,
    pub(in crate::onnx) terms: Vec<Summand>,
    pub(in crate::onnx) columns: usize,
    /// What 1 stands for.
    pub(in crate::onnx) unit: f64,
    /// The largest size of the sum.
    pub(in crate::onnx) bound: f64,
}

impl Summed {
    /// The ends between which floats lie.
    pub(super) fn ends(&self) -> [f32; 2] {
        let most = (self.bound * self.unit) as f32;
        [-most, most]
    }

    fn integers(&self) -> Integers {
        let (terms, unit, columns) = (self.terms.clone(), self.unit, self.columns);
        Integers { terms, constant: 0, unit, columns }
    }

    /// The codes that a QuantizeLinear makes.
    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        self.integers().quantize(builder, &self.name, target)
    }

    /// The 16-bit tensor that a QuantizeLinear makes after bounds, in two codes.
    pub(super) fn words(
        &self,
        builder: &mut Builder,
        bounds: (f32, f32),
        to: Scaling,
        dtype: WordType,
    ) -> Result<[TensorId; 2], NodeError> {
        let ends = words::ends(bounds, to, dtype)?;
        let rows = self.terms.first().map_or(0, |(matrix, _)| matrix.size().0);
        let read = |tensor| {
            let view = View::new(tensor, &[rows, self.columns], |dim| dim == 1);
            Matrix::laid_out(&view, |dim| dim == 1)
        };
        self.integers().words(builder, &self.name, ends, (to, dtype), read)
    }
}
