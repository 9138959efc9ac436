//! Our own argument: what a byte of weights, a bit of the trace and a sample cost.

use std::error::Error;
use std::time::Duration;

use binfer_cli::bench::{Effort, Measurement, Shape, Task, measure};
use binfer_cli::report::plot::{Axis, LinePlot, Scale, Series};
use binfer_cli::report::table::Table;
use binfer_cli::report::units::{bytes, count, digits, plain, time};

use super::{Part, Scope, Section, exponent};
use crate::clock::Clock;
use crate::row::Row;

/// Sides of the square matrices, for batches of 16.
const WIDTHS: [usize; 5] = [512, 768, 1024, 1536, 2048];
/// Samples, for a matrix of 768 x 768.
const BATCHES: [usize; 4] = [1, 4, 16, 64];
/// Bits of a weight, for a batch of 16 and a matrix of 1024 x 1024.
const BITS: [u32; 4] = [8, 4, 2, 1];
/// Samples whose outputs are requantized, for a matrix of 256 x 1024.
const REQUANTIZED: [usize; 3] = [32, 64, 128];

pub(super) const SECTION: Section = Section {
    name: "matmul",
    title: "Our argument",
    source: "Quantized matmuls as [the page](protocols/matmul.md) states them, one thread: least times \
             of a proof, every proof verified. Circuits with one product for each multiply-accumulate \
             are those of Binius64 on this kind of server: 1.95 to 5.9 us and 0.35 to 0.46 MB a proof, \
             and a verifier linear in the multiply-accumulates.",
    run: |scope, clock| {
        let (widths, batches) =
            if scope.quick { (&WIDTHS[..2], &BATCHES[..2]) } else { (&WIDTHS[..], &BATCHES[..]) };
        let square = |w: usize| Task::matmul(16, w, w);
        let batch = |m: usize| Task::matmul(m, 768, 768);
        let narrow = |weight_bits: u32| Task::Matmul {
            shape: Shape { m: 16, k: 1024, n: 1024 },
            weight_bits,
            requantize: false,
        };
        let requantized = |m: usize| Task::Matmul {
            shape: Shape { m, k: 256, n: 1024 },
            weight_bits: 8,
            requantize: true,
        };
        let by_width = all(widths, square, scope, clock)?;
        let by_batch = all(batches, batch, scope, clock)?;
        let by_bits = all(&BITS, narrow, scope, clock)?;
        let by_trace = all(&REQUANTIZED, requantized, scope, clock)?;
        let everything = by_width.iter().map(|m| &m.1).chain(by_batch.iter().map(|m| &m.1));
        let mut rows = laws(&by_width, &by_batch, &by_bits, &by_trace);
        rows.extend(circuits(everything));
        Ok(vec![
            Part::Rows(rows),
            Part::Text("By the width of a square matrix of signed bytes, a batch of 16.".into()),
            Part::Table(table("width", &by_width)),
            Part::Text("By the batch, a matrix of 768 x 768.".into()),
            Part::Table(table("batch", &by_batch)),
            Part::Text("By the bits of a weight, a batch of 16, a matrix of 1024 x 1024.".into()),
            Part::Table(table("bits", &by_bits)),
            Part::Text(
                "By the batch, outputs requantized to bytes, a matrix of 256 x 1024.".into(),
            ),
            Part::Table(table("batch", &by_trace)),
            Part::Plot("matmul-width", width_plot(&by_width)),
            Part::Plot("matmul-batch", batch_plot(&by_batch)),
            Part::Plot("matmul-bits", bits_plot(&by_bits)),
        ])
    },
};

/// A measurement for each value of what varies.
fn all<T: Copy>(
    values: &[T],
    task: impl Fn(T) -> Task,
    scope: &Scope,
    clock: &mut Clock,
) -> Result<Vec<(T, Measurement)>, Box<dyn Error>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let effort = Effort {
        runs: clock.effort().runs.min(3),
        time: if scope.quick { Duration::ZERO } else { Duration::from_secs(1) },
    };
    let mut found = Vec::new();
    for &value in values {
        let task = task(value);
        clock.says(&task.label());
        let measured = pool.install(|| measure(&task, effort, None).map_err(|e| e.to_string()));
        found.push((value, measured?));
    }
    Ok(found)
}

