//! Leaves and nodes of a Merkle tree, many at once on one thread.

use crate::arch::dispatch::{self, Backend};
use crate::kind::{BLAKE3_LEAF_KEY, BLAKE3_NODE_KEY};
use crate::{Digest, HashKind};

impl HashKind {
    /// `digests[i]` = [`Self::leaf`] of the `i`-th `leaf_len` bytes of `leaves`.
    ///
    /// # Panics
    ///
    /// If `leaf_len` is zero or `leaves` isn't `digests.len()` leaves long.
    pub fn leaves(self, leaves: &[u8], leaf_len: usize, digests: &mut [Digest]) {
        self.leaves_on(Backend::limit(), leaves, leaf_len, digests);
    }

    /// `parents[i]` = [`Self::node`] of `children[2 i]` and `children[2 i + 1]`.
    ///
    /// # Panics
    ///
    /// If there aren't two children for each parent.
    pub fn nodes(self, children: &[Digest], parents: &mut [Digest]) {
        self.nodes_on(Backend::limit(), children, parents);
    }

    /// [`Self::leaves`] on no wider vectors than `limit`.
    ///
    /// # Panics
    ///
    /// As [`Self::leaves`].
    pub fn leaves_on(self, limit: Backend, leaves: &[u8], leaf_len: usize, digests: &mut [Digest]) {
        assert!(leaf_len > 0, "a leaf has at least one byte");
        assert_eq!(leaves.len() / leaf_len, digests.len(), "leaves and digests");
        assert_eq!(leaves.len() % leaf_len, 0, "no leaf is partial");
        match self {
            Self::Sha256 => {
                for (digest, leaf) in digests.iter_mut().zip(leaves.chunks_exact(leaf_len)) {
                    *digest = self.leaf(leaf);
                }
            }
            Self::Blake3 => dispatch::blake3(limit, BLAKE3_LEAF_KEY, leaves, leaf_len, digests),
            Self::Groestl256 => dispatch::groestl256(limit, leaves, leaf_len, digests),
            Self::Vision32 => dispatch::vision32(limit, leaves, leaf_len, digests),
        }
    }

    /// [`Self::nodes`] on no wider vectors than `limit`.
    ///
    /// # Panics
    ///
    /// As [`Self::nodes`].
    pub fn nodes_on(self, limit: Backend, children: &[Digest], parents: &mut [Digest]) {
        assert_eq!(children.len(), 2 * parents.len(), "children and parents");
        let pairs = children.as_chunks::<2>().0;
        match self {
            Self::Sha256 => {
                for (parent, [left, right]) in parents.iter_mut().zip(pairs) {
                    *parent = self.node(left, right);
                }
            }
            Self::Blake3 => {
                let children = children.as_flattened();
                dispatch::blake3(limit, BLAKE3_NODE_KEY, children, 64, parents);
            }
            Self::Groestl256 => dispatch::groestl256_pairs(limit, pairs, parents),
            Self::Vision32 => dispatch::vision32_pairs(limit, pairs, parents),
        }
    }
}
