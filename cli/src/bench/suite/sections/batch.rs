//! Cost by batch: weights are paid once a proof.

use super::{Rendered, Section};
use crate::bench::Task;
use crate::bench::suite::case::Case;
use crate::report::plot::{Axis, LinePlot, Scale, Series};
use crate::report::table::Table;
use crate::report::units::{bytes, digits, plain, time};

/// Samples, and the task on them.
pub(in crate::bench::suite) static BATCHED: [(u32, Task); 9] = [
    (1, Task::T1A),
    (2, Task::matmul(2, 768, 768)),
    (4, Task::T1B),
    (8, Task::matmul(8, 768, 768)),
    (16, Task::T1C),
    (32, Task::matmul(32, 768, 768)),
    (64, Task::T1D),
    (128, Task::matmul(128, 768, 768)),
    (256, Task::matmul(256, 768, 768)),
];

pub(super) const SECTION: Section = Section {
    name: "batch",
    title: "Cost by batch",
    cases: |_| BATCHED.iter().map(|(_, task)| Case::new(task.clone(), 1)).collect(),
    render: |results| {
        let found = BATCHED.iter().filter_map(|(batch, task)| Some((*batch, results.on(1, task)?)));
        let found: Vec<_> = found.collect();
        let titles = ["batch", "native", "prove", "least", "ns/MAC", "over native", "proof"];
        let mut table = Table::new(0, &titles);
        for (batch, m) in &found {
            table.row([
                batch.to_string(),
                time(m.native_ns),
                time(m.prove_ns),
                time(m.prove_min_ns),
                digits(m.ns_per_mac()),
                digits(m.over_native()),
                bytes(m.proof_bytes),
            ]);
        }
        let text = format!(
            "[M x 768] by [768 x 768] in int8, one thread. The share of the weights is paid \
             once a proof, not once a sample.\n\n{table}"
        );
        let points: Vec<_> = found.iter().map(|(b, m)| (f64::from(*b), m.ns_per_mac())).collect();
        let law = |&(_, first): &(f64, f64)| -> Vec<(f64, f64)> {
            points.iter().map(|&(batch, _)| (batch, first / batch)).collect()
        };
        let law = points.first().map_or_else(Vec::new, law);
        let at: Vec<f64> = points.iter().map(|p| p.0).collect();
        let all = points.iter().chain(&law).map(|p| p.1);
        let plot = LinePlot {
            title: "Proving [M x 768] by [768 x 768], by batch".into(),
            x: Axis { title: "batch M".into(), scale: Scale::at(&at, plain) },
            y: Axis {
                title: "ns a multiply-accumulate, one thread".into(),
                scale: Scale::logarithmic(all, plain),
            },
            series: vec![
                Series::measured("measured", points.clone()),
                Series::law("if samples cost nothing beside weights", law),
            ],
        };
        Rendered { text, plots: vec![("batch", plot.svg())] }
    },
};
