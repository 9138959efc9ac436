//! Floats of which more are made than there are: the tensor of their codes is copied, so that a view can leave some out.

use super::Deferred;
use crate::graph::TensorId;
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::rowwise::part;
use crate::onnx::target::Target;
use crate::onnx::view::View;

/// Floats that are copied.
#[derive(Debug)]
pub(in crate::onnx) struct Cut {
    pub(in crate::onnx) name: String,
    pub(in crate::onnx) of: Deferred,
}

impl Cut {
    /// How the copy is seen.
    pub(in crate::onnx) fn whole(&self) -> View {
        View::new(0, &self.of.view.shape(), |dim| dim == 0)
    }

    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let codes = self.of.bounded(builder, &self.name, target)?;
        let copy = builder.laid_out(&part(&self.name, "copy"), &codes.view, |dim| dim == 0)?;
        Ok(copy.tensor)
    }
}
