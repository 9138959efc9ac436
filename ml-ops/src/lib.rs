//! Quantized networks: their graphs, exact integer inference, commitments and proofs.

#![forbid(unsafe_code)]

mod argument;
pub mod array;
mod commitment;
mod committed;
#[cfg(feature = "prover")]
mod exact;
#[cfg(feature = "prover")]
pub mod gguf;
pub mod graph;
#[cfg(feature = "prover")]
pub mod interpret;
#[cfg(feature = "prover")]
pub mod llama;
#[cfg(feature = "prover")]
pub mod onnx;
mod proof;
#[cfg(feature = "prover")]
mod prove;
#[cfg(feature = "prover")]
mod softmax;
mod statement;
mod verify;

pub use argument::{GroupSize, ReachError};
pub use binfer_pcs::Params;
pub use commitment::{CommitmentError, ModelCommitment};
pub use committed::{CommittedBits, Operand, committed_bits, committed_bits_of};
pub use proof::{Proof, ProofError};
#[cfg(feature = "prover")]
pub use prove::{OpenError, ProveError, ProverKey, Salt, random_salt, run, run_all};
pub use verify::{Estimate, Rejection, estimate, estimate_in_groups, estimate_of, verify};
