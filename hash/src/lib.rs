//! Digests, Merkle trees over any of them, and the Fiat-Shamir transcript.
//!
//! The verifier's half ([`HashKind`], [`Transcript`], [`verify_multi`]) builds without the feature
//! `prover`; that feature adds [`MerkleTree`], [`Transcript::grind`] and hashing of many leaves at
//! once.

#![deny(unsafe_code)]

mod groestl;
mod kind;
mod merkle;
mod transcript;

pub use groestl::groestl256;
pub use kind::{Digest, HashKind, UnknownHash, UnknownHashName};
#[cfg(feature = "prover")]
pub use merkle::MerkleTree;
pub use merkle::{MerkleError, n_siblings, verify_multi};
pub use transcript::Transcript;
