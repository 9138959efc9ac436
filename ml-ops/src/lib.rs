//! Quantized networks: their graphs, exact integer inference, commitments and proofs.
//!
//! - A [`Graph`](graph::Graph) is public, a [`Model`](graph::Model) adds the weights. `Model::from_onnx` imports one; the fields of both are
//!   public, so that one can be written down.
//! - A `ProverKey` is a model with a salted commitment to it: it runs the model and proves what it ran.
//! - [`verify`] takes a [`ModelCommitment`], inputs, outputs and the bytes of a [`Proof`], and needs no weights.
//! - [`estimate`] says what a proof costs and how many bits of soundness it has, term by term.
//!
//! Without the feature `prover`, which is on by default, there are verification and its types alone: no import, no threads.
//!
//! ```
//! # #[cfg(feature = "prover")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use binfer_ml_ops::array::{Array, ArrayData};
//! use binfer_ml_ops::{ModelCommitment, ProverKey, estimate, graph::Model, verify};
//!
//! // Who has the weights commits, once, and proves.
//! let model = Model::from_onnx(&std::fs::read("../models/digits/digits.onnx")?)?;
//! let key = ProverKey::new(model, Default::default(), &binfer_ml_ops::random_salt(&mut rand::rng()));
//! let published: Vec<u8> = key.commitment().to_bytes();
//! let input = Array::new(vec![2, 64], ArrayData::F32(vec![8.0; 128]))?;
//! let output = key.run(&input)?;
//! let proof: Vec<u8> = key.prove(&input, &output, &mut |_phase| ())?.to_bytes();
//!
//! // Who trusts the published bytes verifies.
//! let commitment = ModelCommitment::from_bytes(&published)?;
//! assert!(estimate(&commitment, 2).soundness_bits > 100.0);
//! verify(&commitment, &input, &output, &proof)?;
//! let other = Array::new(vec![2, 64], ArrayData::F32(vec![9.0; 128]))?;
//! assert!(verify(&commitment, &other, &output, &proof).is_err());
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "prover"))]
//! # fn main() {}
//! ```

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
mod threads;
mod verify;

pub use argument::{GroupSize, ReachError};
pub use binfer_pcs::Params;
pub use commitment::{CommitmentError, ModelCommitment};
pub use committed::{CommittedBits, Operand, committed_bits, committed_bits_of};
pub use proof::{Proof, ProofError};
#[cfg(feature = "prover")]
pub use prove::{OpenError, ProveError, ProverKey, Salt, random_salt, run, run_all};
pub use verify::{
    Estimate, LEAST_BITS, Rejection, estimate, estimate_in_groups, estimate_of, verify,
};