fn prove_ns(m: &Measurement) -> f64 {
    m.prove_min_ns as f64
}

fn laws(
    by_width: &[(usize, Measurement)],
    by_batch: &[(usize, Measurement)],
    by_bits: &[(u32, Measurement)],
    by_trace: &[(usize, Measurement)],
) -> Vec<Row> {
    let points: Vec<(f64, f64)> =
        by_width.iter().map(|(_, m)| (m.weights as f64, prove_ns(m))).collect();
    let power = exponent(&points);
    let (first, last) = (&by_batch[0].1, &by_batch[by_batch.len() - 1].1);
    let batch = prove_ns(last) / prove_ns(first);
    let [wide, half, .., narrow] = by_bits else {
        return Vec::new();
    };
    let (of_half, of_one) =
        (prove_ns(&half.1) / prove_ns(&wide.1), prove_ns(&narrow.1) / prove_ns(&wide.1));
    // What a sample adds, over the bits that a sample adds to the trace.
    let [least, .., most] = by_trace else {
        return Vec::new();
    };
    let bits = (trace_bits(&most.1) - trace_bits(&least.1)) as f64;
    let trace = (prove_ns(&most.1) - prove_ns(&least.1)) / bits;
    let weight = by_width.last().map_or(f64::NAN, |(_, m)| prove_ns(m) / m.weights as f64);
    vec![
        Row::law(
            "time by bytes of weights, batch of 16",
            "weights^1 and a constant: at most weights^1.15",
            format!("weights^{power:.2}"),
            power <= 1.15,
        ),
        Row::law(
            format!("{} samples over one, 768 x 768", by_batch[by_batch.len() - 1].0),
            "the weights' share is paid once: a quarter of the samples at most",
            digits(batch),
            batch <= 0.25 * by_batch[by_batch.len() - 1].0 as f64,
        ),
        Row::law(
            "4-bit weights over 8-bit",
            "1/2 of the weights' share: at most 0.8",
            digits(of_half),
            of_half <= 0.8,
        ),
        Row::law(
            "1-bit weights over 8-bit",
            "1/8 of the weights' share: at most 0.6",
            digits(of_one),
            of_one <= 0.6,
        ),
        Row::machine(
            "a byte of weights, 2048 x 2048, batch of 16",
            "–",
            "–",
            format!("{} ns", digits(weight)),
        ),
        Row::machine(
            format!("a bit of the trace, requantized, {} to {} samples", least.0, most.0),
            "–",
            "–",
            format!("{} ns", digits(trace)),
        ),
    ]
}

/// Bits that a proof commits besides the weights.
fn trace_bits(measured: &Measurement) -> u64 {
    measured.committed.iter().map(|committed| committed.proof_bits).sum()
}

/// Beside circuits with one product for each multiply-accumulate.
fn circuits<'a>(measured: impl Iterator<Item = &'a Measurement>) -> Vec<Row> {
    let measured: Vec<&Measurement> = measured.collect();
    let range = |of: &dyn Fn(&Measurement) -> f64| {
        let values = || measured.iter().map(|m| of(m));
        (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max))
    };
    let (low, high) = range(&|m| prove_ns(m) / m.macs as f64);
    let (small, large) = range(&|m| m.proof_bytes as f64);
    let (fast, slow) = range(&|m| m.prove_min_ns as f64 / m.native_ns as f64);
    let points: Vec<(f64, f64)> =
        measured.iter().map(|m| (m.macs as f64, m.verify_min_ns as f64)).collect();
    let verify = exponent(&points);
    vec![
        Row::machine(
            "a multiply-accumulate",
            "1.95 to 5.9 us (Binius64 circuit)",
            crate::row::hardware::SAME_KIND,
            format!("{} to {} ns", digits(low), digits(high)),
        ),
        Row::law(
            "a multiply-accumulate, at most, over the circuit's least",
            "below 1",
            digits(high / 1950.0),
            high < 1950.0,
        ),
        Row::machine(
            "proof",
            "0.35 to 0.46 MB (Binius64 circuit)",
            "any",
            format!("{} to {}", bytes(small as u64), bytes(large as u64)),
        ),
        Row::law(
            "verification by multiply-accumulates",
            "the circuit's is MAC^1; ours at most MAC^0.8",
            format!("MAC^{verify:.2}"),
            verify <= 0.8,
        ),
        Row::machine(
            "proving over native inference",
            "–",
            "–",
            format!("{} to {}", digits(fast), digits(slow)),
        ),
    ]
}

