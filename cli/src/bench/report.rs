//! The figures of a benchmark, as text and as JSON.

use std::io::{self, Write};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::progress::human;

/// Medians over the runs.
pub(super) struct Report {
    /// The task's name.
    pub(super) task: String,
    /// Multiply-accumulates of the batch.
    pub(super) macs: u64,
    /// Threads.
    pub(super) threads: usize,
    /// Native inference.
    pub(super) native: Duration,
    /// Its kernel.
    pub(super) kernel: String,
    /// Committing to the weights.
    pub(super) commit: Duration,
    /// Proving.
    pub(super) prove: Duration,
    /// Verifying.
    pub(super) verify: Duration,
    /// The proof's size.
    pub(super) proof_bytes: usize,
    /// The most memory in use.
    pub(super) peak_rss_bytes: Option<u64>,
    /// Bits of soundness.
    pub(super) soundness_bits: f64,
    /// Parts of proving.
    pub(super) phases: Vec<(&'static str, Duration)>,
}

impl Report {
    /// The figures in nanoseconds and bytes.
    pub(super) fn json(&self) -> Value {
        let ns = |time: Duration| json!(time.as_nanos() as u64);
        let phases = self.phases.iter();
        let phases: Map<String, Value> = phases.map(|&(n, t)| (n.to_owned(), ns(t))).collect();
        json!({
            "task": self.task,
            "macs": self.macs,
            "threads": self.threads,
            "native_ns": ns(self.native),
            "commit_ns": ns(self.commit),
            "prove_ns": ns(self.prove),
            "verify_ns": ns(self.verify),
            "proof_bytes": self.proof_bytes,
            "peak_rss_bytes": self.peak_rss_bytes,
            "soundness_bits": self.soundness_bits,
            "phases": phases,
        })
    }

    /// The figures with units.
    pub(super) fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let ratio = self.prove.as_secs_f64() / self.native.as_secs_f64();
        let per_mac = self.prove.as_nanos() as f64 / self.macs as f64;
        writeln!(out, "task        {}", self.task)?;
        writeln!(out, "MAC         {}", self.macs)?;
        writeln!(out, "threads     {}", self.threads)?;
        writeln!(out, "native      {} ({})", human(self.native), self.kernel)?;
        writeln!(out, "commit      {}", human(self.commit))?;
        writeln!(
            out,
            "prove       {} ({per_mac:.1} ns/MAC, {ratio:.0} times native)",
            human(self.prove)
        )?;
        for &(name, time) in &self.phases {
            writeln!(out, "  {name:<14}{}", human(time))?;
        }
        writeln!(out, "verify      {}", human(self.verify))?;
        writeln!(out, "proof       {} bytes", self.proof_bytes)?;
        if let Some(bytes) = self.peak_rss_bytes {
            writeln!(out, "peak RSS    {:.1} MB", bytes as f64 / 1e6)?;
        }
        writeln!(out, "soundness   {:.1} bits", self.soundness_bits)
    }
}
