//! The report's sections: each asks for the cases it needs and says what they show.

mod backends;
mod batch;
mod bits;
mod growth;
mod matmuls;
mod models;
mod native;
mod phases;
mod tasks;
mod threads;
mod widths;

use super::case::Case;
use super::results::Results;
use crate::bench::Task;

pub(super) use batch::BATCHED;
pub(super) use bits::narrow;
pub(super) use matmuls::{PREFILL, REQUANTIZED};
pub(super) use widths::square;

/// What a run covers.
pub(super) struct Scope {
    /// Largest matrix of the growth series, as a logarithm of its weights.
    pub(super) max_log_weights: u32,
    /// Most threads to measure with.
    pub(super) threads: usize,
    /// Networks of files.
    pub(super) models: Vec<Task>,
}

/// A part of the report.
pub(super) struct Section {
    /// A word for it.
    pub(super) name: &'static str,
    /// Its title.
    pub(super) title: &'static str,
    /// What it wants measured; what no machine can or what is asked for twice is left out later.
    pub(super) cases: fn(&Scope) -> Vec<Case>,
    /// What it says of what was measured.
    pub(super) render: fn(&Results) -> Rendered,
}

/// A section's text in Markdown, and its plots.
pub(super) struct Rendered {
    /// The text.
    pub(super) text: String,
    /// Plots by name, as SVG files; the page shows them after the text.
    pub(super) plots: Vec<(&'static str, String)>,
}

impl Section {
    /// Whether anything that it asks for was measured.
    pub(super) fn is_measured(&self, results: &Results) -> bool {
        let models = results.models();
        let all = Scope { max_log_weights: u32::MAX, threads: usize::MAX, models };
        (self.cases)(&all).iter().any(|case| results.of(case).is_some())
    }
}

/// The sections, in their order.
pub(super) const SECTIONS: [Section; 11] = [
    tasks::SECTION,
    matmuls::SECTION,
    bits::SECTION,
    widths::SECTION,
    batch::SECTION,
    native::SECTION,
    threads::SECTION,
    phases::SECTION,
    growth::SECTION,
    models::SECTION,
    backends::SECTION,
];

/// Every task on one thread and on two.
fn on_one_and_two(tasks: &[Task]) -> Vec<Case> {
    tasks.iter().flat_map(|task| [1, 2].map(|threads| Case::new(task.clone(), threads))).collect()
}
