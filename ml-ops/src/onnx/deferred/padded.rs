//! The network's float input, or floats of codes, with elements around them or in other places: codes are made first, and those moved.

use super::{Deferred, Kind};
use crate::graph::{InputTransform, TensorId};
use crate::onnx::builder::Builder;
use crate::onnx::concatenated::{self, Around};
use crate::onnx::error::NodeError;
use crate::onnx::prepared::FloatInput;
use crate::onnx::runs;
use crate::onnx::target::Target;
use crate::onnx::value::{Floats, Scaling, Value};
use crate::onnx::view::View;
use std::rc::Rc;

/// Floats that are moved when they are codes.
#[derive(Debug)]
pub(in crate::onnx) struct Padded {
    pub(in crate::onnx) name: String,
    pub(in crate::onnx) of: Inner,
    pub(in crate::onnx) how: How,
}

/// Where elements go.
#[derive(Debug)]
pub(in crate::onnx) enum How {
    /// Others are put around them, so many before and after along each dimension.
    Around { pads: Vec<(usize, usize)>, around: Around<f32> },
    /// They are those at `indices` of dimension `dim`.
    At { dim: usize, indices: Vec<usize> },
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

    /// As a value, which a QuantizeLinear is to follow on.
    pub(in crate::onnx) fn deferred(self) -> Value {
        let output = self.output();
        Value::Deferred(Deferred::new(Kind::Padded(Rc::new(self)), output))
    }

    /// How the tensor that is made is seen.
    pub(in crate::onnx) fn output(&self) -> View {
        let view = self.view();
        let mut shape = view.shape();
        match &self.how {
            How::Around { pads, .. } => {
                let sizes = shape.iter_mut().zip(pads);
                sizes.for_each(|(size, (before, after))| *size += before + after);
            }
            How::At { dim, indices } => shape[*dim] = indices.len(),
        }
        View::new(0, &shape, |dim| view.is_feature(dim))
    }

    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let &Target { low, high, to: Scaling { scale, zero_point }, dtype, .. } = target;
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
        let made = match &self.how {
            How::Around { pads, around } => {
                let around = around.map(|value| target.code(value));
                concatenated::around(builder, &self.name, &view, pads, around)?
            }
            How::At { dim, indices } => {
                let made = runs::gathered(builder, &self.name, &view, *dim, indices)?;
                match made == self.output().on(made.tensor) {
                    true => made,
                    false => builder.laid_out(&self.name, &made, |dim| view.is_feature(dim))?,
                }
            }
        };
        Ok(made.tensor)
    }
}
