//! The largest, or smallest, of several floats element by element: that of their codes, which grow with the floats.

use super::Deferred;
use crate::graph::TensorId;
use crate::onnx::builder::Builder;
use crate::onnx::chosen::Along;
use crate::onnx::concatenated;
use crate::onnx::error::NodeError;
use crate::onnx::matrix::Matrix;
use crate::onnx::rowwise::part;
use crate::onnx::target::Target;
use crate::onnx::value::Floats;
use crate::onnx::view::View;

/// Several floats of one shape.
#[derive(Debug)]
pub(in crate::onnx) struct Largest {
    pub(in crate::onnx) name: String,
    pub(in crate::onnx) of: Vec<Compared>,
    /// The smallest, not the largest.
    pub(in crate::onnx) least: bool,
    /// The shape of all after broadcasting, and which dimensions are features of the tensor that is made.
    pub(in crate::onnx) shape: Vec<usize>,
    pub(in crate::onnx) features: Vec<bool>,
}

/// One of them.
#[derive(Debug)]
pub(in crate::onnx) enum Compared {
    Floats(Floats),
    Deferred(Deferred),
}

impl Compared {
    /// How the elements are seen.
    pub(in crate::onnx) fn view(&self) -> &View {
        match self {
            Self::Floats(floats) => &floats.codes.view,
            Self::Deferred(deferred) => &deferred.view,
        }
    }
}

impl Largest {
    /// How the tensor that is made is seen.
    pub(in crate::onnx) fn output(&self) -> View {
        View::new(0, &self.shape, |dim| self.features[dim])
    }

    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        // Codes are counted from above where the smallest is asked for.
        let counted = |code: u8| if self.least { 255 - code } else { code };
        let turned: [u8; 256] = std::array::from_fn(|code| counted(code as u8));
        let mut parts = Vec::with_capacity(self.of.len());
        for (index, of) in self.of.iter().enumerate() {
            let (view, table) = match of {
                Compared::Floats(floats) => {
                    (floats.codes.view.clone(), floats.images.map(|x| counted(target.code(x))))
                }
                Compared::Deferred(of) => {
                    let name = part(&self.name, &format!("operand{index}"));
                    (of.bounded(builder, &name, target)?.view, turned)
                }
            };
            let sizes = self.shape.iter().enumerate();
            let broadcast = sizes.filter(|&(dim, &size)| view.size(dim) != size);
            let view = broadcast.fold(view.clone(), |view, (dim, &size)| view.repeated(dim, size));
            parts.push((view, table));
        }
        let name = part(&self.name, "operands");
        let beside = concatenated::stacked(builder, &name, &parts, &self.features)?;
        let along = Along::new(&beside, &[0], false);
        let matrix = Matrix { pad: Some(0), ..along.matrix };
        let name = if self.least { part(&self.name, "largest") } else { self.name.clone() };
        let made = builder.max(&name, along.columns, &matrix)?;
        Ok(if self.least { builder.map(&self.name, made, &turned) } else { made })
    }
}
