//! Recomputing a root from some leaves of its tree.

#![deny(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    clippy::arithmetic_side_effects
)]

use crate::{Digest, HashKind};

/// Why an opening of a Merkle tree was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MerkleError {
    /// Positions of the tree aren't `usize`s.
    #[error("a tree of 2^{log_leaves} leaves is too large")]
    TooManyLeaves {
        /// Logarithm of the number of leaves.
        log_leaves: u32,
    },
    /// There is nothing to recompute the root from.
    #[error("no position is opened")]
    NoPositions,
    /// A position isn't above the one before it.
    #[error("position {index} of the opening is not above the one before it")]
    UnsortedPositions {
        /// Where in the list of positions.
        index: usize,
    },
    /// A position is beyond the last leaf.
    #[error("position {position} in a tree of 2^{log_leaves} leaves")]
    PositionOutOfRange {
        /// The position.
        position: usize,
        /// Logarithm of the number of leaves.
        log_leaves: u32,
    },
    /// There are more or fewer leaves than positions.
    #[error("{expected} positions but {got} leaves")]
    LeafCount {
        /// The number of positions.
        expected: usize,
        /// The number of leaves.
        got: usize,
    },
    /// There are more or fewer siblings than [`n_siblings`].
    #[error("the opening needs {expected} siblings and has {got}")]
    SiblingCount {
        /// What [`n_siblings`] says.
        expected: usize,
        /// The number of siblings.
        got: usize,
    },
    /// The recomputed root is another.
    #[error("the leaves and siblings do not hash to the root")]
    RootMismatch,
}

/// Checks that the tree of `2^log_leaves` leaves with this `root` has `leaves[i]` at `positions[i]`.
///
/// The lengths of the leaves are for the caller to check. Time and memory are linear in the opening,
/// the logarithm of the tree's size being a factor of the time.
///
/// # Errors
///
/// [`MerkleError`], whatever the arguments: if the positions aren't strictly increasing and below
/// `2^log_leaves`, if the numbers of leaves or of siblings differ from what the positions call for,
/// or if the root differs.
pub fn verify_multi(
    kind: HashKind,
    root: &Digest,
    log_leaves: u32,
    positions: &[usize],
    leaves: &[&[u8]],
    siblings: &[Digest],
) -> Result<(), MerkleError> {
    check_positions(log_leaves, positions)?;
    let (expected, got) = (positions.len(), leaves.len());
    if expected != got {
        return Err(MerkleError::LeafCount { expected, got });
    }
    let (expected, got) = (n_siblings(log_leaves, positions), siblings.len());
    if expected != got {
        return Err(MerkleError::SiblingCount { expected, got });
    }

    let mut level: Vec<(usize, Digest)> =
        positions.iter().zip(leaves).map(|(&position, leaf)| (position, kind.leaf(leaf))).collect();
    let mut siblings = siblings.iter();
    for _ in 0..log_leaves {
        let mut above = Vec::with_capacity(level.len());
        let mut nodes = level.iter().peekable();
        while let Some((position, digest)) = nodes.next() {
            let sibling = match nodes.next_if(|(next, _)| *next == position ^ 1) {
                Some((_, sibling)) => sibling,
                None => siblings.next().ok_or(MerkleError::SiblingCount { expected, got })?,
            };
            let parent = match position & 1 {
                0 => kind.node(digest, sibling),
                _ => kind.node(sibling, digest),
            };
            above.push((position >> 1, parent));
        }
        level = above;
    }
    match level.as_slice() {
        [(_, computed)] if computed == root => Ok(()),
        _ => Err(MerkleError::RootMismatch),
    }
}

/// How many siblings an opening of these positions has: the count that [`verify_multi`] expects.
///
/// The positions are sorted, distinct and below `2^log_leaves`; otherwise the result means nothing.
pub fn n_siblings(log_leaves: u32, positions: &[usize]) -> usize {
    let mut level = positions.to_vec();
    let mut count = 0usize;
    for _ in 0..log_leaves.min(usize::BITS) {
        let n_nodes = level.len();
        level.iter_mut().for_each(|position| *position >>= 1);
        level.dedup();
        // Of `2 * level.len()` children, `n_nodes` are known.
        count = count.saturating_add(level.len().saturating_mul(2).saturating_sub(n_nodes));
    }
    count
}

fn check_positions(log_leaves: u32, positions: &[usize]) -> Result<(), MerkleError> {
    if log_leaves >= usize::BITS {
        return Err(MerkleError::TooManyLeaves { log_leaves });
    }
    let mut previous = None;
    for (index, &position) in positions.iter().enumerate() {
        if previous.is_some_and(|previous| previous >= position) {
            return Err(MerkleError::UnsortedPositions { index });
        }
        if position >> log_leaves != 0 {
            return Err(MerkleError::PositionOutOfRange { position, log_leaves });
        }
        previous = Some(position);
    }
    previous.map(|_| ()).ok_or(MerkleError::NoPositions)
}
