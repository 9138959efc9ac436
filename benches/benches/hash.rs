//! How fast are the leaves and nodes of a Merkle tree, its openings, and the transcript, with each hash?

use std::hint::black_box;
use std::time::Duration;

use binfer_benches::{bytes, elements};
use binfer_hash::{Backend, Digest, HashKind, MerkleTree, Transcript, n_siblings, verify_multi};
use criterion::{BenchmarkId, Criterion, Throughput};

/// Leaves of the trees.
const LOG_LEAVES: u32 = 14;
/// Bytes of a leaf.
const LEAVES: [usize; 3] = [64, 256, 1024];
/// Queries of an opening at rate 1/2 and 100 bits.
const QUERIES: usize = 241;

/// The limits that give different code on this kind of processor, narrow to wide.
fn limits() -> impl Iterator<Item = Backend> {
    let other = if cfg!(target_arch = "x86_64") { Backend::Neon } else { Backend::Avx2 };
    let widest = if cfg!(target_arch = "x86_64") { Backend::Avx512 } else { Backend::Neon };
    Backend::ALL.into_iter().filter(move |&limit| limit != other && limit <= widest)
}

/// Many messages hashed on one thread; throughput counts their bytes.
fn messages(c: &mut Criterion) {
    for kind in HashKind::ALL {
        let mut digests = vec![Digest::default(); 1 << 10];
        let mut group = c.benchmark_group(format!("hash/leaves_{kind}"));
        for len in LEAVES {
            let leaves = bytes(len * digests.len(), 1);
            group.throughput(Throughput::Bytes(leaves.len() as u64));
            for limit in limits() {
                group.bench_function(BenchmarkId::new(limit.name(), len), |b| {
                    b.iter(|| kind.leaves_on(limit, &leaves, len, &mut digests));
                });
            }
        }
        group.finish();
        let mut group = c.benchmark_group(format!("hash/nodes_{kind}"));
        let children = digests.repeat(2);
        group.throughput(Throughput::Bytes(children.as_flattened().len() as u64));
        for limit in limits() {
            group.bench_function(BenchmarkId::new(limit.name(), digests.len()), |b| {
                b.iter(|| kind.nodes_on(limit, &children, &mut digests));
            });
        }
        group.finish();
    }
}

/// Whole trees on all threads; throughput counts bytes of the leaves.
fn trees(c: &mut Criterion) {
    for kind in HashKind::ALL {
        let mut group = c.benchmark_group(format!("hash/merkle_{kind}"));
        for leaf_len in LEAVES {
            let leaves = bytes(leaf_len << LOG_LEAVES, 1);
            group.throughput(Throughput::Bytes(leaves.len() as u64));
            let id = BenchmarkId::new(Backend::limit().name(), leaf_len);
            group.bench_function(id, |b| b.iter(|| MerkleTree::new(kind, &leaves, leaf_len)));
        }
        group.finish();
    }
}

/// Openings of one tree and their checks; throughput counts positions.
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
        let mut group = c.benchmark_group(format!("hash/open_{kind}"));
        group.throughput(Throughput::Elements(positions.len() as u64));
        group.bench_function(BenchmarkId::new("portable", LOG_LEAVES), |b| {
            b.iter(|| tree.open(&positions));
        });
        group.finish();
        let check = || verify_multi(kind, &root, LOG_LEAVES, &positions, &opened, &siblings);
        assert_eq!(check(), Ok(()));
        let mut group = c.benchmark_group(format!("hash/verify_{kind}"));
        group.throughput(Throughput::Elements(positions.len() as u64));
        group.bench_function(BenchmarkId::new("portable", LOG_LEAVES), |b| b.iter(check));
        group.finish();
    }
}

/// The transcript: a sumcheck round (three elements absorbed, one drawn), long messages, many draws.
fn transcript(c: &mut Criterion) {
    let round = elements(3, 1);
    let mut transcript = Transcript::new("bench");
    let mut group = c.benchmark_group("hash/transcript_round");
    group.throughput(Throughput::Elements(1));
    group.bench_function(BenchmarkId::new("portable", round.len()), |b| {
        b.iter(|| {
            transcript.absorb("round", &round);
            black_box(transcript.challenge("point"));
        });
    });
    group.finish();

    let n = 1 << 12;
    let message = elements(n, 1);
    let mut group = c.benchmark_group("hash/transcript_absorb");
    group.throughput(Throughput::Bytes(16 * n as u64));
    group.bench_function(BenchmarkId::new("portable", n), |b| {
        b.iter(|| transcript.absorb("message", &message));
    });
    group.finish();
    let mut group = c.benchmark_group("hash/transcript_challenges");
    group.throughput(Throughput::Elements(n as u64));
    group.bench_function(BenchmarkId::new("portable", n), |b| {
        b.iter(|| transcript.challenges("point", n));
    });
    group.finish();
}

fn main() {
    let mut c = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    messages(&mut c);
    trees(&mut c);
    openings(&mut c);
    transcript(&mut c);
    c.final_summary();
}
