//! Every backend against the scalar functions.
#![cfg(feature = "prover")]

use binfer_hash::{Backend, Digest, HashKind};
use proptest::prelude::*;

fn check(kind: HashKind, leaves: &[u8], leaf_len: usize) {
    let n = leaves.len() / leaf_len;
    let expected: Vec<Digest> = leaves.chunks(leaf_len).map(|leaf| kind.leaf(leaf)).collect();
    let children = &expected[..n / 2 * 2];
    let parents: Vec<Digest> =
        children.chunks(2).map(|pair| kind.node(&pair[0], &pair[1])).collect();
    for limit in Backend::ALL {
        let mut got = vec![[0; 32]; n];
        kind.leaves_on(limit, leaves, leaf_len, &mut got);
        assert!(got == expected, "{n} leaves of {leaf_len} bytes, {kind} on {limit}");
        let mut got = vec![[0; 32]; n / 2];
        kind.nodes_on(limit, children, &mut got);
        assert!(got == parents, "{} nodes, {kind} on {limit}", n / 2);
    }
}

/// Around the borders of blocks (64), of chunks (1024), and of subtrees of chunks.
const LENGTHS: [usize; 24] = [
    1, 8, 32, 55, 56, 57, 63, 64, 65, 119, 120, 121, 128, 256, 1023, 1024, 1025, 2048, 2049, 3072,
    3073, 4097, 5120, 7169,
];

#[test]
fn borders_of_blocks_and_chunks() {
    for leaf_len in LENGTHS {
        let leaves: Vec<u8> = (0..19 * leaf_len).map(|i| (i * i / 7 + i) as u8).collect();
        for kind in HashKind::ALL {
            check(kind, &leaves, leaf_len);
        }
    }
}

proptest! {
    #[test]
    fn random_leaves(
        kind in prop::sample::select(HashKind::ALL.to_vec()),
        leaf_len in 1usize..300,
        n in 0usize..70,
        bytes in prop::collection::vec(any::<u8>(), 70 * 300),
    ) {
        check(kind, &bytes[..n * leaf_len], leaf_len);
    }
}
