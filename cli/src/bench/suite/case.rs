//! A workload on so many threads and one backend, measured in a process of its own.

use std::env;
use std::fmt;
use std::process::{Command, Stdio};

use super::Machine;
use crate::bench::{Effort, Measurement, Task};
use crate::failure::Failure;

/// One measurement to make.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Case {
    /// The workload.
    pub(super) task: Task,
    /// Threads.
    pub(super) threads: usize,
    /// The backend that is forced on it, if any.
    pub(super) backend: Option<&'static str>,
}

impl Case {
    /// `task` on `threads` threads and the best backend.
    pub(super) fn new(task: Task, threads: usize) -> Self {
        Self { task, threads, backend: None }
    }

    /// The backend it runs on.
    pub(super) fn backend<'a>(&'a self, machine: &'a Machine) -> &'a str {
        self.backend.unwrap_or(&machine.backend)
    }

    /// Whether the other case measures the same on `machine`.
    pub(super) fn is_same(&self, other: &Self, machine: &Machine) -> bool {
        let same_work = self.task == other.task && self.threads == other.threads;
        same_work && self.backend(machine) == other.backend(machine)
    }

    /// Measures, in another process of this program: so the peak of memory is the workload's own.
    pub(super) fn measure(&self, effort: Effort) -> Result<Measurement, Failure> {
        let failed = |reason: String| Failure::Measurement { task: self.to_string(), reason };
        let program = env::current_exe().map_err(|e| failed(e.to_string()))?;
        let mut command = Command::new(program);
        command
            .args(["bench", "--json"])
            .arg(format!("--threads={}", self.threads))
            .arg(format!("--runs={}", effort.runs))
            .arg(format!("--seconds={}", effort.time.as_secs_f64()))
            .args(self.task.arguments())
            .stdin(Stdio::null());
        if let Some(backend) = self.backend {
            command.env("BINFER_BACKEND", backend);
        }
        let output = command.output().map_err(|e| failed(e.to_string()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(failed(format!("{}: {}", output.status, said.trim())));
        }
        serde_json::from_slice(&output.stdout).map_err(|e| failed(e.to_string()))
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, threads {}", self.task.name(), self.threads)?;
        self.backend.map_or(Ok(()), |backend| write!(f, ", {backend}"))
    }
}
