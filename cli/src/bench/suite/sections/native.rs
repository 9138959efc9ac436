//! Proving over native inference.

use super::{BATCHED, PREFILL, REQUANTIZED, Rendered, Section};
use crate::bench::suite::case::Case;
use crate::bench::suite::peers::FEED_FORWARD;
use crate::bench::suite::results::Results;
use crate::bench::suite::targets::OVER_NATIVE;
use crate::bench::{Measurement, Task};
use crate::report::plot::{BarPlot, Reference, Row, Scale};
use crate::report::units::{digits, plain};

/// Labels and tasks, small batches first.
fn bars() -> Vec<(String, Task)> {
    let batched = BATCHED.iter().map(|(batch, task)| (format!("{batch}x768x768"), task.clone()));
    let larger = [FEED_FORWARD, REQUANTIZED, PREFILL].map(|task| (task.label(), task));
    batched.chain(larger).collect()
}

pub(super) const SECTION: Section = Section {
    name: "native",
    title: "Proving over native inference",
    cases: |_| bars().into_iter().map(|(_, task)| Case::new(task, 1)).collect(),
    render: |results| {
        let found = bars();
        let found = found.iter().filter_map(|(label, task)| Some((label, results.on(1, task)?)));
        let found: Vec<_> = found.collect();
        let row = |(label, m): &(&String, &Measurement)| Row {
            label: (*label).clone(),
            values: vec![m.over_native()],
            note: format!("{} x", digits(m.over_native())),
        };
        let plot = BarPlot {
            title: "Proving over native int8 inference, one thread each".into(),
            axis: "times native".into(),
            scale: Scale::logarithmic(
                found.iter().map(|(_, m)| m.over_native()).chain([10.0, OVER_NATIVE]),
                plain,
            ),
            parts: vec!["prove".into()],
            rows: found.iter().map(row).collect(),
            reference: Some(Reference {
                at: OVER_NATIVE,
                label: format!("target {}", plain(OVER_NATIVE)),
            }),
        };
        let text = format!(
            "Native inference is an exact int8 matmul ({}) on weights that are packed beforehand \
             and, at these sizes, in a cache; its integers are compared with those that are \
             proved. With one row (M = 1) it does one multiply-accumulate a weight, while a proof \
             pays for the whole weight: the ratio falls as the batch grows.",
            kernels(results)
        );
        Rendered { text, plots: vec![("native", plot.svg())] }
    },
};

/// The native kernels that ran.
fn kernels(results: &Results) -> String {
    let mut names: Vec<&str> = results.measurements.iter().map(|m| &m.native_kernel[..]).collect();
    names.sort_unstable();
    names.dedup();
    format!("rten-gemm, kernel `{}`", names.join("`, `"))
}
