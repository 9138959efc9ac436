//! Growth with the number of weights.

use super::{Rendered, Section};
use crate::bench::suite::case::Case;
use crate::bench::{Measurement, Task};
use crate::report::plot::{Axis, LinePlot, Scale, Series};
use crate::report::table::{Table, cell};
use crate::report::units::{bytes, digits, tick_ms, time};

/// Logarithms of the numbers of weights that can be asked for.
const LOG_WEIGHTS: std::ops::RangeInclusive<u32> = 16..=27;

/// One row by a matrix of `2^log_weights` weights, square or twice as wide as high.
fn matrix(log_weights: u32) -> Task {
    let half = log_weights / 2;
    Task::matmul(1, 1 << half, 1 << (log_weights - half))
}

pub(super) const SECTION: Section = Section {
    name: "growth",
    title: "Growth",
    cases: |scope| {
        let sizes = LOG_WEIGHTS.filter(|&log_weights| log_weights <= scope.max_log_weights);
        sizes.map(|log_weights| Case::new(matrix(log_weights), 1)).collect()
    },
    render: |results| {
        let found = LOG_WEIGHTS.filter_map(|log| Some((log, results.on(1, &matrix(log))?)));
        let found: Vec<_> = found.collect();
        let mut table = Table::new(
            0,
            &[
                "weights",
                "native",
                "commit",
                "prove",
                "ns a weight",
                "first proof",
                "verify",
                "proof",
                "peak memory",
                "B a weight",
            ],
        );
        for (log_weights, m) in &found {
            let per_weight = m.peak_rss_bytes.map(|bytes| bytes as f64 / m.weights as f64);
            table.row([
                format!("2^{log_weights}"),
                time(m.native_ns),
                time(m.commit_ns),
                time(m.prove_ns),
                digits(m.ns_per_weight()),
                time(m.first_prove_ns),
                time(m.verify_ns),
                bytes(m.proof_bytes),
                cell(m.peak_rss_bytes, bytes),
                cell(per_weight, digits),
            ]);
        }
        let text = format!(
            "One row by a matrix, square or twice as wide as high, int8, one thread. Peak memory \
             is that of the process, which holds the weights twice: the model that is proved is a \
             copy. The first proof of a process pays for memory that is new to it.\n\n{table}"
        );
        let ms = |ns: u64| ns as f64 / 1e6;
        let series = |name: &str, of: fn(&Measurement) -> u64| {
            Series::measured(
                name,
                found.iter().map(|(log, m)| (f64::from(*log).exp2(), ms(of(m)))).collect(),
            )
        };
        let mut lines = vec![
            series("prove", |m| m.prove_ns),
            series("commit", |m| m.commit_ns),
            series("verify", |m| m.verify_ns),
        ];
        if let Some(&(last, most)) = lines[0].points.last() {
            let points =
                lines[0].points.iter().map(|&(weights, _)| (weights, most * weights / last));
            let points = points.collect();
            lines.push(Series::law("linear in weights", points));
        }
        let at: Vec<f64> = lines[0].points.iter().map(|p| p.0).collect();
        let times = lines.iter().flat_map(|line| &line.points).map(|p| p.1);
        let plot = LinePlot {
            title: "Growth with the number of weights".into(),
            x: Axis {
                title: "weights".into(),
                scale: Scale::at(&at, |weights| format!("2^{}", weights.log2())),
            },
            y: Axis { title: "time, one thread".into(), scale: Scale::logarithmic(times, tick_ms) },
            series: lines,
        };
        Rendered { text, plots: vec![("growth", plot.svg())] }
    },
};
