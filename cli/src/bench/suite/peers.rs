//! Figures of other systems that were published, or measured elsewhere: the one place for them.

use super::results::Results;
use crate::bench::{Measurement, Task};
use crate::report::table::{Table, cell};
use crate::report::units::{bytes, digits, plural, time};

/// Who measured a figure, and on what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Source {
    /// The authors of the system, on hardware of theirs.
    Authors { threads: &'static str },
    /// A neutral third party, on an Apple M1 Max.
    ThirdParty { threads: u64 },
    /// This project, on a server other than that of the report.
    Project { hardware: &'static str },
}

impl Source {
    fn mark(self) -> char {
        match self {
            Self::Authors { .. } => 'A',
            Self::ThirdParty { .. } => 'T',
            Self::Project { .. } => 'H',
        }
    }

    fn hardware(self) -> String {
        match self {
            Self::Authors { threads } => format!("the authors' machine, {threads}"),
            Self::ThirdParty { threads } => {
                format!("Apple M1 Max, {}", plural(threads, "thread"))
            }
            Self::Project { hardware } => hardware.into(),
        }
    }
}

/// One figure of another system on a task of ours.
pub(super) struct Peer {
    /// The task.
    pub(super) task: Task,
    /// The system.
    pub(super) system: &'static str,
    /// Whose figure it is.
    pub(super) source: Source,
    /// Proving, in milliseconds.
    pub(super) prove_ms: f64,
    /// The proof's size.
    pub(super) proof_bytes: Option<u64>,
    /// Verifying, in milliseconds.
    pub(super) verify_ms: Option<f64>,
    /// Memory of a multiply-accumulate, in bytes.
    pub(super) bytes_per_mac: Option<f64>,
    /// What differs from our task.
    pub(super) remark: &'static str,
}

impl Peer {
    const fn new(task: Task, system: &'static str, source: Source, prove_ms: f64) -> Self {
        Self {
            task,
            system,
            source,
            prove_ms,
            proof_bytes: None,
            verify_ms: None,
            bytes_per_mac: None,
            remark: "",
        }
    }

    const fn proof(mut self, bytes: u64) -> Self {
        self.proof_bytes = Some(bytes);
        self
    }

    const fn verify(mut self, ms: f64) -> Self {
        self.verify_ms = Some(ms);
        self
    }

    const fn memory(mut self, bytes_per_mac: f64) -> Self {
        self.bytes_per_mac = Some(bytes_per_mac);
        self
    }

    const fn remark(mut self, remark: &'static str) -> Self {
        self.remark = remark;
        self
    }
}

const TEN: Source = Source::ThirdParty { threads: 10 };
const ICE_LAKE: Source = Source::Project { hardware: "Ice Lake server, 1 thread" };
const ONE: Source = Source::ThirdParty { threads: 1 };
const BINIUS: &str = "Binius64, a 64-bit product per MAC";
const JOLT: &str = "Jolt Atlas";

/// [64 x 64] by [64 x 64] in int8.
pub(super) const SQUARE_64: Task = Task::matmul(64, 64, 64);
/// [32 x 768] by [768 x 3072] in int8.
pub(super) const FEED_FORWARD: Task = Task::matmul(32, 768, 3072);

/// The figures, by task.
pub(super) static PEERS: [Peer; 15] = [
    Peer::new(Task::T1Zero, JOLT, ONE, 65.0),
    Peer::new(Task::T1Zero, BINIUS, ONE, 179.0),
    Peer::new(Task::T1Zero, "DeepProve", ONE, 978.0),
    Peer::new(Task::T1Zero, "gnark Groth16", ONE, 4_548.0),
    Peer::new(Task::T1A, JOLT, TEN, 135.0)
        .proof(23_400)
        .verify(7.8)
        .memory(148.0)
        .remark("weights public"),
    Peer::new(Task::T1A, BINIUS, TEN, 711.0).proof(460_000).verify(24.6).memory(12_295.0),
    Peer::new(Task::T1A, "DeepProve", TEN, 2_660.0).proof(116_000).verify(20.0).memory(2_914.0),
    Peer::new(Task::T1A, "gnark Groth16", TEN, 5_770.0).proof(196).memory(7_142.0),
    Peer::new(Task::T1A, "Ceno", TEN, 20_100.0).proof(1_380_000).memory(22_415.0),
    Peer::new(Task::T1B, BINIUS, TEN, 19_500.0).memory(11_698.0).remark("27.6 GB"),
    Peer::new(Task::T1D, JOLT, ONE, 8_500.0).remark("weights public"),
    Peer::new(Task::T2, BINIUS, TEN, 110.0),
    Peer::new(Task::T3, BINIUS, TEN, 720.0),
    Peer::new(SQUARE_64, "Binius64, its best circuit", ICE_LAKE, 510.0)
        .memory(2_365.0)
        .remark("0.62 GB"),
    Peer::new(FEED_FORWARD, "zkGPT", Source::Authors { threads: "1 thread" }, 37.0)
        .remark("its matmul argument alone, over a prime field"),
];

/// Ours beside the peers', task by task.
pub(super) fn table(results: &Results, tasks: &[Task]) -> Table {
    let titles =
        ["workload", "system", "machine", "source", "prove", "verify", "proof", "memory per MAC"];
    let mut table = Table::new(4, &titles);
    for task in tasks {
        let peers = || PEERS.iter().filter(|peer| peer.task == *task);
        if peers().next().is_none() {
            continue;
        }
        for m in [1, 2].iter().filter_map(|&threads| results.on(threads, task)) {
            table.row(our_row(task, m));
        }
        peers().for_each(|peer| table.row(their_row(peer)));
    }
    table
}

fn our_row(task: &Task, m: &Measurement) -> [String; 8] {
    [
        task.label(),
        "**binfer**".into(),
        format!("this one, {}", plural(m.threads as u64, "thread")),
        "this run".into(),
        time(m.prove_ns),
        time(m.verify_ns),
        bytes(m.proof_bytes),
        cell(m.bytes_per_mac(), |b| format!("{} B", digits(b))),
    ]
}

fn their_row(peer: &Peer) -> [String; 8] {
    let ms = |ms: f64| time((ms * 1e6) as u64);
    let separator = if peer.remark.is_empty() { "" } else { "; " };
    [
        peer.task.label(),
        format!("{}{separator}{}", peer.system, peer.remark),
        peer.source.hardware(),
        peer.source.mark().into(),
        ms(peer.prove_ms),
        cell(peer.verify_ms, ms),
        cell(peer.proof_bytes, |b| if b < 1000 { format!("{b} B") } else { bytes(b) }),
        cell(peer.bytes_per_mac, |b| format!("{} B", digits(b))),
    ]
}
