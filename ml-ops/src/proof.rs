//! Proof files: a header that names the model, the batch, the group size and the reaches, then the messages.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use thiserror::Error;

use crate::argument::GroupSize;
use crate::commitment::{CommitmentError, ModelCommitment};

const MAGIC: [u8; 8] = *b"binfer-p";
const VERSION: u32 = 3;

/// A proof that a committed model maps some input to some output.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    pub(crate) commitment: ModelCommitment,
    pub(crate) batch: u32,
    pub(crate) group_size: GroupSize,
    pub(crate) reaches: Vec<u8>,
    pub(crate) messages: Vec<u8>,
}

/// The fields of a proof file, the commitment as its bytes.
pub(crate) struct ProofParts<'a> {
    pub(crate) batch: u32,
    pub(crate) group_size: GroupSize,
    pub(crate) reaches: &'a [u8],
    pub(crate) commitment: &'a [u8],
    pub(crate) messages: &'a [u8],
}

/// Bytes are not a proof file.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProofError {
    /// The bytes end within the header.
    #[error("the proof's header is truncated at byte {got}")]
    Truncated {
        /// Bytes given.
        got: usize,
    },
    /// The first bytes are not those of a proof.
    #[error("the first 8 bytes are not a proof's")]
    Magic,
    /// The version is another one.
    #[error("version {got} of the proof, expected {VERSION}")]
    Version {
        /// The version found.
        got: u32,
    },
    /// No group has so many leaves.
    #[error("groups of 2^{got} leaves")]
    GroupSize {
        /// The logarithm found.
        got: u32,
    },
    /// The commitment within is invalid.
    #[error("the proof's commitment: {0}")]
    Commitment(#[from] CommitmentError),
}

impl Proof {
    /// The commitment that the prover claims to have used; [`verify`](crate::verify) compares it.
    pub fn commitment(&self) -> &ModelCommitment {
        &self.commitment
    }

    /// The batch size that the prover claims.
    pub fn batch(&self) -> usize {
        self.batch as usize
    }

    /// How much was proved at once.
    pub fn group_size(&self) -> GroupSize {
        self.group_size
    }

    /// By how many bits the outputs of each node that requantizes go beyond the thresholds of its end codes, at most, in units of
    /// about the range of a code.
    pub fn reaches(&self) -> &[u8] {
        &self.reaches
    }

    /// Bytes of the argument itself, without the header.
    pub fn message_bytes(&self) -> usize {
        self.messages.len()
    }

    /// The encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        let commitment = self.commitment.as_bytes();
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(self.batch.to_le_bytes());
        bytes.extend(self.group_size.log_leaves().to_le_bytes());
        bytes.extend((self.reaches.len() as u32).to_le_bytes());
        bytes.extend(&self.reaches);
        bytes.extend((commitment.len() as u32).to_le_bytes());
        bytes.extend(commitment);
        bytes.extend(&self.messages);
        bytes
    }

    /// What [`Self::to_bytes`] gives, with the bytes of the commitment undecoded.
    pub(crate) fn parts(bytes: &[u8]) -> Result<ProofParts<'_>, ProofError> {
        let mut rest = bytes;
        let truncated = || ProofError::Truncated { got: bytes.len() };
        let mut take = |n: usize| {
            let (head, tail) = rest.split_at_checked(n).ok_or_else(truncated)?;
            rest = tail;
            Ok::<_, ProofError>(head)
        };
        if take(8)? != MAGIC {
            return Err(ProofError::Magic);
        }
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |acc, &b| acc << 8 | u32::from(b));
        let version = number(take(4)?);
        if version != VERSION {
            return Err(ProofError::Version { got: version });
        }
        let (batch, got, nodes) = (number(take(4)?), number(take(4)?), number(take(4)?));
        let group_size = GroupSize::new(got).ok_or(ProofError::GroupSize { got })?;
        let reaches = take(nodes as usize)?;
        let length = number(take(4)?);
        let commitment = take(length as usize)?;
        Ok(ProofParts { batch, group_size, reaches, commitment, messages: rest })
    }

    /// Decodes [`Self::to_bytes`]; the messages are checked by [`verify`](crate::verify) alone.
    ///
    /// # Errors
    /// [`ProofError`] where the header is not one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProofError> {
        let ProofParts { batch, group_size, reaches, commitment, messages } = Self::parts(bytes)?;
        let commitment = ModelCommitment::from_bytes(commitment)?;
        let (reaches, messages) = (reaches.to_vec(), messages.to_vec());
        Ok(Self { commitment, batch, group_size, reaches, messages })
    }
}
