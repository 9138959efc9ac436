//! How fast does each hash build a Merkle tree, and open and check 241 positions of it?

use binfer_benches::bytes;
use binfer_hash::{Backend, HashKind, MerkleTree, Transcript, n_siblings, verify_multi};
use criterion::{BenchmarkId, Criterion, Throughput};

/// Leaves of the trees.
const LOG_LEAVES: u32 = 14;
/// Queries of an opening at rate 1/2 and 100 bits.
const QUERIES: usize = 241;

/// The name of a variant in a benchmark's id.
fn lower(variant: impl core::fmt::Debug) -> String {
    format!("{variant:?}").to_lowercase()
}

fn trees(c: &mut Criterion) {
    for kind in HashKind::ALL {
        let mut group = c.benchmark_group(format!("hash/merkle_{}", lower(kind)));
        for leaf_len in [64, 256, 1024] {
            let leaves = bytes(leaf_len << LOG_LEAVES, 1);
            group.throughput(Throughput::Bytes(leaves.len() as u64));
            let id = BenchmarkId::new(lower(Backend::limit()), leaf_len);
            group.bench_function(id, |b| b.iter(|| MerkleTree::new(kind, &leaves, leaf_len)));
        }
        group.finish();
    }
}

fn openings(c: &mut Criterion) {
    let leaf_len = 256;
    let leaves = bytes(leaf_len << LOG_LEAVES, 1);
    let mut positions = Transcript::new("bench").positions("positions", LOG_LEAVES, QUERIES);
    positions.sort_unstable();
    positions.dedup();
    for kind in HashKind::ALL {
        let tree = MerkleTree::new(kind, &leaves, leaf_len);
        let (root, siblings) = (tree.root(), tree.open(&positions));
        assert_eq!(siblings.len(), n_siblings(LOG_LEAVES, &positions));
        let opened: Vec<&[u8]> =
            positions.iter().map(|&p| &leaves[p * leaf_len..][..leaf_len]).collect();
        let mut group = c.benchmark_group(format!("hash/open_{}", lower(kind)));
        group.throughput(Throughput::Elements(positions.len() as u64));
        group.bench_function(BenchmarkId::new("portable", LOG_LEAVES), |b| {
            b.iter(|| tree.open(&positions));
        });
        group.finish();
        let mut group = c.benchmark_group(format!("hash/verify_{}", lower(kind)));
        group.throughput(Throughput::Elements(positions.len() as u64));
        group.bench_function(BenchmarkId::new("portable", LOG_LEAVES), |b| {
            b.iter(|| verify_multi(kind, &root, LOG_LEAVES, &positions, &opened, &siblings));
        });
        group.finish();
    }
}

fn main() {
    let mut c = Criterion::default().configure_from_args();
    trees(&mut c);
    openings(&mut c);
    c.final_summary();
}
