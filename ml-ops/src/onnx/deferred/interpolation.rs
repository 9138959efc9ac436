//! Elements between those of a dequantized image: weighted sums along its dimensions, one after the other.

use crate::graph::{CodeType, Epilogue, TensorId};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::matrix::Matrix;
use crate::onnx::rowwise::part;
use crate::onnx::steps;
use crate::onnx::target::Target;
use crate::onnx::value::{MatMulOperands, Scaling, Weights};
use crate::onnx::view::View;

/// Linear interpolation along some dimensions.
#[derive(Debug)]
pub(in crate::onnx) struct Interpolation {
    pub(in crate::onnx) name: String,
    pub(in crate::onnx) x: View,
    /// The scale of its floats; none of codes, of which codes are made.
    pub(in crate::onnx) from: Option<Scaling>,
    pub(in crate::onnx) dtype: CodeType,
    /// At least one.
    pub(in crate::onnx) along: Vec<Weighted>,
}

/// What the elements along a dimension become.
#[derive(Debug)]
pub(in crate::onnx) struct Weighted {
    pub(in crate::onnx) dim: usize,
    /// Elements that are made.
    pub(in crate::onnx) count: usize,
    /// The weight of each element in each that is made, `[element][made]`.
    pub(in crate::onnx) weights: Vec<u8>,
    /// What weights add up to.
    pub(in crate::onnx) unit: i64,
}

impl Interpolation {
    /// How a tensor of what is made is seen, before its dimensions are in order again.
    pub(in crate::onnx) fn output(&self) -> View {
        let mut shape = self.x.shape();
        for of in &self.along {
            shape[of.dim] = of.count;
        }
        let last = behind(shape.len(), self.along.last().map_or(0, |of| of.dim));
        let sizes: Vec<usize> = last.iter().map(|&dim| shape[dim]).collect();
        let outer = sizes.len() - 1;
        View::new(0, &sizes, |dim| dim == outer).transposed(&inverse(&last))
    }

    /// The ends between which floats lie; `None` of codes.
    pub(super) fn ends(&self) -> Option<[f32; 2]> {
        let Scaling { scale, zero_point } = self.from?;
        let ends = [self.dtype.min(), self.dtype.max()];
        Some(ends.map(|value| (value - zero_point) as f32 * scale))
    }

    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let unit: i64 = self.along.iter().map(|of| of.unit).product();
        let bound = 255 * unit;
        let least = f64::from(self.dtype.min());
        let value = |sum: i64| sum as f64 / unit as f64 + least;
        let code = |sum: i64| match self.from {
            // Integers are cut off towards zero.
            None => (value(sum.clamp(0, bound)).trunc() - least) as u8,
            Some(from) => {
                let steps = value(sum) - f64::from(from.zero_point);
                target.code((steps * f64::from(from.scale)) as f32)
            }
        };
        let edges = steps::edges(bound, code).ok_or(NodeError::NotMonotone { column: 0 })?;
        let (mut view, mut reach, mut made) = (self.x.clone(), None, self.x.tensor);
        for (at, of) in self.along.iter().enumerate() {
            let outer = view.rank() - 1;
            let order = behind(view.rank(), of.dim);
            let mut seen = view.transposed(&order);
            if reach.is_some() {
                let name = part(&self.name, &format!("rows{at}"));
                seen = builder.straight(&name, &seen, |dim| dim == outer)?;
            }
            let is_last = at + 1 == self.along.len();
            let epilogue = match is_last {
                true => Epilogue::Edges(vec![edges.clone()]),
                false => Epilogue::Accumulator,
            };
            let name =
                if is_last { self.name.clone() } else { part(&self.name, &format!("sums{at}")) };
            let (k, n) = (seen.size(outer), of.count);
            let (codes, offsets) = (of.weights.clone(), vec![0]);
            let weights = Weights { k, n, heads: vec![], codes, offsets };
            let x = Matrix::rows_and_columns(&seen, outer);
            let (zero_code, bias, groups) = (0, vec![], 1);
            let operands = MatMulOperands { name, x, zero_code, reach, weights, bias, groups };
            made = builder.matmul(&operands, epilogue)?;
            let mut shape = seen.shape();
            shape[outer] = n;
            view = View::new(made, &shape, |dim| dim == outer).transposed(&inverse(&order));
            reach = Some(reach.unwrap_or(255) * of.unit);
        }
        Ok(made)
    }
}

/// All dimensions, `last` behind the others.
fn behind(rank: usize, last: usize) -> Vec<usize> {
    (0..rank).filter(|&dim| dim != last).chain([last]).collect()
}

/// The order that takes `order` back.
fn inverse(order: &[usize]) -> Vec<usize> {
    (0..order.len()).map(|dim| order.iter().position(|&at| at == dim).unwrap_or(dim)).collect()
}
