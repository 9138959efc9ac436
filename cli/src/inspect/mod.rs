//! `binfer inspect`: what a model, a commitment or a proof holds, and what it is worth.

mod layers;
mod report;

use std::io::Write;
use std::path::PathBuf;

use binfer_ml_ops::graph::{Graph, MODEL_MAGIC, Model};
use binfer_ml_ops::onnx::ExternalData;
use binfer_ml_ops::{
    GroupSize, ModelCommitment, Proof, ProverKey, estimate_in_groups, estimate_of,
};
use thiserror::Error;

use crate::failure::Failure;
use crate::files;
pub(crate) use layers::is_window;
use report::{Kind, Report};

/// Most elements of tensors, rows and columns of weights together for which costs are computed.
const MAX_WORK: usize = 1 << 26;

/// Show a model's, a commitment's or a proof's layers, sizes and bits of soundness.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A model, a commitment or a proof
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The batch whose proof is estimated; 1 if absent, and a proof's own for a proof
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
}

/// What costs and soundness are estimated of.
enum Estimated {
    /// Any proof in groups of a size.
    Groups(GroupSize),
    /// A proof.
    Proof(Box<Proof>),
}

/// A file about which nothing can be said.
#[derive(Debug, Error)]
#[non_exhaustive]
enum InspectError {
    /// It is a prover's key.
    #[error("a prover's key: it holds a salt that must stay secret, and nothing else")]
    Key,
    /// It is a NumPy array.
    #[error("a NumPy array; models, commitments and proofs can be inspected")]
    Npy,
    /// It is nothing known.
    #[error("no file of binfer's, and as an ONNX model: {0}")]
    Unknown(binfer_ml_ops::onnx::ImportError),
    /// The batch or the network is too large to estimate.
    #[error("a batch of {batch} on this network is too large to estimate")]
    TooLarge {
        /// The batch.
        batch: usize,
    },
}

impl Args {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let bytes = files::read(&self.file)?;
        let report = self.report(bytes).map_err(|e| Failure::malformed(&self.file, e))?;
        if self.json {
            writeln!(out, "{:#}", report.json())?;
        } else {
            report.print(out)?;
        }
        Ok(())
    }

    fn report(&self, bytes: Vec<u8>) -> Result<Report, Box<dyn std::error::Error>> {
        let file_bytes = bytes.len();
        let (kind, commitment, batch, estimated) = self.sniff(bytes)?;
        check_size(commitment.graph(), batch)?;
        let estimate = match estimated {
            Estimated::Groups(group_size) => estimate_in_groups(&commitment, batch, group_size),
            Estimated::Proof(proof) => estimate_of(&proof)?,
        };
        Ok(Report { kind, file_bytes, commitment, batch, estimate })
    }

    /// What the bytes are, the commitment they hold or give, the batch to speak of, and what is estimated of it.
    fn sniff(
        &self,
        bytes: Vec<u8>,
    ) -> Result<(Kind, ModelCommitment, usize, Estimated), Box<dyn std::error::Error>> {
        let batch = self.batch.unwrap_or(1).max(1);
        let by_default = Estimated::Groups(GroupSize::default());
        if bytes.starts_with(b"binfer-m") {
            let commitment = ModelCommitment::from_bytes(&bytes)?;
            return Ok((Kind::Commitment, commitment, batch, by_default));
        }
        if bytes.starts_with(b"binfer-p") {
            let proof = Proof::from_bytes(&bytes)?;
            let kind = Kind::Proof { message_bytes: proof.message_bytes() };
            let commitment = proof.commitment().clone();
            return Ok(match self.batch {
                Some(_) => (kind, commitment, batch, Estimated::Groups(proof.group_size())),
                None => (kind, commitment, proof.batch().max(1), Estimated::Proof(Box::new(proof))),
            });
        }
        if bytes.starts_with(b"binfer-k") {
            return Err(InspectError::Key.into());
        }
        if bytes.starts_with(b"\x93NUMPY") {
            return Err(InspectError::Npy.into());
        }
        let (model, tail) = if bytes.starts_with(&MODEL_MAGIC) {
            (Model::from_bytes(&bytes)?, None)
        } else {
            let mut beside = |place: &ExternalData| files::beside(&self.file, place);
            Model::from_onnx_without_tail(bytes, &mut beside).map_err(InspectError::Unknown)?
        };
        check_size(&model.graph, batch)?;
        // Costs do not depend on the salt.
        let prover = ProverKey::new(model, Default::default(), &Default::default());
        let left_out = tail.as_ref().map(files::left_out);
        Ok((Kind::Model { left_out }, prover.commitment().clone(), batch, by_default))
    }
}

/// Whether costs can be computed in moderate memory: a header may name any batch.
fn check_size(graph: &Graph, batch: usize) -> Result<(), InspectError> {
    let tensors = graph.tensors.iter().map(|t| t.per_sample());
    let weights = graph.weights.iter().map(|w| w.k.saturating_add(w.n));
    let samples = tensors.fold(0, usize::saturating_add).saturating_mul(batch);
    if weights.fold(samples, usize::saturating_add) > MAX_WORK {
        return Err(InspectError::TooLarge { batch });
    }
    Ok(())
}
