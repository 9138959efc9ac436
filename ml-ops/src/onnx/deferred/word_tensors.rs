//! A matmul of two dequantized tensors, one or both of 16 bits: exact sums of products of integers, rounded once.

use super::after::{self, After};
use super::exact::{Integers, LARGEST_BIAS};
use crate::graph::{Epilogue, Function, TensorId, WordType};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::heads::Heads;
use crate::onnx::matrix::Matrix;
use crate::onnx::operands::units;
use crate::onnx::target::Target;
use crate::onnx::value::Scaling;
use crate::onnx::view::View;
use crate::onnx::words;

/// A matmul of two dequantized tensors, one or both of 16 bits.
#[derive(Debug)]
pub(in crate::onnx) struct WordTensors {
    /// Of integers less the zero point where there are 16 bits.
    pub(in crate::onnx) heads: Heads,
    /// What an accumulator's 1 stands for.
    pub(in crate::onnx) scale: f64,
}

impl WordTensors {
    /// The ends between which floats lie; `None` if no accumulator holds them.
    pub(super) fn ends(&self) -> Option<[f32; 2]> {
        let most = (self.heads.bound().ok()? as f64 * self.scale) as f32;
        Some([-most, most])
    }

    /// The accumulators, which stand for the floats that are there `after` constants.
    fn integers(&self, builder: &mut Builder, after: &[After]) -> Result<Integers, NodeError> {
        let of = after::affine(after, 1).unwrap_or_default();
        let &[(factor, summand)] = &of[..] else {
            return Err(NodeError::NotMonotone { column: 0 });
        };
        let unit = self.scale * factor.abs();
        if !(unit.is_finite() && unit > 0.0) {
            return Err(NodeError::AccumulatorScale { column: 0, value: unit as f32 });
        }
        let constant = units(summand, unit, LARGEST_BIAS)?;
        let tensor = self.heads.add(builder, Epilogue::Accumulator)?;
        let sign = if factor < 0.0 { -1 } else { 1 };
        let terms = vec![(self.matrix(tensor), Function::Times(sign))];
        Ok(Integers { terms, constant, unit, columns: self.heads.size().1 })
    }

    /// All elements of a tensor of as many.
    fn matrix(&self, tensor: TensorId) -> Matrix {
        let (rows, columns) = self.heads.size();
        let view = View::new(tensor, &[rows, columns], |dim| dim == 1);
        Matrix::laid_out(&view, |dim| dim == 1)
    }

    /// The codes that a QuantizeLinear makes.
    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        after: &[After],
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        self.integers(builder, after)?.quantize(builder, self.heads.name(), target)
    }

    /// The 16-bit tensor that a QuantizeLinear makes after bounds, in two codes.
    pub(super) fn words(
        &self,
        builder: &mut Builder,
        after: &[After],
        bounds: (f32, f32),
        (to, dtype): (Scaling, WordType),
    ) -> Result<[TensorId; 2], NodeError> {
        let ends = words::ends(bounds, to, dtype)?;
        let of = self.integers(builder, after)?;
        of.words(builder, self.heads.name(), ends, (to, dtype), |y| self.matrix(y))
    }
}
