//! The figures of one workload, as text and as JSON.

use std::io::{self, Write};
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{Accuracy, Committed};
use crate::native;
use crate::progress::human;

/// What was measured: times in nanoseconds, medians over the runs but the process's first unless they say otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The task's name.
    pub task: String,
    /// Multiply-accumulates of the batch.
    pub macs: u64,
    /// Weights of the network.
    pub weights: u64,
    /// Samples.
    pub batch: u64,
    /// Threads.
    pub threads: usize,
    /// The backend of the field's kernels.
    pub backend: String,
    /// Runs of commitment, proof and verification after the first.
    pub runs: usize,
    /// Native inference: the median of its own runs.
    pub native_ns: u64,
    /// Its kernel.
    pub native_kernel: String,
    /// Committing to the weights.
    pub commit_ns: u64,
    /// The least time of that.
    pub commit_min_ns: u64,
    /// Proving.
    pub prove_ns: u64,
    /// The least time of that.
    pub prove_min_ns: u64,
    /// Proving in the process's first run, which pays for memory that is new to it.
    pub first_prove_ns: u64,
    /// Verifying.
    pub verify_ns: u64,
    /// The least time of that.
    pub verify_min_ns: u64,
    /// The proof's size.
    pub proof_bytes: u64,
    /// The most memory in use until the last proof was verified, of the whole process.
    pub peak_rss_bytes: Option<u64>,
    /// Bits of soundness.
    pub soundness_bits: f64,
    /// What a network makes of its test set, if it has one.
    pub accuracy: Option<Accuracy>,
    /// Bits that are committed, by operator.
    pub committed: Vec<Committed>,
    /// Parts of proving.
    pub phases: PhaseTimes,
}

/// Names and nanoseconds of the parts of proving, in order; a JSON object.
#[derive(Clone, Debug, PartialEq)]
pub struct PhaseTimes(pub Vec<(String, u64)>);

impl Serialize for PhaseTimes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, ns)| (name, ns)))
    }
}

impl<'de> Deserialize<'de> for PhaseTimes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let phase = |(name, ns): (String, Value)| match ns.as_u64() {
            Some(ns) => Ok((name, ns)),
            None => Err(D::Error::custom("a phase has a time in whole nanoseconds")),
        };
        let phases = Map::deserialize(deserializer)?;
        phases.into_iter().map(phase).collect::<Result<_, _>>().map(Self)
    }
}

impl Measurement {
    /// One of several of the same workload: the one whose time to prove is their median, with the median of first proofs, the least
    /// times, the runs and the most memory of all.
    pub fn of_rounds(mut rounds: Vec<Self>) -> Option<Self> {
        rounds.sort_by_key(|round| round.prove_ns);
        let mut median = rounds.get(rounds.len() / 2)?.clone();
        median.first_prove_ns =
            native::median(rounds.iter().map(|round| round.first_prove_ns).collect());
        let least = |of: fn(&Self) -> u64| rounds.iter().map(of).min().unwrap_or(0);
        median.commit_min_ns = least(|round| round.commit_min_ns);
        median.prove_min_ns = least(|round| round.prove_min_ns);
        median.verify_min_ns = least(|round| round.verify_min_ns);
        median.runs = rounds.iter().map(|round| round.runs).sum();
        median.peak_rss_bytes = rounds.iter().filter_map(|round| round.peak_rss_bytes).max();
        Some(median)
    }

    /// Nanoseconds of proving a multiply-accumulate.
    pub fn ns_per_mac(&self) -> f64 {
        self.prove_ns as f64 / self.macs as f64
    }

    /// Nanoseconds of proving a weight.
    pub fn ns_per_weight(&self) -> f64 {
        self.prove_ns as f64 / self.weights as f64
    }

    /// Proving over native inference.
    pub fn over_native(&self) -> f64 {
        self.prove_ns as f64 / self.native_ns as f64
    }

    /// Peak memory of a multiply-accumulate.
    pub fn bytes_per_mac(&self) -> Option<f64> {
        self.peak_rss_bytes.map(|bytes| bytes as f64 / self.macs as f64)
    }

    /// The figures with units.
    pub fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let time = |ns| human(Duration::from_nanos(ns));
        writeln!(out, "task        {}", self.task)?;
        writeln!(out, "MAC         {}", self.macs)?;
        writeln!(out, "threads     {}, {}", self.threads, self.backend)?;
        writeln!(out, "native      {} ({})", time(self.native_ns), self.native_kernel)?;
        writeln!(out, "commit      {}", time(self.commit_ns))?;
        writeln!(
            out,
            "prove       {} ({:.1} ns/MAC, {:.0} times native; at least {} in {} runs after one of {})",
            time(self.prove_ns),
            self.ns_per_mac(),
            self.over_native(),
            time(self.prove_min_ns),
            self.runs,
            time(self.first_prove_ns),
        )?;
        for (name, ns) in &self.phases.0 {
            writeln!(out, "  {name:<14}{}", time(*ns))?;
        }
        writeln!(out, "verify      {}", time(self.verify_ns))?;
        writeln!(out, "proof       {} bytes", self.proof_bytes)?;
        if let Some(bytes) = self.peak_rss_bytes {
            writeln!(out, "peak RSS    {:.1} MB", bytes as f64 / 1e6)?;
        }
        if let Some(accuracy) = &self.accuracy {
            writeln!(out, "accuracy    {}", accuracy.words())?;
        }
        for Committed { operator, model_bits, proof_bits } in &self.committed {
            writeln!(
                out,
                "bits        {operator}: {model_bits} of the model, {proof_bits} of the proof"
            )?;
        }
        writeln!(out, "soundness   {:.1} bits", self.soundness_bits)
    }
}
