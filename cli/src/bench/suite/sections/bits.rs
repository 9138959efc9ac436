//! Cost by the width of a weight.

use super::{Rendered, Section};
use crate::bench::Task;
use crate::bench::suite::case::Case;
use crate::bench::workload::Shape;
use crate::report::plot::{Axis, LinePlot, Scale, Series};
use crate::report::table::Table;
use crate::report::units::{bytes, count, digits, plain, tick_ms, time};

/// Bits of a weight, wide to narrow.
const BITS: [u32; 4] = [8, 4, 2, 1];

/// [16 x 2048] by [2048 x 2048] with weights of so many bits.
pub(in crate::bench::suite) const fn narrow(weight_bits: u32) -> Task {
    Task::Matmul { shape: Shape { m: 16, k: 2048, n: 2048 }, weight_bits, requantize: false }
}

pub(super) const SECTION: Section = Section {
    name: "bits",
    title: "Cost by bit width",
    cases: |_| BITS.iter().map(|&bits| Case::new(narrow(bits), 1)).collect(),
    render: |results| {
        let found = BITS.iter().filter_map(|&bits| Some((bits, results.on(1, &narrow(bits))?)));
        let found: Vec<_> = found.collect();
        let whole = found.iter().find(|(bits, _)| *bits == 8).map(|(_, m)| m.prove_ns as f64);
        let titles = [
            "bits of a weight",
            "native",
            "commit",
            "prove",
            "least",
            "of the 8-bit time",
            "over native",
            "proof",
        ];
        let mut table = Table::new(0, &titles);
        for (bits, m) in &found {
            table.row([
                bits.to_string(),
                time(m.native_ns),
                time(m.commit_ns),
                time(m.prove_ns),
                time(m.prove_min_ns),
                whole.map_or_else(String::new, |whole| digits(m.prove_ns as f64 / whole)),
                digits(m.over_native()),
                bytes(m.proof_bytes),
            ]);
        }
        let text = format!(
            "[16 x 2048] by [2048 x 2048], {} weights, one thread. A committed bit costs a \
             bit: the weights' share of the time is proportional to their width, the share of \
             input and output is not. Native code multiplies 8-bit weights in all rows.\n\n{table}",
            count(2048 * 2048)
        );
        let ms = |ns: u64| ns as f64 / 1e6;
        let law =
            |whole: f64| BITS.map(|bits| (f64::from(bits), whole / 1e6 * f64::from(bits) / 8.0));
        let plot = LinePlot {
            title: "Proving a 16 x 2048 x 2048 matmul, by bits of a weight".into(),
            x: Axis { title: "bits of a weight".into(), scale: Scale::from_zero(8.0, plain) },
            y: Axis {
                title: "time to prove, one thread".into(),
                scale: Scale::from_zero(
                    found.iter().map(|(_, m)| ms(m.prove_ns)).fold(0.0, f64::max),
                    tick_ms,
                ),
            },
            series: vec![
                Series::measured(
                    "measured",
                    found.iter().map(|(b, m)| (f64::from(*b), ms(m.prove_ns))).collect(),
                ),
                Series::law(
                    "proportional to bits",
                    whole.map_or_else(Vec::new, |whole| law(whole).to_vec()),
                ),
            ],
        };
        Rendered { text, plots: vec![("bits", plot.svg())] }
    },
};
