//! The network's float input, or floats of codes, with elements around them: codes are made first, and those put around.

use super::Deferred;
use crate::graph::{InputTransform, TensorId};
use crate::onnx::builder::Builder;
use crate::onnx::concatenated::{self, Around};
use crate::onnx::error::NodeError;
use crate::onnx::prepared::FloatInput;
use crate::onnx::value::{Floats, Scaling, Target};
use crate::onnx::view::View;

/// Floats with elements around them.
#[derive(Debug)]
pub(in crate::onnx) struct Padded {
    pub(in crate::onnx) name: String,
    pub(in crate::onnx) of: Inner,
    /// Elements before and after, along each dimension.
    pub(in crate::onnx) pads: Vec<(usize, usize)>,
    pub(in crate::onnx) around: Around<f32>,
}

/// What is within.
#[derive(Debug)]
pub(in crate::onnx) enum Inner {
    Input(FloatInput),
    Floats(Floats),
    Deferred(Deferred),
}

impl Padded {
    fn view(&self) -> &View {
        match &self.of {
            Inner::Input(floats) => &floats.view,
            Inner::Floats(floats) => &floats.codes.view,
            Inner::Deferred(floats) => &floats.view,
        }
    }

    /// How the tensor that is made is seen.
    pub(in crate::onnx) fn output(&self) -> View {
        let view = self.view();
        let sizes = view.shape().into_iter().zip(&self.pads);
        let shape: Vec<usize> =
            sizes.map(|(size, (before, after))| before + size + after).collect();
        View::new(0, &shape, |dim| view.is_feature(dim))
    }

    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let &Target { low, high, to: Scaling { scale, zero_point }, dtype } = target;
        let view = match &self.of {
            Inner::Input(floats) => {
                let floats = floats.clamped(low, high);
                let then = InputTransform::Quantize { scale, zero_point, dtype };
                builder.quantized_input(floats.transform(then), floats.view.clone())?.view
            }
            Inner::Floats(floats) => {
                let table = floats.images.map(|x| target.code(x));
                floats.codes.mapped(builder, &self.name, &table).view
            }
            Inner::Deferred(floats) => floats.bounded(builder, &self.name, target)?.view,
        };
        let around = self.around.map(|value| target.code(value));
        Ok(concatenated::around(builder, &self.name, &view, &self.pads, around)?.tensor)
    }
}
