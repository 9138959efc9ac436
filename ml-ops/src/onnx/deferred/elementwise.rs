//! The product of two dequantized tensors, element by element.

use super::{Average, Formula, Summands, Summed, stem};
use crate::graph::{TensorId, dequantize_table};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::matrix::Matrix;
use crate::onnx::multiplied;
use crate::onnx::qlinear::{self, Quantization};
use crate::onnx::target::Target;
use crate::onnx::value::Scaling;
use crate::onnx::view::View;

/// The product of two dequantized tensors, element by element.
#[derive(Debug)]
pub(in crate::onnx) struct Elementwise {
    pub(in crate::onnx) name: String,
    pub(in crate::onnx) columns: usize,
    pub(in crate::onnx) operands: [Matrix; 2],
    /// How a tensor of its elements is seen.
    pub(in crate::onnx) layout: View,
    /// What the DequantizeLinears are of.
    pub(in crate::onnx) from: [Quantization; 2],
    /// The runtime makes a QLinearMul of it, if the operands are of the output's type.
    pub(in crate::onnx) fused: bool,
}

impl Elementwise {
    /// The ends between which products lie.
    pub(super) fn ends(&self) -> [f32; 2] {
        stem::product(self.images().each_ref().map(stem::of_codes))
    }

    /// The floats of both operands' codes.
    fn images(&self) -> [[f32; 256]; 2] {
        self.from.map(|(of, dtype)| dequantize_table(of.scale, of.zero_point, dtype))
    }

    /// The exact products, at one scale.
    pub(super) fn exact(&self, builder: &mut Builder) -> Result<Summed, NodeError> {
        let zeros = self.from.map(|(of, dtype)| (of.zero_point - dtype.min()) as u8);
        let function = builder.source(&self.operands[1], false)?.factor(zeros, 1);
        let unit = self.from.iter().map(|(of, _)| f64::from(of.scale)).product();
        let (name, terms) = (self.name.clone(), vec![(self.operands[0].clone(), function)]);
        Ok(Summed { name, terms, columns: self.columns, unit, bound: 65025.0 })
    }

    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let &Target { to, dtype, .. } = target;
        let images = self.images();
        let fused =
            self.fused && target.through.is_none() && self.from.iter().all(|(_, of)| *of == dtype);
        if fused && target.ends() == (0, 255) {
            return self.mul(builder, (to, dtype));
        }
        let made = self.with(builder, |a, b| {
            target.code(images[0][usize::from(a)] * images[1][usize::from(b)])
        });
        // Where rounding keeps floats from being a step of the product, that is rounded once.
        match made {
            Err(NodeError::NoTables) => {
                let scale = self.from.iter().map(|(of, _)| f64::from(of.scale)).product::<f64>();
                let value = |code: u8, (of, dtype): Quantization| {
                    f64::from(i32::from(code) + dtype.min() - of.zero_point)
                };
                let [qa, qb] = self.from;
                self.with(builder, |a, b| target.code((value(a, qa) * value(b, qb) * scale) as f32))
            }
            made => made,
        }
    }

    /// What QLinearMul makes of the operands.
    pub(in crate::onnx) fn mul(
        &self,
        builder: &mut Builder,
        to: Quantization,
    ) -> Result<TensorId, NodeError> {
        let [qa, qb] = self.from;
        let code = qlinear::codes(qlinear::mul, [qa, qb, to], None)?;
        let value = |code: u8, (_, dtype): Quantization| i32::from(code) + dtype.min();
        self.with(builder, |a, b| code(value(a, qa), value(b, qb)))
    }

    /// The codes of both that stand for zero.
    pub(in crate::onnx) fn zeros(&self) -> [u8; 2] {
        self.from.map(|(of, dtype)| (of.zero_point - dtype.min()) as u8)
    }

    /// The sums of what the operands, read as `operands`, have for each of `columns`, divided by `count`.
    pub(in crate::onnx) fn summed(
        &self,
        name: &str,
        [x, weights]: [Matrix; 2],
        columns: usize,
        count: usize,
    ) -> Average {
        let ([zero, of_weights], [(of, dtype), (by, _)]) = (self.zeros(), self.from);
        let scaling = Scaling { scale: of.scale * by.scale, ..of };
        let (summands, name) = (Summands::scaled(scaling, zero), name.to_owned());
        let (weights, formula) = (Some((weights, of_weights)), Formula::Mean);
        Average { name, x, columns, summands, dtype, count, weights, formula }
    }

    fn with(
        &self,
        builder: &mut Builder,
        code: impl Fn(u8, u8) -> u8,
    ) -> Result<TensorId, NodeError> {
        let zeros = self.zeros();
        let [a, b] = &self.operands;
        let occurring = [a, b].map(|matrix| builder.occurring(matrix.view.tensor));
        let edges = multiplied::edges(zeros, occurring.each_ref().map(Vec::as_slice), code);
        let edges = edges.ok_or(NodeError::NoTables)?;
        multiplied::multiply(builder, &self.name, self.columns, [a, b], zeros, vec![edges])
    }
}
