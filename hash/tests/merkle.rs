//! Openings of Merkle trees: the honest ones verify and the altered ones do not.
#![cfg(feature = "prover")]

use binfer_hash::{Digest, HashKind, MerkleError, MerkleTree, n_siblings, verify_multi};
use proptest::prelude::*;

/// A tree, its leaves, and an opening of it.
#[derive(Clone, Debug)]
struct Opening {
    kind: HashKind,
    root: Digest,
    log_leaves: u32,
    positions: Vec<usize>,
    leaves: Vec<Vec<u8>>,
    siblings: Vec<Digest>,
}

impl Opening {
    fn verify(&self) -> Result<(), MerkleError> {
        let leaves: Vec<&[u8]> = self.leaves.iter().map(Vec::as_slice).collect();
        let Self { kind, root, log_leaves, positions, siblings, .. } = self;
        verify_multi(*kind, root, *log_leaves, positions, &leaves, siblings)
    }
}

fn pattern(len: usize, seed: u64) -> Vec<u8> {
    (0..len as u64)
        .map(|i| (i.wrapping_add(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8)
        .collect()
}

fn kinds() -> impl Strategy<Value = HashKind> {
    prop::sample::select(HashKind::ALL.to_vec())
}

prop_compose! {
    fn openings()(kind in kinds(), log_leaves in 0u32..10, leaf_len in 8usize..200, seed in any::<u64>())(
        positions in prop::collection::btree_set(0usize..1 << log_leaves, 1..=(1 << log_leaves.min(4))),
        kind in Just(kind), log_leaves in Just(log_leaves), leaf_len in Just(leaf_len), seed in Just(seed),
    ) -> Opening {
        let leaves = pattern(leaf_len << log_leaves, seed);
        let tree = MerkleTree::new(kind, &leaves, leaf_len);
        let positions: Vec<usize> = positions.into_iter().collect();
        Opening {
            kind,
            root: tree.root(),
            log_leaves,
            leaves: positions.iter().map(|i| leaves[i * leaf_len..][..leaf_len].to_vec()).collect(),
            siblings: tree.open(&positions),
            positions,
        }
    }
}

fn naive_root(kind: HashKind, leaves: &[u8], leaf_len: usize) -> Digest {
    let mut level: Vec<Digest> = leaves.chunks(leaf_len).map(|leaf| kind.leaf(leaf)).collect();
    while level.len() > 1 {
        level = level.chunks(2).map(|pair| kind.node(&pair[0], &pair[1])).collect();
    }
    level[0]
}

#[test]
fn trees_of_many_tasks() {
    for kind in HashKind::ALL {
        let leaves = pattern(24 << 11, 0);
        let tree = MerkleTree::new(kind, &leaves, 24);
        assert_eq!(tree.root(), naive_root(kind, &leaves, 24));
        assert_eq!(tree.log_leaves(), 11);
    }
}

proptest! {
    #[test]
    fn roots_are_those_of_the_definition(
        kind in kinds(), log_leaves in 0usize..8, leaf_len in 1usize..2200, seed in any::<u64>(),
    ) {
        let leaves = pattern(leaf_len << log_leaves, seed);
        let tree = MerkleTree::new(kind, &leaves, leaf_len);
        prop_assert_eq!(tree.root(), naive_root(kind, &leaves, leaf_len));
    }

    #[test]
    fn openings_verify(opening in openings()) {
        prop_assert_eq!(opening.siblings.len(), n_siblings(opening.log_leaves, &opening.positions));
        prop_assert_eq!(opening.verify(), Ok(()));
    }

    #[test]
    fn altered_digests_and_leaves_are_rejected(
        opening in openings(), which in any::<prop::sample::Index>(), bit in 0usize..256,
    ) {
        let flip = |bytes: &mut [u8]| {
            let bit = bit % (8 * bytes.len());
            bytes[bit / 8] ^= 1 << (bit % 8);
        };
        let mut altered = opening.clone();
        flip(&mut altered.root);
        prop_assert_eq!(altered.verify(), Err(MerkleError::RootMismatch));

        let mut altered = opening.clone();
        flip(&mut altered.leaves[which.index(opening.leaves.len())]);
        prop_assert_eq!(altered.verify(), Err(MerkleError::RootMismatch));

        let mut altered = opening.clone();
        altered.leaves[which.index(opening.leaves.len())].push(0);
        prop_assert_eq!(altered.verify(), Err(MerkleError::RootMismatch));

        if !opening.siblings.is_empty() {
            let mut altered = opening.clone();
            flip(&mut altered.siblings[which.index(opening.siblings.len())]);
            prop_assert_eq!(altered.verify(), Err(MerkleError::RootMismatch));
        }
    }

    #[test]
    fn altered_shapes_are_rejected(opening in openings(), which in any::<prop::sample::Index>()) {
        let mut altered = opening.clone();
        altered.siblings.push([0; 32]);
        prop_assert!(altered.verify().is_err());

        let mut altered = opening.clone();
        altered.siblings.pop();
        prop_assert!(opening.siblings.is_empty() || altered.verify().is_err());

        let mut altered = opening.clone();
        altered.leaves.pop();
        prop_assert!(altered.verify().is_err());

        let mut altered = opening.clone();
        altered.log_leaves += 1;
        prop_assert!(altered.verify().is_err());

        let mut altered = opening.clone();
        let index = which.index(altered.positions.len());
        altered.positions[index] ^= 1;
        prop_assert!(altered.verify().is_err());

        for kind in HashKind::ALL.into_iter().filter(|&kind| kind != opening.kind) {
            let mut altered = opening.clone();
            altered.kind = kind;
            prop_assert_eq!(altered.verify(), Err(MerkleError::RootMismatch));
        }
    }

    #[test]
    fn arbitrary_arguments_do_not_panic(
        log_leaves in any::<u32>(), positions in any::<Vec<usize>>(), n_leaves in 0usize..8, n in 0usize..200,
    ) {
        let leaves: Vec<&[u8]> = vec![b""; n_leaves];
        let verdict =
            verify_multi(HashKind::Blake3, &[0; 32], log_leaves, &positions, &leaves, &vec![[0; 32]; n]);
        prop_assert!(verdict.is_err());
        n_siblings(log_leaves, &positions);
    }
}

#[test]
fn each_error_has_its_cause() {
    let verify = |log_leaves, positions: &[usize], n_leaves: usize, n_siblings: usize| {
        let leaves: Vec<&[u8]> = vec![b"leaf"; n_leaves];
        let siblings = vec![[0; 32]; n_siblings];
        verify_multi(HashKind::Sha256, &[0; 32], log_leaves, positions, &leaves, &siblings)
    };
    assert_eq!(verify(64, &[0], 1, 64), Err(MerkleError::TooManyLeaves { log_leaves: 64 }));
    assert_eq!(verify(3, &[], 0, 0), Err(MerkleError::NoPositions));
    assert_eq!(verify(3, &[1, 1], 2, 3), Err(MerkleError::UnsortedPositions { index: 1 }));
    assert_eq!(verify(3, &[2, 1], 2, 3), Err(MerkleError::UnsortedPositions { index: 1 }));
    assert_eq!(
        verify(3, &[1, 8], 2, 3),
        Err(MerkleError::PositionOutOfRange { position: 8, log_leaves: 3 })
    );
    assert_eq!(verify(3, &[1, 2], 1, 3), Err(MerkleError::LeafCount { expected: 2, got: 1 }));
    assert_eq!(verify(3, &[1, 2], 2, 4), Err(MerkleError::SiblingCount { expected: 3, got: 4 }));
    assert_eq!(verify(3, &[1, 2], 2, 3), Err(MerkleError::RootMismatch));
}

#[test]
fn neighbours_need_no_sibling_between_them() {
    assert_eq!(n_siblings(3, &[4]), 3);
    assert_eq!(n_siblings(3, &[4, 5]), 2);
    assert_eq!(n_siblings(3, &[0, 1, 2, 3, 4, 5, 6, 7]), 0);
    assert_eq!(n_siblings(3, &[]), 0);
}

#[test]
fn trees_of_subtrees_and_of_stored_levels_are_the_same() {
    let leaves = pattern(40 << 6, 3);
    for kind in HashKind::ALL {
        let whole = MerkleTree::new(kind, &leaves, 40);
        for log_parts in 0..=6 {
            let parts: Vec<MerkleTree> = leaves
                .chunks(leaves.len() >> log_parts)
                .map(|part| MerkleTree::new(kind, part, 40))
                .collect();
            for i in 0..=6 - log_parts {
                let level: Vec<Digest> =
                    parts.iter().flat_map(|part| part.level(i)).copied().collect();
                assert_eq!(level, whole.level(i));
            }
            let top = MerkleTree::over(kind, parts.iter().map(MerkleTree::root).collect());
            assert_eq!((top.root(), top.log_leaves()), (whole.root(), log_parts));
        }
        let levels: Vec<Digest> = (0..=6).flat_map(|i| whole.level(i)).copied().collect();
        let stored = MerkleTree::from_levels(&levels[..]).unwrap();
        assert_eq!(stored.root(), whole.root());
        assert_eq!(stored.open(&[1, 8, 9, 63]), whole.open(&[1, 8, 9, 63]));
        for n in [0, 2, 126] {
            assert!(MerkleTree::from_levels(&levels[..n]).is_none());
        }
    }
}
