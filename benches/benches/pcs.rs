//! What does a committed bit cost: to encode, to hash, to open at a point, to verify?

use binfer_benches::{bytes, elements};
use binfer_field::{Backend, F128, kernels};
use binfer_hash::Transcript;
use binfer_iop::channel::{ProofReader, ProverChannel};
use binfer_pcs::tensor_code::{self, Alphabet};
use binfer_pcs::{
    Claim, ClaimGroup, Params, Shape, Width, commit, encode, log_row_for, open, verify,
};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};

/// Logarithms of the numbers of bits.
const LOG_BITS: [u32; 4] = [16, 20, 24, 28];
/// Logarithms of the lengths of codewords.
const LOG_LENGTHS: [u32; 4] = [12, 14, 16, 20];

fn id(size: u32) -> BenchmarkId {
    BenchmarkId::new(Backend::current().name(), format!("2^{size}"))
}

/// A claim on all bits of one oracle.
fn claim(words: &[F128], log_bits: u32) -> Vec<ClaimGroup<F128>> {
    let point = elements(log_bits as usize, 7);
    let high = kernels::eq_table(&point[7..]);
    let low = kernels::eq_table(&point[..7]);
    let word_value = |word: F128| -> F128 {
        let set = |i: &usize| word.to_bits() >> i & 1 == 1;
        (0..128).filter(set).map(|i| low[i]).sum()
    };
    let value = words.iter().zip(&high).map(|(&w, &e)| e * word_value(w)).sum();
    let claims = vec![Claim::on(0, 0, log_bits, value)];
    vec![ClaimGroup::at(Width::Bit, &point, claims)]
}

/// The additive NTT of one row at rate 1/2; throughput counts butterflies.
fn ntt(c: &mut Criterion) {
    let mut group = c.benchmark_group("pcs/ntt");
    for log_length in LOG_LENGTHS {
        let shape = Shape { log_row: log_length - 1, n_rows: 1 };
        let words = elements(1 << shape.log_row, 3);
        group.throughput(Throughput::Elements(u64::from(shape.log_row) << (log_length - 1)));
        group.bench_function(id(log_length), |b| b.iter(|| encode(&words, shape, 1).len()));
    }
    group.finish();
}

fn commitments(c: &mut Criterion) {
    let params = Params::default();
    for log_bits in LOG_BITS {
        let words = elements(1 << (log_bits - 7), 1);
        let log_row = log_row_for(&params, words.len());
        let mut group = c.benchmark_group("pcs/commit");
        group.throughput(Throughput::Bytes(1 << (log_bits - 3)));
        group.bench_function(id(log_bits), |b| {
            b.iter_batched(
                || words.clone(),
                |words| commit(&params, log_row, words),
                BatchSize::LargeInput,
            );
        });
        group.finish();

        let oracle = commit(&params, log_row, words);
        let groups = claim(oracle.words(), log_bits);
        let prove = || {
            let mut channel = ProverChannel::new(Transcript::new("bench"));
            open(&params, &[&oracle], &groups, &mut channel);
            channel.finish()
        };
        let mut group = c.benchmark_group("pcs/open");
        group.throughput(Throughput::Bytes(1 << (log_bits - 3)));
        group.bench_function(id(log_bits), |b| b.iter(prove));
        group.finish();

        let proof = prove();
        let commitments = [(oracle.root(), oracle.shape())];
        let check = || {
            let mut channel = ProofReader::new(Transcript::new("bench"), &proof);
            verify(&params, &commitments, &groups, &mut channel)
        };
        assert_eq!(check(), Ok(()));
        let mut group = c.benchmark_group("pcs/verify");
        group.throughput(Throughput::Bytes(proof.len() as u64));
        group.bench_function(id(log_bits), |b| b.iter(check));
        group.finish();
    }
}

/// The tensor code at rate 1/4, in its shape of the shortest proof.
fn tensor_codes(c: &mut Criterion) {
    for (name, log_coefficient, alphabet, log_sizes) in [
        ("bits", 0, Alphabet::B16, [20, 24, 28]),
        ("bytes", 3, Alphabet::B16, [17, 21, 25]),
        ("32-bit", 5, Alphabet::B32, [15, 19, 23]),
    ] {
        for log_size in log_sizes {
            let params = tensor_code::Params::smallest(log_size, log_coefficient, alphabet, 2, 100)
                .expect("a shape");
            let matrix = bytes(params.message_bytes() as usize, 1);
            let mut group = c.benchmark_group(format!("pcs/tensor-code-{name}/commit"));
            group.throughput(Throughput::Bytes(params.message_bytes()));
            group.bench_function(id(log_size), |b| {
                b.iter_batched(
                    || matrix.clone(),
                    |matrix| tensor_code::commit(&params, matrix),
                    BatchSize::LargeInput,
                );
            });
            group.finish();

            let oracle = tensor_code::commit(&params, matrix);
            let point = elements(log_size as usize, 7);
            let prove = || tensor_code::open(&oracle, &point, &mut Transcript::new("bench"));
            let mut group = c.benchmark_group(format!("pcs/tensor-code-{name}/open"));
            group.throughput(Throughput::Bytes(params.message_bytes()));
            group.bench_function(id(log_size), |b| b.iter(prove));
            group.finish();

            let (value, proof) = prove();
            let root = oracle.root();
            let check = || {
                let mut transcript = Transcript::new("bench");
                tensor_code::verify(&params, &root, &point, value, &mut transcript, &proof)
            };
            assert_eq!(check(), Ok(()));
            let mut group = c.benchmark_group(format!("pcs/tensor-code-{name}/verify"));
            group.throughput(Throughput::Bytes(proof.len() as u64));
            group.bench_function(id(log_size), |b| b.iter(check));
            group.finish();
        }
    }
}

fn main() {
    // Within the pool, so that no step waits for another thread to take it up.
    rayon::scope(|_| {
        let mut c = Criterion::default().sample_size(10).configure_from_args();
        ntt(&mut c);
        commitments(&mut c);
        tensor_codes(&mut c);
        c.final_summary();
    });
}
