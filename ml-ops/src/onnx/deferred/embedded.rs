//! Rows of a table of floats that numbers say: the table is quantized, as its rows would be.

use crate::graph::TensorId;
use crate::onnx::builder::Builder;
use crate::onnx::target::Target;

/// Rows of a table.
#[derive(Debug)]
pub(in crate::onnx) struct Embedded {
    pub(in crate::onnx) name: String,
    /// A one among zeros for each row that is read.
    pub(in crate::onnx) x: TensorId,
    /// Rows that are read.
    pub(in crate::onnx) tokens: usize,
    /// Rows and columns of the table.
    pub(in crate::onnx) size: (usize, usize),
    pub(in crate::onnx) table: Vec<f32>,
}

impl Embedded {
    pub(super) fn quantize(&self, builder: &mut Builder, target: &Target) -> TensorId {
        let codes: Vec<u8> = self.table.iter().map(|&x| target.code(x)).collect();
        builder.embedding(&self.name, self.x, self.tokens, self.size, &codes)
    }
}
