//! `binfer run`: the exact integer interpreter.

use std::io::Write;
use std::path::{Path, PathBuf};

use binfer_ml_ops::ProveError;

use crate::failure::Failure;
use crate::{files, npy};

/// Run a model with exact integer arithmetic.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The quantized ONNX model
    model: PathBuf,
    /// The input, one sample or a batch, as a NumPy file
    #[arg(long, value_name = "X.npy")]
    input: PathBuf,
    /// The NumPy file to write the output to
    #[arg(long, value_name = "Y.npy")]
    output: PathBuf,
}

impl Args {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let model = files::read_model(&self.model)?;
        let input = files::read_array(&self.input)?;
        let y = binfer_ml_ops::run(&model, &input)
            .map_err(|e| statement(e, &self.input, &self.output))?;
        let bytes = npy::to_bytes(&y)
            .map_err(|source| Failure::Io { path: self.output.clone(), source })?;
        files::write(&self.output, &bytes)?;
        let (path, shape) = (self.output.display(), y.shape());
        writeln!(out, "output  {path}  {shape:?}")?;
        Ok(())
    }
}

/// The failure that a run or a proof ended in; arrays that do not fit the model are malformed files.
pub(crate) fn statement(error: ProveError, input: &Path, output: &Path) -> Failure {
    match error {
        ProveError::Input(e) => Failure::malformed(input, e),
        ProveError::Output(e) => Failure::malformed(output, e),
        other => Failure::Statement(other),
    }
}
