//! `HashKind`: the choice of hash function, as a value that a proof's parameters can name.

use core::fmt;
use core::str::FromStr;

use binfer_field::count;
use sha2::{Digest as _, Sha256};

use crate::{compressions, groestl, vision};

/// The output of every hash function here: 32 bytes.
pub type Digest = [u8; 32];

/// Key of BLAKE3 for the leaves of a tree.
pub(crate) const BLAKE3_LEAF_KEY: &[u8; 32] = b"binfer Merkle tree, v1: a leaf  ";
/// Key of BLAKE3 for the inner nodes of a tree.
pub(crate) const BLAKE3_NODE_KEY: &[u8; 32] = b"binfer Merkle tree, v1: a node  ";
/// First byte of what SHA-256 hashes for a leaf (RFC 6962, section 2.1).
const SHA256_LEAF_PREFIX: u8 = 0;
/// First byte of what SHA-256 hashes for an inner node (RFC 6962, section 2.1).
const SHA256_NODE_PREFIX: u8 = 1;

/// A hash function with 32-byte digests.
///
/// The discriminants are the codes by which parameters and proofs name the function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum HashKind {
    /// SHA-256 (FIPS 180-4).
    Sha256 = 0,
    /// BLAKE3.
    #[default]
    Blake3 = 1,
    /// Groestl-256 (the final-round SHA-3 submission), the default of Binius.
    Groestl256 = 2,
    /// Vision Mark-32, made to be proved over the tower; slower to compute than the others.
    Vision32 = 3,
}

/// A byte that is the code of no [`HashKind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no hash function has the code {code}")]
pub struct UnknownHash {
    /// The byte that was read.
    pub code: u8,
}

/// A string that is the name of no [`HashKind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hash functions are sha256, blake3, groestl256 and vision32")]
pub struct UnknownHashName;

impl HashKind {
    /// Every hash function, in the order of their codes.
    pub const ALL: [Self; 4] = [Self::Sha256, Self::Blake3, Self::Groestl256, Self::Vision32];

    /// The plain, unkeyed digest of `bytes`, as the function's standard defines it.
    pub fn hash(self, bytes: &[u8]) -> Digest {
        count::compressions(compressions::of_hash(self, bytes.len()));
        match self {
            Self::Sha256 => Sha256::digest(bytes).into(),
            Self::Blake3 => *blake3::hash(bytes).as_bytes(),
            Self::Groestl256 => groestl::groestl256(bytes),
            Self::Vision32 => vision::vision32(bytes),
        }
    }

    /// The digest of a leaf of a Merkle tree.
    ///
    /// SHA-256 hashes a zero byte before the leaf (RFC 6962), BLAKE3 is keyed, Groestl-256 and
    /// Vision Mark-32 are plain: the construction of [`Self::node`] differs.
    pub fn leaf(self, bytes: &[u8]) -> Digest {
        count::compressions(compressions::of_leaf(self, bytes.len()));
        match self {
            Self::Sha256 => {
                Sha256::new_with_prefix([SHA256_LEAF_PREFIX]).chain_update(bytes).finalize().into()
            }
            Self::Blake3 => *blake3::keyed_hash(BLAKE3_LEAF_KEY, bytes).as_bytes(),
            Self::Groestl256 => groestl::groestl256(bytes),
            Self::Vision32 => vision::vision32(bytes),
        }
    }

    /// The digest of an inner node of a Merkle tree from those of its children.
    ///
    /// SHA-256 hashes a one byte before the children (RFC 6962), BLAKE3 has a key of its own, and
    /// Groestl-256 applies only its output transformation `trunc(P(x) + x)`, which is one-way and
    /// collision resistant if `P` is an ideal permutation (Groestl submission, section 5.2): the
    /// two-to-one compression of Binius. Vision Mark-32 permutes the children with a one in the
    /// capacity, which no message begins with.
    pub fn node(self, left: &Digest, right: &Digest) -> Digest {
        count::compressions(compressions::of_node(self));
        match self {
            Self::Sha256 => Sha256::new_with_prefix([SHA256_NODE_PREFIX])
                .chain_update(left)
                .chain_update(right)
                .finalize()
                .into(),
            Self::Blake3 => {
                let mut children = [0; 64];
                children[..32].copy_from_slice(left);
                children[32..].copy_from_slice(right);
                *blake3::keyed_hash(BLAKE3_NODE_KEY, &children).as_bytes()
            }
            Self::Groestl256 => groestl::compress_pair(left, right),
            Self::Vision32 => vision::compress_pair(left, right),
        }
    }

    /// The name by which [`FromStr`] finds this function.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Blake3 => "blake3",
            Self::Groestl256 => "groestl256",
            Self::Vision32 => "vision32",
        }
    }
}

impl From<HashKind> for u8 {
    fn from(kind: HashKind) -> Self {
        kind as Self
    }
}

impl TryFrom<u8> for HashKind {
    type Error = UnknownHash;

    fn try_from(code: u8) -> Result<Self, UnknownHash> {
        Self::ALL.into_iter().find(|&kind| kind as u8 == code).ok_or(UnknownHash { code })
    }
}

impl fmt::Display for HashKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for HashKind {
    type Err = UnknownHashName;

    fn from_str(name: &str) -> Result<Self, UnknownHashName> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or(UnknownHashName)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_round_trip() {
        for (code, kind) in HashKind::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(u8::from(kind)), code);
            assert_eq!(HashKind::try_from(kind as u8), Ok(kind));
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert_eq!(HashKind::try_from(4), Err(UnknownHash { code: 4 }));
        assert_eq!("SHA256".parse::<HashKind>(), Err(UnknownHashName));
    }

    #[test]
    fn published_digests() {
        let abc = |kind: HashKind| blake3::Hash::from_bytes(kind.hash(b"abc")).to_hex().to_string();
        assert_eq!(
            abc(HashKind::Sha256),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            abc(HashKind::Blake3),
            "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"
        );
        assert_eq!(
            abc(HashKind::Groestl256),
            "f3c1bb19c048801326a7efbcf16e3d7887446249829c379e1840d1a3a1e7d4d2"
        );
    }

    #[test]
    fn leaves_and_nodes_are_separated() {
        let (left, right) = ([3; 32], [5; 32]);
        let joined = [left, right].concat();
        for kind in HashKind::ALL {
            assert_ne!(kind.leaf(&joined), kind.node(&left, &right));
            assert_ne!(kind.node(&right, &left), kind.node(&left, &right));
        }
    }
}
