//! Where the time of a proof goes.

use super::{REQUANTIZED, Rendered, Section};
use crate::bench::suite::case::Case;
use crate::bench::{Measurement, Task};
use crate::report::plot::{BarPlot, Row, Scale};
use crate::report::table::{Table, cell};
use crate::report::units::time;

static TASKS: [Task; 3] = [Task::T1A, Task::T1D, REQUANTIZED];

pub(super) const SECTION: Section = Section {
    name: "phases",
    title: "Where the time goes",
    cases: |_| TASKS.iter().map(|task| Case::new(task.clone(), 1)).collect(),
    render: |results| {
        let found: Vec<_> =
            TASKS.iter().filter_map(|task| Some((task.label(), results.on(1, task)?))).collect();
        // In the order of the first network that has them.
        let mut names: Vec<String> = Vec::new();
        for (name, _) in found.iter().flat_map(|(_, m)| &m.phases.0) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        let phase = |m: &Measurement, name: &String| {
            m.phases.0.iter().find(|(n, _)| n == name).map(|(_, ns)| *ns)
        };
        let titles: Vec<&str> =
            ["phase"].into_iter().chain(found.iter().map(|(name, _)| &name[..])).collect();
        let mut table = Table::new(1, &titles);
        for name in &names {
            let times = found.iter().map(|(_, m)| cell(phase(m, name), time));
            table.row([name.clone()].into_iter().chain(times));
        }
        let row = |(label, m): &(String, &Measurement)| {
            let times = names.iter().map(|name| phase(m, name).unwrap_or_default() as f64);
            let all: f64 = times.clone().sum();
            Row {
                label: label.clone(),
                values: times.map(|time| 100.0 * time / all.max(1.0)).collect(),
                note: time(m.prove_ns),
            }
        };
        let plot = BarPlot {
            title: "Phases of proving, one thread".into(),
            axis: "share of the time; the whole at the end".into(),
            scale: Scale::from_zero(100.0, |share| format!("{share}%")),
            parts: names.clone(),
            rows: found.iter().map(row).collect(),
            reference: None,
        };
        let text = format!("Medians of each phase, one thread.\n\n{table}");
        Rendered { text, plots: vec![("phases", plot.svg())] }
    },
};
