//! Cost of a weight by the width of its matrix: what is not a power of two is not padded to one.

use super::{Rendered, Section};
use crate::bench::suite::case::Case;
use crate::bench::{Measurement, Task};
use crate::report::plot::{Axis, LinePlot, Scale, Series};
use crate::report::table::Table;
use crate::report::units::{count, digits, plain, time};

/// Sides of the square matrices.
const WIDTHS: [usize; 5] = [512, 768, 1024, 1536, 2048];

/// A batch of 16 by a square matrix.
pub(in crate::bench::suite) const fn square(width: usize) -> Task {
    Task::matmul(16, width, width)
}

pub(super) const SECTION: Section = Section {
    name: "width",
    title: "Cost by matrix width",
    cases: |_| WIDTHS.iter().map(|&width| Case::new(square(width), 1)).collect(),
    render: |results| {
        let found =
            WIDTHS.iter().filter_map(|&width| Some((width, results.on(1, &square(width))?)));
        let found: Vec<_> = found.collect();
        let titles = [
            "width",
            "weights",
            "native",
            "prove",
            "least",
            "ns a weight",
            "ns/MAC",
            "over native",
        ];
        let mut table = Table::new(0, &titles);
        for (width, m) in &found {
            table.row([
                width.to_string(),
                count(m.weights),
                time(m.native_ns),
                time(m.prove_ns),
                time(m.prove_min_ns),
                digits(m.ns_per_weight()),
                digits(m.ns_per_mac()),
                digits(m.over_native()),
            ]);
        }
        let text = format!(
            "[16 x w] by [w x w] in int8, one thread. Shapes are committed and proved as they \
             are: 768 and 1536 do not pay for 1024 and 2048. Dashed is what they would cost if \
             they did.\n\n{table}"
        );
        let points = |cost: &dyn Fn(usize, f64) -> f64| -> Vec<(f64, f64)> {
            let point = |(width, m): &(usize, &Measurement)| {
                (*width as f64, cost(*width, m.ns_per_weight()))
            };
            found.iter().map(point).collect()
        };
        // What a weight costs at the next power of two, times the padding.
        let padded = |width: usize, own: f64| {
            let whole = width.next_power_of_two();
            let rate =
                found.iter().find(|(w, _)| *w == whole).map_or(own, |(_, m)| m.ns_per_weight());
            rate * (whole as f64 / width as f64).powi(2)
        };
        let (measured, padded) = (points(&|_, own| own), points(&padded));
        let most = measured.iter().chain(&padded).map(|p| p.1).fold(0.0, f64::max);
        let at: Vec<f64> = found.iter().map(|(width, _)| *width as f64).collect();
        let plot = LinePlot {
            title: "Proving, by width of a square matrix".into(),
            x: Axis {
                title: "rows and columns of the weights".into(),
                scale: Scale::at(&at, plain),
            },
            y: Axis {
                title: "ns a weight, one thread, batch of 16".into(),
                scale: Scale::from_zero(most, plain),
            },
            series: vec![
                Series::measured("measured", measured),
                Series::law("if padded to powers of two", padded),
            ],
        };
        Rendered { text, plots: vec![("width", plot.svg())] }
    },
};