fn table<T: std::fmt::Display>(what: &str, measured: &[(T, Measurement)]) -> Table {
    let titles =
        [what, "MAC", "native", "prove", "ns a weight", "ns/MAC", "over native", "verify", "proof"];
    let mut table = Table::new(0, &titles);
    for (value, m) in measured {
        table.row([
            value.to_string(),
            count(m.macs),
            time(m.native_ns),
            time(m.prove_min_ns),
            digits(prove_ns(m) / m.weights as f64),
            digits(prove_ns(m) / m.macs as f64),
            digits(prove_ns(m) / m.native_ns as f64),
            time(m.verify_min_ns),
            bytes(m.proof_bytes),
        ]);
    }
    table
}

fn width_plot(measured: &[(usize, Measurement)]) -> String {
    let points: Vec<(f64, f64)> =
        measured.iter().map(|(width, m)| (*width as f64, prove_ns(m) / m.weights as f64)).collect();
    let at: Vec<f64> = points.iter().map(|p| p.0).collect();
    let most = points.iter().map(|p| p.1).fold(0.0, f64::max);
    LinePlot {
        title: "A byte of weights, by width, batch of 16".into(),
        x: Axis { title: "rows and columns".into(), scale: Scale::at(&at, plain) },
        y: Axis { title: "ns, one thread".into(), scale: Scale::from_zero(most, plain) },
        series: vec![Series::measured("proving", points)],
    }
    .svg()
}

fn batch_plot(measured: &[(usize, Measurement)]) -> String {
    let of = |per: fn(&Measurement) -> f64| -> Vec<(f64, f64)> {
        measured.iter().map(|(batch, m)| (*batch as f64, per(m))).collect()
    };
    let prove = of(|m| m.prove_min_ns as f64 / 1e6);
    let native = of(|m| m.native_ns as f64 / 1e6);
    let one = prove[0].1;
    let law = prove.iter().map(|&(batch, _)| (batch, one * batch)).collect::<Vec<_>>();
    let at: Vec<f64> = prove.iter().map(|p| p.0).collect();
    let all: Vec<f64> = prove.iter().chain(&native).chain(&law).map(|p| p.1).collect();
    LinePlot {
        title: "A proof by the batch, 768 x 768".into(),
        x: Axis { title: "samples".into(), scale: Scale::at(&at, plain) },
        y: Axis { title: "ms, one thread".into(), scale: Scale::logarithmic(all, plain) },
        series: vec![
            Series::measured("proving", prove),
            Series::measured("native inference", native),
            Series::law("if each sample cost what the first does", law),
        ],
    }
    .svg()
}

fn bits_plot(measured: &[(u32, Measurement)]) -> String {
    let points: Vec<(f64, f64)> =
        measured.iter().map(|(bits, m)| (f64::from(*bits), prove_ns(m) / 1e6)).collect();
    let whole = points[0].1;
    let law = points.iter().map(|&(bits, _)| (bits, whole * bits / 8.0)).collect();
    LinePlot {
        title: "A proof by the bits of a weight, 16 x 1024 x 1024".into(),
        x: Axis { title: "bits of a weight".into(), scale: Scale::from_zero(8.0, plain) },
        y: Axis { title: "ms, one thread".into(), scale: Scale::from_zero(whole, plain) },
        series: vec![Series::measured("proving", points), Series::law("proportional to bits", law)],
    }
    .svg()
}
