//! Digests, Merkle trees over any of them, and the Fiat-Shamir transcript.
//!
//! The verifier's half ([`HashKind`], [`Transcript`], [`verify_multi`]) builds without the feature
//! `prover`; that feature adds [`MerkleTree`], [`Transcript::grind`] and hashing of many leaves at
//! once.

#![deny(unsafe_code)]

#[cfg(feature = "prover")]
#[expect(unsafe_code, reason = "vector instructions")]
mod arch;
#[cfg(feature = "prover")]
mod batch;
mod compressions;
mod groestl;
mod kind;
mod merkle;
mod transcript;
mod vision;

#[cfg(feature = "prover")]
pub use arch::dispatch::Backend;
pub use groestl::groestl256;
pub use kind::{Digest, HashKind, UnknownHash, UnknownHashName};
#[cfg(feature = "prover")]
pub use merkle::MerkleTree;
pub use merkle::{MerkleError, n_siblings, verify_multi};
pub use transcript::Transcript;
pub use vision::vision32;
