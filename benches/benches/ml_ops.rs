//! What does a proof of one int8 matmul cost, end to end, a multiply-accumulate?

use binfer_benches::Task;
use binfer_field::Backend;
use binfer_ml_ops::{ProverKey, run, verify};
use binfer_pcs::Params;
use criterion::{BenchmarkId, Criterion, Throughput};

/// Rows of the input times the same 768 x 768 weights: tasks T1-a, b and c.
const ROWS: [usize; 3] = [1, 4, 16];

fn matmuls(c: &mut Criterion) {
    for rows in ROWS {
        let Task { model, input, macs } = Task::matmul(rows, 768, 768);
        let output = run(&model, &input).expect("the input fits the model");
        let id = || BenchmarkId::new(Backend::current().name(), format!("{rows}x768x768"));
        let salt = [1; 32];

        let mut group = c.benchmark_group("ml-ops/commit");
        group.throughput(Throughput::Elements(macs));
        let commit = || ProverKey::new(model.clone(), Params::default(), &salt);
        group.bench_function(id(), |b| b.iter(commit));
        group.finish();

        let key = commit();
        let prove = || key.prove(&input, &output, &mut |_| ()).expect("a true output");
        let mut group = c.benchmark_group("ml-ops/prove");
        group.throughput(Throughput::Elements(macs));
        group.bench_function(id(), |b| b.iter(prove));
        group.finish();

        let proof = prove().to_bytes();
        let check = || verify(key.commitment(), &input, &output, &proof);
        assert_eq!(check(), Ok(()));
        let mut group = c.benchmark_group("ml-ops/verify");
        group.throughput(Throughput::Bytes(proof.len() as u64));
        group.bench_function(id(), |b| b.iter(check));
        group.finish();
    }
}

fn main() {
    let mut c = Criterion::default().sample_size(10).configure_from_args();
    matmuls(&mut c);
    c.final_summary();
}
