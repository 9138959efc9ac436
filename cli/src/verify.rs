//! `binfer verify`: whether a proof convinces.

use std::io::Write;
use std::path::PathBuf;

use binfer_ml_ops::Rejection;

use crate::failure::Failure;
use crate::files;
use crate::run::listed;

/// Verify a proof: exit status 0 if it is accepted, 1 if it is rejected.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The commitment of the model, `model.commitment`
    #[arg(long, value_name = "FILE")]
    commitment: PathBuf,
    /// The input
    #[arg(long, value_name = "X.npy")]
    input: PathBuf,
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
        let (x, y) = (files::read_array(&self.input)?, files::read_arrays(&self.output)?);
        let proof = files::read(&self.proof)?;
        match binfer_ml_ops::verify(&commitment, &x, &y, &proof) {
            Ok(()) => Ok(writeln!(out, "accepted")?),
            Err(e) if e.is_malformed_input() => Err(match e {
                Rejection::Input(e) => Failure::malformed(&self.input, e),
                Rejection::OutputCount { expected, got } => Failure::Outputs { expected, got },
                e => Failure::malformed(&listed(&self.output), e),
            }),
            Err(e) => Err(Failure::Rejected(e)),
        }
    }
}
