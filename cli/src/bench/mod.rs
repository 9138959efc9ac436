//! `binfer bench`: times and sizes of the standard workloads, every proof verified.

mod report;
mod workload;

use std::io::Write;
use std::time::{Duration, Instant};

use binfer_ml_ops::{ProverKey, estimate, run, verify};

use crate::failure::Failure;
use crate::native::{Native, Rows, median, time_inference};
use crate::progress::Phases;
use crate::size::Size;
use report::Report;
pub(crate) use workload::{Task, Workload};

/// Time a workload: native inference, commitment, proof and verification.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    task: Task,
    /// Runs, of whose times the median is reported
    #[arg(long, global = true, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    /// Most memory for a proof, as in 800M or 2G
    #[arg(long, value_name = "SIZE")]
    max_memory: Option<Size>,
}

/// The times of one run.
struct Run {
    commit: Duration,
    prove: Duration,
    verify: Duration,
    proof_bytes: usize,
    phases: Vec<(&'static str, Duration)>,
}

impl Args {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let workload = self.task.workload()?;
        let native = native_time(&workload)?;
        let mut runs = Vec::new();
        for _ in 0..self.runs {
            runs.push(measure(&workload, self.max_memory)?);
        }
        let peak_rss_bytes = peak_rss_bytes();
        let key = ProverKey::new(workload.model.clone(), Default::default(), &[1; 32]);
        let estimate = estimate(key.commitment(), workload.batch);
        let report = Report {
            task: workload.name,
            macs: workload.model.graph.macs_per_sample() * workload.batch as u64,
            threads: rayon::current_num_threads(),
            native: native.0,
            kernel: native.1,
            commit: median(runs.iter().map(|r| r.commit).collect()),
            prove: median(runs.iter().map(|r| r.prove).collect()),
            verify: median(runs.iter().map(|r| r.verify).collect()),
            proof_bytes: runs[0].proof_bytes,
            peak_rss_bytes,
            soundness_bits: estimate.soundness_bits,
            phases: median_phases(&runs),
        };
        if self.json {
            writeln!(out, "{}", report.json())?;
        } else {
            report.print(out)?;
        }
        Ok(())
    }
}

/// The time of native inference and its kernel, whose result is compared with the interpreter's.
fn native_time(workload: &Workload) -> Result<(Duration, String), Failure> {
    let graph = &workload.model.graph;
    let output = run(&workload.model, &workload.input).map_err(Failure::Statement)?;
    let (input, batch) = graph
        .input
        .encode(&graph.tensors[graph.input.tensor], &workload.input)
        .map_err(Failure::Port)?;
    let expected = graph
        .output
        .encode(&graph.tensors[graph.output.tensor], &output, batch)
        .map_err(Failure::Port)?;
    let native = Native::new(&workload.model);
    let input = Rows::from_codes(&input, batch.size);
    if !native.run(&input, batch.size).agrees(&expected, batch.size) {
        return Err(Failure::NativeDiffers);
    }
    let kernel = native.kernel().to_owned();
    let time = time_inference(&native, &input, batch.size)?;
    Ok((time, kernel))
}

/// Commits, proves and verifies once.
fn measure(workload: &Workload, max_memory: Option<Size>) -> Result<Run, Failure> {
    let (model, input) = (workload.model.clone(), &workload.input);
    let output = run(&model, input).map_err(Failure::Statement)?;
    let start = Instant::now();
    let mut key = ProverKey::new(model, Default::default(), &[1; 32]);
    key.set_max_memory(max_memory.map(|size| size.0));
    let commit = start.elapsed();

    let mut phases = Phases::hidden();
    let start = Instant::now();
    let proof = key
        .prove(input, &output, &mut |phase| phases.start(phase))
        .map_err(Failure::Statement)?
        .to_bytes();
    let prove = start.elapsed();
    let phases = phases.finish();

    let start = Instant::now();
    verify(key.commitment(), input, &output, &proof).map_err(Failure::Rejected)?;
    Ok(Run { commit, prove, verify: start.elapsed(), proof_bytes: proof.len(), phases })
}

/// The median time of every phase.
fn median_phases(runs: &[Run]) -> Vec<(&'static str, Duration)> {
    let phase = |(at, &(name, _)): (usize, &(&'static str, Duration))| {
        let times = runs.iter().filter_map(|r| r.phases.get(at));
        (name, median(times.map(|&(_, time)| time).collect()))
    };
    runs[0].phases.iter().enumerate().map(phase).collect()
}

/// The most memory that this process had at any time, where the system tells (Linux).
fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
