//! Quantized networks: their graphs, exact integer inference, commitments and proofs.

#![forbid(unsafe_code)]

pub mod array;
pub mod graph;
#[cfg(feature = "prover")]
pub mod interpret;
#[cfg(feature = "prover")]
pub mod onnx;
