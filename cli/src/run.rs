//! `binfer run`: the exact integer interpreter.

use std::io::Write;
use std::path::PathBuf;

use binfer_ml_ops::ProveError;

use crate::failure::Failure;
use crate::inputs::Inputs;
use crate::{files, npy};

/// Run a model with exact integer arithmetic.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The model: quantized ONNX, or what `binfer quantize` wrote
    model: PathBuf,
    /// The input, one sample or a batch, as a NumPy file; once for each, in their order or as NAME=FILE, where a model
    /// has several
    #[arg(long, value_name = "X.npy", required = true)]
    input: Vec<PathBuf>,
    /// The NumPy file to write the output to; once for each, in their order, where a model has several
    #[arg(long, value_name = "Y.npy", required = true)]
    output: Vec<PathBuf>,
}

impl Args {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let model = files::read_model(&self.model)?;
        let inputs = Inputs::read(&model.graph, &self.input)?;
        let (expected, got) = (model.graph.outputs().count(), self.output.len());
        if expected != got {
            return Err(Failure::Outputs { expected, got });
        }
        let outputs = binfer_ml_ops::run_all(&model, &inputs.arrays)
            .map_err(|e| statement(e, &inputs, &self.output))?;
        for (path, y) in self.output.iter().zip(outputs) {
            let bytes =
                npy::to_bytes(&y).map_err(|source| Failure::Io { path: path.clone(), source })?;
            files::write(path, &bytes)?;
            writeln!(out, "output  {}  {:?}", path.display(), y.shape())?;
        }
        Ok(())
    }
}

/// The failure that a run or a proof ended in; arrays that do not fit the model are malformed files.
pub(crate) fn statement(error: ProveError, inputs: &Inputs, outputs: &[PathBuf]) -> Failure {
    match error {
        ProveError::Input(e) => inputs.failure(e),
        ProveError::Output(e) => Failure::malformed(&listed(outputs), e),
        ProveError::OutputCount { expected, got } => Failure::Outputs { expected, got },
        other => Failure::Statement(other),
    }
}

/// The paths of several files, for a message.
pub(crate) fn listed(paths: &[PathBuf]) -> PathBuf {
    let names: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
    PathBuf::from(names.join(", "))
}
