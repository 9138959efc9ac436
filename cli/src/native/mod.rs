//! Exact native inference, the yardstick of a prover's cost.

mod chain;
mod matmul;
mod rows;
mod time;

use binfer_ml_ops::graph::{Model, Values};
use binfer_ml_ops::interpret::{self, RunError};

use chain::Chain;
use matmul::Int8Gemm;
use rows::Rows;
pub(crate) use time::{median, time_inference};

/// A model in the layout that kernels take: those of an inference library for plain matmuls and elementwise
/// functions, the interpreter's own for any other network.
pub(crate) struct Native<'a> {
    model: &'a Model,
    chain: Option<Chain<'a>>,
}

/// A tensor in the layout of its kernels.
#[derive(Clone, Debug)]
pub(crate) enum Tensor {
    /// Row-major.
    Rows(Rows),
    /// Feature-major, one or more.
    Features(Vec<Values>),
}

impl<'a> Native<'a> {
    /// Lays out `model`.
    pub(crate) fn new(model: &'a Model) -> Self {
        let one = model.graph.more_inputs.is_empty();
        Self { model, chain: if one { Chain::new(Int8Gemm::new(), model) } else { None } }
    }

    /// The name of the kernels.
    pub(crate) fn kernel(&self) -> &str {
        self.chain.as_ref().map_or("interpreter", Chain::kernel)
    }

    /// The input tensors of `batch` samples, laid out.
    pub(crate) fn input(&self, tensors: Vec<Values>, batch: usize) -> Tensor {
        match (&self.chain, &tensors[..]) {
            (Some(_), [codes]) => {
                let rows = batch * self.model.graph.input_shape().rows_per_sample;
                Tensor::Rows(Rows::from_codes(codes, rows))
            }
            _ => Tensor::Features(tensors),
        }
    }

    /// The output of `batch` samples of an input that [`Self::input`] laid out.
    pub(crate) fn run(&self, input: &Tensor, batch: usize) -> Result<Tensor, RunError> {
        let graph = &self.model.graph;
        match (&self.chain, input) {
            (Some(chain), Tensor::Rows(rows)) => {
                let n = batch * graph.input_shape().rows_per_sample;
                Ok(Tensor::Rows(chain.run(rows, n)))
            }
            (_, Tensor::Features(values)) => {
                let mut trace = interpret::run(self.model, values, batch)?;
                Ok(Tensor::Features(vec![trace.tensors.swap_remove(graph.output.tensor)]))
            }
            (None, Tensor::Rows(rows)) => {
                let (expected, got) = (batch * graph.input_shape().per_sample(), rows.len());
                Err(RunError::Input { input: 0, expected, got })
            }
        }
    }

    /// Whether an output of `batch` samples is the feature-major tensor `values`.
    pub(crate) fn agrees(&self, output: &Tensor, values: &Values, batch: usize) -> bool {
        match output {
            Tensor::Rows(rows) => {
                rows.agrees(values, batch * self.model.graph.output_shape().rows_per_sample)
            }
            Tensor::Features(features) => features.iter().eq([values]),
        }
    }
}
