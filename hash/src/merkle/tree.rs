//! `MerkleTree`: every digest of a tree, from which the prover opens positions.

use rayon::prelude::*;

use crate::{Digest, HashKind};

/// Digests of one task of the thread pool. A level of fewer isn't worth waking a thread for.
const TASK: usize = 1 << 9;

/// The digests of a Merkle tree, held by a `D`; the leaves stay with the caller.
#[derive(Clone, Debug)]
pub struct MerkleTree<D = Vec<Digest>> {
    /// Level after level from the leaves: `2^log_leaves` digests, half of that, .., the root.
    digests: D,
    log_leaves: u32,
}

impl MerkleTree {
    /// The tree over the leaves that `leaves` holds one after another, each of `leaf_len` bytes.
    ///
    /// # Panics
    ///
    /// If `leaf_len` is zero or `leaves` isn't a power of two of them.
    pub fn new(kind: HashKind, leaves: &[u8], leaf_len: usize) -> Self {
        assert!(leaf_len > 0, "a leaf has at least one byte");
        let n_leaves = leaves.len() / leaf_len;
        assert!(
            n_leaves.is_power_of_two() && n_leaves * leaf_len == leaves.len(),
            "{} bytes are no power of two of leaves of {leaf_len} bytes",
            leaves.len()
        );

        // Of the system's zeros, which are written when threads first need them.
        let mut digests: Vec<Digest> = bytemuck::zeroed_vec(2 * n_leaves - 1);
        digests[..n_leaves]
            .par_chunks_mut(TASK)
            .zip(leaves.par_chunks(TASK * leaf_len))
            .for_each(|(digests, leaves)| kind.leaves(leaves, leaf_len, digests));
        Self::over_leaves(kind, digests, n_leaves)
    }

    /// The tree over leaves, or subtrees of one height, that have these digests.
    ///
    /// # Panics
    ///
    /// If there isn't a power of two of them.
    pub fn over(kind: HashKind, mut digests: Vec<Digest>) -> Self {
        let n_leaves = digests.len();
        assert!(n_leaves.is_power_of_two(), "{n_leaves} digests are no power of two");
        digests.resize(2 * n_leaves - 1, Digest::default());
        Self::over_leaves(kind, digests, n_leaves)
    }

    /// Fills in the levels above that of the leaves.
    fn over_leaves(kind: HashKind, mut digests: Vec<Digest>, n_leaves: usize) -> Self {
        let (mut level, mut rest) = digests.split_at_mut(n_leaves);
        while level.len() > 1 {
            let (above, higher) = rest.split_at_mut(level.len() / 2);
            if above.len() <= TASK {
                kind.nodes(level, above);
            } else {
                above
                    .par_chunks_mut(TASK)
                    .zip(level.par_chunks(2 * TASK))
                    .for_each(|(parents, children)| kind.nodes(children, parents));
            }
            (level, rest) = (above, higher);
        }
        Self { digests, log_leaves: n_leaves.trailing_zeros() }
    }
}

impl<D: AsRef<[Digest]>> MerkleTree<D> {
    /// The tree that has these levels, as [`Self::level`] gives them, one after another from the leaves;
    /// `None` where their number is no tree's.
    ///
    /// They are taken as they are: openings of a tree whose digests are false don't verify.
    pub fn from_levels(digests: D) -> Option<Self> {
        let n = digests.as_ref().len().checked_add(1)?;
        let n_leaves = n.is_power_of_two().then_some(n / 2)?;
        Some(Self { digests, log_leaves: n_leaves.checked_ilog2()? })
    }

    /// The same tree with its levels held otherwise, unchanged.
    pub fn map_levels<E: AsRef<[Digest]>>(self, hold: impl FnOnce(D) -> E) -> MerkleTree<E> {
        MerkleTree { digests: hold(self.digests), log_leaves: self.log_leaves }
    }

    /// The root.
    pub fn root(&self) -> Digest {
        self.level(self.log_leaves)[0]
    }

    /// Logarithm of the number of leaves.
    pub fn log_leaves(&self) -> u32 {
        self.log_leaves
    }

    /// The siblings of an opening of `positions`, in the order that
    /// [`verify_multi`](crate::verify_multi) reads them.
    ///
    /// # Panics
    ///
    /// If the positions aren't strictly increasing and below the number of leaves.
    pub fn open(&self, positions: &[usize]) -> Vec<Digest> {
        assert!(positions.is_sorted_by(|a, b| a < b), "positions are sorted and distinct");
        assert!(positions.last().is_none_or(|last| last >> self.log_leaves == 0), "no such leaf");
        let mut siblings = Vec::with_capacity(crate::n_siblings(self.log_leaves, positions));
        let mut known = positions.to_vec();
        for i in 0..self.log_leaves {
            let level = self.level(i);
            let mut above = Vec::with_capacity(known.len());
            let mut nodes = known.iter().peekable();
            while let Some(position) = nodes.next() {
                if nodes.next_if(|next| **next == position ^ 1).is_none() {
                    siblings.push(level[position ^ 1]);
                }
                above.push(position >> 1);
            }
            known = above;
        }
        siblings
    }

    /// The digests of level `i`, level 0 being that of the leaves.
    ///
    /// # Panics
    ///
    /// If the tree has fewer levels.
    pub fn level(&self, i: u32) -> &[Digest] {
        let n_leaves = 1 << self.log_leaves;
        let start = 2 * n_leaves - ((2 * n_leaves) >> i);
        &self.digests.as_ref()[start..start + (n_leaves >> i)]
    }
}
