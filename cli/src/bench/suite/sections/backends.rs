//! The same proof on every backend of the machine.

use binfer_field::Backend;

use super::{Rendered, Section};
use crate::bench::Task;
use crate::bench::suite::case::Case;
use crate::report::table::Table;
use crate::report::units::{digits, time};

pub(super) const SECTION: Section = Section {
    name: "backends",
    title: "Backends",
    cases: |_| {
        let forced = |b: Backend| Case { backend: Some(b.name()), ..Case::new(Task::T1A, 1) };
        Backend::available().map(forced).collect()
    },
    render: |results| {
        let task = Task::T1A.name();
        let mut table = Table::new(1, &["backend", "commit", "prove", "over the best", "verify"]);
        let best = results.on(1, &Task::T1A).map(|m| m.prove_ns as f64);
        for m in results.measurements.iter().filter(|m| m.task == task && m.threads == 1) {
            table.row([
                format!("`{}`", m.backend),
                time(m.commit_ns),
                time(m.prove_ns),
                best.map_or_else(String::new, |best| digits(m.prove_ns as f64 / best)),
                time(m.verify_ns),
            ]);
        }
        let text = format!(
            "`{task}` on one thread, the backend of field and hash forced by `BINFER_BACKEND`.\n\n\
             {table}"
        );
        Rendered { text, plots: Vec::new() }
    },
};
