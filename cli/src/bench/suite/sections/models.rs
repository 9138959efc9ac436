//! Whole networks, and what each operator commits.

use super::{Rendered, Scope, Section};
use crate::bench::suite::case::Case;
use crate::bench::{Committed, Measurement};
use crate::report::plot::{BarPlot, Row, Scale};
use crate::report::table::{Table, cell};
use crate::report::units::{bytes, count, digits, time};

pub(super) const SECTION: Section = Section {
    name: "models",
    title: "Whole networks",
    cases: |scope: &Scope| {
        let on_threads = |threads| scope.models.iter().map(move |m| Case::new(m.clone(), threads));
        on_threads(1).chain(on_threads(2)).collect()
    },
    render: |results| {
        let models = results.models();
        let on = |threads| {
            let found = models.iter().map(move |m| Some((m.label(), results.on(threads, m)?)));
            found.flatten().collect::<Vec<_>>()
        };
        let (one, two) = (on(1), on(2));
        let all = if one.is_empty() { &two } else { &one };
        let text = format!(
            "Networks of files, `--models`, on the batch that stands beside each. Native is the \
             kernel named where a network is matmuls alone, and else this project's interpreter, \
             which is exact and not tuned.\n\n{}\n{}\
             Bits that a proof commits, by operator; those of the model are committed once. Of \
             what is a proof's own, a share is outputs, and a share shows that they are right: \
             [per element](protocols/committed-bits.md).\n\n{}",
            costs(&one, &two),
            accuracy(all),
            bits(all),
        );
        Rendered { text, plots: vec![("models", plot(all))] }
    },
};

/// One row a network and number of threads.
fn costs(one: &[(String, &Measurement)], two: &[(String, &Measurement)]) -> Table {
    let mut table = Table::new(
        1,
        &[
            "network",
            "batch",
            "MAC",
            "weights",
            "threads",
            "native",
            "commit",
            "prove",
            "ns/MAC",
            "over native",
            "first proof",
            "verify",
            "proof",
            "peak memory",
        ],
    );
    for (label, m) in one.iter().chain(two) {
        table.row([
            label.clone(),
            count(m.batch),
            count(m.macs),
            count(m.weights),
            m.threads.to_string(),
            format!("{} ({})", time(m.native_ns), m.native_kernel),
            time(m.commit_ns),
            time(m.prove_ns),
            digits(m.ns_per_mac()),
            digits(m.over_native()),
            time(m.first_prove_ns),
            time(m.verify_ns),
            bytes(m.proof_bytes),
            cell(m.peak_rss_bytes, bytes),
        ]);
    }
    table
}

/// One row a network with a test set, and what the columns are; nothing if none has one.
fn accuracy(models: &[(String, &Measurement)]) -> String {
    let mut table = Table::new(
        1,
        &["network", "samples", "labels right", "outputs as expected", "least cosine"],
    );
    let tested = models.iter().filter_map(|(label, m)| Some((label, m.accuracy.as_ref()?)));
    let tested: Vec<_> = tested.collect();
    if tested.is_empty() {
        return String::new();
    }
    for (label, accuracy) in tested {
        let share = |(part, all): (u64, u64)| {
            let percent = 100.0 * part as f64 / all.max(1) as f64;
            format!("{} of {} ({percent:.1} %)", count(part), count(all))
        };
        let expected = accuracy.expected.as_ref();
        table.row([
            label.clone(),
            count(accuracy.samples),
            cell(accuracy.right, share),
            cell(expected.map(|e| (e.equal, e.outputs)), share),
            cell(expected.map(|e| e.least_cosine), |cosine| format!("{cosine:.4}")),
        ]);
    }
    format!(
        "What the integers that are proved make of test sets that lie beside the networks: labels are those \
         of the data, or what the float model chooses; outputs are expected as another runtime or the float model \
         has them, and the cosine is that of a sample's.\n\n{table}\n"
    )
}

/// One row a network and operator.
fn bits(models: &[(String, &Measurement)]) -> Table {
    let mut table =
        Table::new(2, &["network", "operator", "bits of the model", "bits of the proof"]);
    for (label, m) in models {
        for Committed { operator, model_bits, proof_bits } in &m.committed {
            table.row([label.clone(), operator.clone(), count(*model_bits), count(*proof_bits)]);
        }
    }
    table
}

/// The shares of operators in what is committed.
fn plot(models: &[(String, &Measurement)]) -> String {
    let mut parts: Vec<String> = Vec::new();
    for committed in models.iter().flat_map(|(_, m)| &m.committed) {
        if !parts.contains(&committed.operator) {
            parts.push(committed.operator.clone());
        }
    }
    let row = |(label, m): &(String, &Measurement)| {
        let of = |c: &Committed| (c.model_bits + c.proof_bits) as f64;
        let all: f64 = m.committed.iter().map(of).sum();
        let share =
            |part: &String| m.committed.iter().filter(|c| c.operator == *part).map(of).sum::<f64>();
        Row {
            label: label.clone(),
            values: parts.iter().map(|part| 100.0 * share(part) / all.max(1.0)).collect(),
            note: format!("{} Mbit", digits(all / 1e6)),
        }
    };
    let plot = BarPlot {
        title: "Committed bits by operator".into(),
        axis: "share of the bits, weights included; all of them at the end".into(),
        scale: Scale::from_zero(100.0, |share| format!("{share}%")),
        rows: models.iter().map(row).collect(),
        parts,
        reference: None,
    };
    plot.svg()
}
