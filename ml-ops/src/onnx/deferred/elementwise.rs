//! The product of two dequantized tensors, element by element.

use crate::graph::{TensorId, dequantize_table};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::matrix::Matrix;
use crate::onnx::multiplied;
use crate::onnx::qlinear::{self, Quantization};
use crate::onnx::value::Target;

/// The product of two dequantized tensors, element by element.
#[derive(Debug)]
pub(in crate::onnx) struct Elementwise {
    pub(in crate::onnx) name: String,
    pub(in crate::onnx) columns: usize,
    pub(in crate::onnx) operands: [Matrix; 2],
    /// What the DequantizeLinears are of.
    pub(in crate::onnx) from: [Quantization; 2],
    /// They come from DequantizeLinears, so that the runtime may have a kernel for them.
    pub(in crate::onnx) dequantized: bool,
}

impl Elementwise {
    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let &Target { to, dtype, .. } = target;
        let images = self.from.map(|(of, dtype)| dequantize_table(of.scale, of.zero_point, dtype));
        // The runtime makes a QLinearMul of it.
        let fused = self.dequantized && self.from.iter().all(|(_, of)| *of == dtype);
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
        let value = |code: u8, (_, dtype): Quantization| i32::from(code) + dtype.min();
        self.with(builder, |a, b| qlinear::mul(qa, qb, to, value(a, qa), value(b, qb)))
    }

    fn with(
        &self,
        builder: &mut Builder,
        code: impl Fn(u8, u8) -> u8,
    ) -> Result<TensorId, NodeError> {
        let zeros = self.from.map(|(of, dtype)| (of.zero_point - dtype.min()) as u8);
        let [a, b] = &self.operands;
        let occurring = [a, b].map(|matrix| builder.occurring(matrix.view.tensor));
        let edges = multiplied::edges(zeros, occurring.each_ref().map(Vec::as_slice), code);
        let edges = edges.ok_or(NodeError::NoTables)?;
        multiplied::multiply(builder, &self.name, self.columns, [a, b], zeros, vec![edges])
    }
}
