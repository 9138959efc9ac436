//! One workload: run natively, committed to, proved and verified, as often as asked.

use std::time::{Duration, Instant};

use binfer_field::Backend;
use binfer_ml_ops::array::Array;
use binfer_ml_ops::graph::Graph;
use binfer_ml_ops::{
    Proof, ProveError, ProverKey, ReachError, committed_bits_of, estimate_of, run_all, verify,
};

use super::measurement::PhaseTimes;
use super::workload::{Task, Workload};
use super::{Measurement, committed};
use crate::failure::Failure;
use crate::native::{Native, median, time_inference};
use crate::progress::Phases;
use crate::size::Size;

/// Most runs, however long they may go on.
const MAX_RUNS: usize = 1000;

/// How long a measurement goes on after its first run: until there are `runs` runs more and they took `time`.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Least number of runs, at least 1.
    pub runs: u32,
    /// Least time of all runs.
    pub time: Duration,
}

/// The times of one run.
struct Run {
    commit: Duration,
    prove: Duration,
    verify: Duration,
    proof_bytes: usize,
    phases: Vec<(&'static str, Duration)>,
}

/// Measures a task on the threads and the backend of this process, each proof within `max_memory` if given.
///
/// # Errors
/// [`Failure`] where a proof needs more memory, or where anything of ours disagrees with itself.
pub fn measure(
    task: &Task,
    effort: Effort,
    max_memory: Option<Size>,
) -> Result<Measurement, Failure> {
    let workload = task.workload()?;
    let graph = &workload.model.graph;
    let outputs = run_all(&workload.model, &workload.inputs).map_err(Failure::Statement)?;
    let (first, proof, proved) = prove_once(&workload, &outputs, max_memory)?;
    let start = Instant::now();
    let mut runs = Vec::new();
    while runs.len() < effort.runs as usize
        || (runs.len() < MAX_RUNS && start.elapsed() < effort.time)
    {
        runs.push(prove_once(&workload, &outputs, max_memory)?.0);
    }
    let peak_rss_bytes = peak_rss_bytes();
    let (native, native_kernel) = native_time(&workload, &outputs[0])?;
    let estimate = estimate_of(&proof).map_err(declared)?;
    let committed = committed_bits_of(&proof).map_err(declared)?;
    let times = |of: fn(&Run) -> Duration| -> Vec<Duration> { runs.iter().map(of).collect() };
    let (commit_ns, commit_min_ns) = median_and_least(times(|r| r.commit));
    let (prove_ns, prove_min_ns) = median_and_least(times(|r| r.prove));
    let (verify_ns, verify_min_ns) = median_and_least(times(|r| r.verify));
    Ok(Measurement {
        task: workload.name,
        macs: graph.macs_per_sample() * workload.batch as u64,
        weights: graph.weights.iter().map(|w| (w.k * w.n) as u64).sum(),
        batch: workload.batch as u64,
        threads: rayon::current_num_threads(),
        backend: Backend::current().name().into(),
        runs: runs.len(),
        native_ns: nanoseconds(native),
        native_kernel,
        commit_ns,
        commit_min_ns,
        prove_ns,
        prove_min_ns,
        first_prove_ns: nanoseconds(first.prove),
        verify_ns,
        verify_min_ns,
        proof_bytes: first.proof_bytes as u64,
        peak_rss_bytes,
        soundness_bits: estimate.soundness_bits,
        accuracy: task.accuracy(&workload.model)?,
        committed: committed::by_operator(&proved, &committed),
        phases: median_phases(&runs),
    })
}

/// Commits, proves and verifies once, as an importer would have it: deep matmuls in parts. Returns that graph as well.
fn prove_once(
    workload: &Workload,
    outputs: &[Array],
    max_memory: Option<Size>,
) -> Result<(Run, Proof, Graph), Failure> {
    let (model, inputs) = (workload.model.clone().with_shallow_matmuls(), &workload.inputs);
    let start = Instant::now();
    // Within the pool, so that no step waits for another thread to take it up.
    let mut key = rayon::scope(|_| ProverKey::new(model, Default::default(), &[1; 32]));
    let commit = start.elapsed();
    key.set_max_memory(max_memory.map(|size| size.0));

    let mut phases = Phases::hidden();
    let start = Instant::now();
    let proof =
        key.prove(inputs, outputs, &mut |phase| phases.start(phase)).map_err(Failure::Statement)?;
    let bytes = proof.to_bytes();
    let prove = start.elapsed();
    let phases = phases.finish();

    let start = Instant::now();
    verify(key.commitment(), inputs, outputs, &bytes).map_err(Failure::Rejected)?;
    let verify = start.elapsed();
    let graph = key.commitment().graph().clone();
    Ok((Run { commit, prove, verify, proof_bytes: bytes.len(), phases }, proof, graph))
}

/// What a proof of ours declares is what a proof can: it was verified.
fn declared(error: ReachError) -> Failure {
    Failure::Rejected(error.into())
}

/// The time of native inference and its kernel, whose (first) output is compared with the interpreter's.
fn native_time(workload: &Workload, output: &Array) -> Result<(Duration, String), Failure> {
    let graph = &workload.model.graph;
    let (tensors, batch) = graph.encode(&workload.inputs)?;
    let expected = graph
        .output
        .encode(&graph.tensors[graph.output.tensor], output, batch)
        .map_err(Failure::Port)?;
    let native = Native::new(&workload.model);
    let input = native.input(tensors, batch.size);
    let output =
        native.run(&input, batch.size).map_err(|e| Failure::Statement(ProveError::Run(e)))?;
    if !native.agrees(&output, &expected, batch.size) {
        return Err(Failure::NativeDiffers);
    }
    let time = time_inference(&native, &input, batch.size)?;
    Ok((time, native.kernel().to_owned()))
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The median and the minimum, in nanoseconds. Precondition: there are any times.
fn median_and_least(times: Vec<Duration>) -> (u64, u64) {
    let least = times.iter().min().copied().unwrap_or_default();
    (nanoseconds(median(times)), nanoseconds(least))
}

/// The median time of every phase.
fn median_phases(runs: &[Run]) -> PhaseTimes {
    let phase = |(at, &(name, _)): (usize, &(&'static str, Duration))| {
        let times = runs.iter().filter_map(|r| r.phases.get(at));
        (name.to_owned(), nanoseconds(median(times.map(|&(_, time)| time).collect())))
    };
    PhaseTimes(runs[0].phases.iter().enumerate().map(phase).collect())
}

/// The most memory that this process had at any time, where the system tells (Linux).
pub(crate) fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
