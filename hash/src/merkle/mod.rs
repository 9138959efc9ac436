//! Merkle trees over `2^log_leaves` leaves, opened at many positions at once.
//!
//! # Relation
//!
//! A root stands for the leaves `x_0, .., x_{n-1}`, `n = 2^log_leaves`: level 0 holds
//! [`HashKind::leaf`](crate::HashKind::leaf) of each, level `i + 1` holds
//! [`HashKind::node`](crate::HashKind::node) of each pair of neighbours of level `i`, and the root is
//! the one digest of level `log_leaves`. A root alone doesn't say how many leaves there are: the
//! verifier knows.
//!
//! # Messages
//!
//! An opening of a set of positions is the leaves there, in increasing order, and the siblings that
//! the leaves don't determine: level by level from the leaves, in increasing order within a level.
//! Nothing in it is redundant, so every one that is accepted is the only one with its leaves and root.
//!
//! # Soundness
//!
//! Two accepted openings of one root that differ at a position hold a collision of the hash
//! function: 128 bits in the random oracle model.

#[cfg(feature = "prover")]
mod tree;
mod verify;

#[cfg(feature = "prover")]
pub use tree::MerkleTree;
pub use verify::{MerkleError, n_siblings, verify_multi};
