//! What does a proof of a quantized network cost, end to end, a multiply-accumulate, and what does inference?

use binfer_benches::{Task, mobilenet};
use binfer_field::Backend;
use binfer_ml_ops::{ProverKey, interpret, run, verify};
use binfer_pcs::Params;
use criterion::{BenchmarkId, Criterion, Throughput};

/// The neutral int8 tasks: one row, 64 rows, a batch through a perceptron, outputs requantized.
fn tasks() -> [(&'static str, Task); 4] {
    [
        ("t1-a_1x768x768", Task::matmul(1, 768, 768)),
        ("t1-d_64x768x768", Task::matmul(64, 768, 768)),
        ("t3_8x200-256-128-64-1", Task::perceptron(8, &[200, 256, 128, 64, 1])),
        ("requantized_32x768x3072", Task::requantized(32, 768, 3072)),
    ]
}

/// Throughput counts multiply-accumulates, of verification bytes of the proof.
fn proofs(c: &mut Criterion, size: &str, task: Task) {
    let Task { model, input, macs } = task;
    let output = run(&model, &input).expect("the input fits the model");
    let id = || BenchmarkId::new(Backend::current().name(), size);

    let mut group = c.benchmark_group("ml-ops/commit");
    group.throughput(Throughput::Elements(macs));
    let commit = || ProverKey::new(model.clone(), Params::default(), &[1; 32]);
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

/// Exact inference of a batch of one image, by the interpreter.
fn inference(c: &mut Criterion) {
    let (model, input) = mobilenet(224);
    assert_eq!(model.validate(), Ok(()));
    let mut group = c.benchmark_group("ml-ops/interpret");
    group.throughput(Throughput::Elements(model.graph.macs_per_sample()));
    let id = BenchmarkId::new(Backend::current().name(), "mobilenet_224");
    let infer = || interpret::run(&model, &input, 1).expect("the input fits the model");
    group.bench_function(id, |b| b.iter(infer));
    group.finish();
}

fn main() {
    // Within the pool, so that no step waits for another thread to take it up.
    rayon::scope(|_| {
        let mut c = Criterion::default().sample_size(10).configure_from_args();
        for (size, task) in tasks() {
            proofs(&mut c, size, task);
        }
        inference(&mut c);
        c.final_summary();
    });
}
