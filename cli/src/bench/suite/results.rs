//! All figures of a run of the suite: one JSON document.

use serde::{Deserialize, Serialize};

use super::case::Case;
use crate::bench::{Measurement, Task};
use crate::report::machine::Machine;

/// What a run of the suite found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Results {
    /// The version of this program.
    pub(super) version: String,
    /// Where it ran.
    pub(super) machine: Machine,
    /// Whether it was a quick run.
    pub(super) quick: bool,
    /// How often workloads but networks were measured, all one after the other.
    pub(super) rounds: u32,
    /// Least number of runs of each workload.
    pub(super) least_runs: u32,
    /// Least number of seconds spent on the runs of each workload.
    pub(super) least_seconds: f64,
    /// The workloads.
    pub(super) measurements: Vec<Measurement>,
}

impl Results {
    /// What was measured of a case, if it was.
    pub(super) fn of(&self, case: &Case) -> Option<&Measurement> {
        let (task, backend) = (case.task.name(), case.backend(&self.machine));
        self.measurements
            .iter()
            .find(|m| m.task == task && m.threads == case.threads && m.backend == backend)
    }

    /// The same with the least times in place of medians.
    pub(super) fn by_least_times(&self) -> Self {
        let mut least = self.clone();
        for m in &mut least.measurements {
            m.commit_ns = m.commit_min_ns;
            m.prove_ns = m.prove_min_ns;
            m.verify_ns = m.verify_min_ns;
        }
        least
    }

    /// What was measured of a task on so many threads and the best backend, if it was.
    pub(super) fn on(&self, threads: usize, task: &Task) -> Option<&Measurement> {
        self.of(&Case::new(task.clone(), threads))
    }

    /// The networks of files that were measured, each once.
    pub(super) fn models(&self) -> Vec<Task> {
        let mut models = Vec::new();
        for model in self.measurements.iter().filter_map(|m| Task::model_named(&m.task)) {
            if !models.contains(&model) {
                models.push(model);
            }
        }
        models
    }

    /// By how much, relatively, the median time of proving exceeds the minimum: of the middle
    /// workload, and of the worst.
    pub(super) fn noise(&self) -> Option<(f64, f64)> {
        let excess = |m: &Measurement| m.prove_ns as f64 / m.prove_min_ns as f64 - 1.0;
        let mut all: Vec<f64> =
            self.measurements.iter().filter(|m| m.runs > 1).map(excess).collect();
        all.sort_unstable_by(f64::total_cmp);
        Some((*all.get(all.len() / 2)?, *all.last()?))
    }
}
