//! Floats that are a function of codes, of which a table makes codes when a QuantizeLinear says into what.

use crate::graph::TensorId;
use crate::onnx::builder::Builder;
use crate::onnx::target::Target;
use crate::onnx::value::Floats;

/// A function of an 8-bit tensor's codes.
#[derive(Debug)]
pub(in crate::onnx) struct Mapped {
    pub(in crate::onnx) name: String,
    pub(in crate::onnx) floats: Floats,
}

impl Mapped {
    pub(super) fn quantize(&self, builder: &mut Builder, target: &Target) -> TensorId {
        let table = self.floats.images.map(|x| target.code(x));
        builder.map(&self.name, self.floats.codes.view.tensor, &table)
    }
}
