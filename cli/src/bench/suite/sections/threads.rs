//! Two threads over one.

use super::{PREFILL, REQUANTIZED, Rendered, Section, on_one_and_two};
use crate::bench::Task;
use crate::bench::suite::peers::{FEED_FORWARD, SQUARE_64};
use crate::bench::suite::targets::SPEEDUP;
use crate::report::plot::{BarPlot, Reference, Row, Scale};
use crate::report::table::Table;
use crate::report::units::{digits, plain, time};

static TASKS: [Task; 8] =
    [SQUARE_64, Task::T3, Task::T1A, Task::T1C, Task::T1D, FEED_FORWARD, REQUANTIZED, PREFILL];

pub(super) const SECTION: Section = Section {
    name: "threads",
    title: "Cost by threads",
    cases: |_| on_one_and_two(&TASKS),
    render: |results| {
        let mut table =
            Table::new(1, &["workload", "prove, 1 thread", "prove, 2 threads", "speedup"]);
        let mut rows = Vec::new();
        for task in &TASKS {
            let (Some(one), Some(two)) = (results.on(1, task), results.on(2, task)) else {
                continue;
            };
            let speedup = one.prove_ns as f64 / two.prove_ns as f64;
            let note = format!("{speedup:.2}");
            table.row([task.label(), time(one.prove_ns), time(two.prove_ns), note.clone()]);
            rows.push(Row { label: task.label(), values: vec![speedup], note });
        }
        let most = rows.iter().map(|row: &Row| row.values[0]).fold(2.0, f64::max);
        let plot = BarPlot {
            title: "Proving on two threads over one".into(),
            axis: "speedup".into(),
            scale: Scale::from_zero(most, plain),
            parts: vec!["speedup".into()],
            rows,
            reference: Some(Reference {
                at: SPEEDUP,
                label: format!("target {}", digits(SPEEDUP)),
            }),
        };
        let text = format!("Medians; what one proof gains by a second thread.\n\n{table}");
        Rendered { text, plots: vec![("threads", plot.svg())] }
    },
};
