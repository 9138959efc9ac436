//! `binfer verify`: whether a proof convinces.

use std::io::Write;
use std::path::PathBuf;

use binfer_ml_ops::Rejection;

use crate::failure::Failure;
use crate::files;
use crate::inputs::Inputs;
use crate::run::listed;

/// Verify a proof: exit status 0 if it is accepted, 1 if it is rejected.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The commitment of the model, `model.commitment`
    #[arg(long, value_name = "FILE")]
    commitment: PathBuf,
    /// The input; each of several, in their order or as NAME=FILE
    #[arg(long, value_name = "X.npy", required = true)]
    input: Vec<PathBuf>,
    /// The output that is claimed; each of several, in their order
    #[arg(long, value_name = "Y.npy", required = true)]
    output: Vec<PathBuf>,
    /// The proof
    #[arg(long, value_name = "P")]
    proof: PathBuf,
}

impl Args {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let commitment = files::read_commitment(&self.commitment)?;
        let x = Inputs::read(commitment.graph(), &self.input)?;
        let y = files::read_arrays(&self.output)?;
        let proof = files::read(&self.proof)?;
        match binfer_ml_ops::verify(&commitment, &x.arrays, &y, &proof) {
            Ok(()) => Ok(writeln!(out, "accepted")?),
            Err(e) if e.is_malformed_input() => Err(match e {
                Rejection::Input(e) => x.failure(e),
                Rejection::OutputCount { expected, got } => Failure::Outputs { expected, got },
                e => Failure::malformed(&listed(&self.output), e),
            }),
            Err(e) => Err(Failure::Rejected(e)),
        }
    }
}
