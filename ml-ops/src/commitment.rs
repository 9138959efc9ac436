//! A model's commitment: the public graph, the parameters and the root of its hidden weights.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use std::sync::Arc;

use binfer_hash::{Digest, HashKind};
use binfer_pcs::Params;
use thiserror::Error;

use crate::graph::{DecodeError, Graph};

const MAGIC: [u8; 8] = *b"binfer-m";
const VERSION: u32 = 1;

/// Bits of soundness that the queries of proofs have, of all commitments that are read: those with which the whole has 100.
const LEAST_SECURITY: u32 = Params::fast().security_bits;

/// What the verifier holds of a model.
#[derive(Clone, Debug)]
pub struct ModelCommitment {
    pub(crate) graph: Arc<Graph>,
    pub(crate) params: Params,
    pub(crate) root: Digest,
    /// Its encoding, which says all that the others do.
    bytes: Arc<[u8]>,
}

impl PartialEq for ModelCommitment {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

/// Bytes are not a model commitment.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommitmentError {
    /// The bytes end within the header.
    #[error("{got} bytes are too few for a commitment, whose header has {expected}")]
    Truncated {
        /// Bytes of the header.
        expected: usize,
        /// Bytes given.
        got: usize,
    },
    /// The first bytes are not those of a commitment.
    #[error("the first 8 bytes are not a model commitment's")]
    Magic,
    /// The version is another one.
    #[error("version {got} of the commitment, expected {VERSION}")]
    Version {
        /// The version found.
        got: u32,
    },
    /// The parameters are invalid.
    #[error("parameters: {0}")]
    Params(#[from] binfer_pcs::ParamsError),
    /// Proofs would convince of less than they should.
    #[error(
        "proofs under it have {got} bits of soundness in their queries, and {least} are asked for"
    )]
    Security {
        /// The least that any may have.
        least: u32,
        /// The commitment's.
        got: u32,
    },
    /// The graph is invalid.
    #[error("graph: {0}")]
    Graph(#[from] DecodeError),
}

impl ModelCommitment {
    /// The commitment of a valid graph.
    #[cfg(feature = "prover")]
    pub(crate) fn new(graph: Graph, params: Params, root: Digest) -> Self {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(params.to_bytes());
        bytes.extend(root);
        bytes.extend(graph.to_bytes());
        Self { graph: graph.into(), params, root, bytes: bytes.into() }
    }

    /// The public graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The parameters of proofs under this commitment.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The Merkle root over the encoded weights.
    pub fn root(&self) -> &Digest {
        &self.root
    }

    /// The canonical encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.bytes.to_vec()
    }

    /// The canonical encoding as it is held.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Decodes [`Self::to_bytes`].
    ///
    /// Parameters are the committer's choice, and few queries would let anyone prove anything: of those that come from
    /// outside, none may ask for less than the default's 103 bits.
    ///
    /// # Errors
    /// [`CommitmentError`] on any other bytes, and for parameters with fewer bits of soundness.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CommitmentError> {
        let expected = 8 + 4 + Params::BYTES + 32;
        let truncated = CommitmentError::Truncated { expected, got: bytes.len() };
        let header = bytes.split_at_checked(expected);
        let (header, graph) = header.ok_or(truncated)?;
        let (magic, header) = header.split_at(8);
        if magic != MAGIC {
            return Err(CommitmentError::Magic);
        }
        let (version, header) = header.split_at(4);
        let got = version.iter().rev().fold(0, |acc, &b| acc << 8 | u32::from(b));
        if got != VERSION {
            return Err(CommitmentError::Version { got });
        }
        let (params, root) = header.split_at(Params::BYTES);
        let params = Params::from_bytes(params)?;
        let (least, got) = (LEAST_SECURITY, params.security_bits);
        if got < least {
            return Err(CommitmentError::Security { least, got });
        }
        let mut digest = Digest::default();
        digest.copy_from_slice(root);
        let graph = Graph::from_bytes(graph)?.into();
        Ok(Self { graph, params, root: digest, bytes: bytes.into() })
    }

    /// The digest that names this commitment: BLAKE3 of its bytes.
    pub fn digest(&self) -> Digest {
        HashKind::Blake3.hash(&self.bytes)
    }
}

#[cfg(all(test, feature = "prover"))]
mod tests {
    use super::*;
    use crate::graph::Model;
    use crate::{ProverKey, estimate};

    /// Under a committer's choice of one query or two, outputs that are false pass as often as not.
    #[test]
    fn commitments_to_few_queries_are_refused() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/digits/digits.onnx");
        let model = Model::from_onnx(&std::fs::read(path).unwrap()).unwrap();
        let commitment =
            |params| ProverKey::new(model.clone(), params, &[7; 32]).commitment().clone();
        let read =
            |commitment: &ModelCommitment| ModelCommitment::from_bytes(&commitment.to_bytes());
        for security_bits in [1, 60, 102] {
            let weak = commitment(Params { security_bits, ..Params::fast() });
            let most = f64::from(security_bits) + 1.0;
            assert!(estimate(&weak, 1).soundness_bits < most, "{security_bits}");
            let refused = CommitmentError::Security { least: 103, got: security_bits };
            assert_eq!(read(&weak), Err(refused));
        }
        for profile in [Params::fast(), Params::small()] {
            let strong = commitment(profile);
            assert!(estimate(&strong, 1).soundness_bits > 100.0);
            assert_eq!(read(&strong), Ok(strong));
        }
    }
}
