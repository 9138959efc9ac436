//! Why a verifier rejects.

use binfer_hash::MerkleError;
use thiserror::Error;

/// The reason a proof is rejected.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// The proof ends before its last message.
    #[error("the proof is truncated")]
    Truncated,
    /// Bytes follow the last message.
    #[error("{bytes} bytes follow the proof")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// An equation of the protocol does not hold.
    #[error("check failed: {label}")]
    CheckFailed {
        /// The equation's name.
        label: &'static str,
    },
    /// The proof of work is missing.
    #[error("the proof of work of {bits} bits is not there")]
    Grinding {
        /// Bits asked for.
        bits: u32,
    },
    /// An opening does not match its Merkle root.
    #[error("Merkle opening: {0}")]
    Merkle(#[from] MerkleError),
}
