//! The table of what a workload costs in every respect.

use super::case::Case;
use super::results::Results;
use crate::report::table::{Table, cell};
use crate::report::units::{bytes, count, digits, time};

/// One row a case that was measured.
pub(super) fn table(results: &Results, cases: &[Case]) -> Table {
    let mut table = Table::new(
        1,
        &[
            "workload",
            "MAC",
            "threads",
            "native",
            "commit",
            "prove",
            "least",
            "ns/MAC",
            "over native",
            "verify",
            "proof",
            "peak memory",
            "soundness",
        ],
    );
    for (case, m) in cases.iter().filter_map(|case| Some((case, results.of(case)?))) {
        table.row([
            case.task.label(),
            count(m.macs),
            m.threads.to_string(),
            time(m.native_ns),
            time(m.commit_ns),
            time(m.prove_ns),
            time(m.prove_min_ns),
            digits(m.ns_per_mac()),
            digits(m.over_native()),
            time(m.verify_ns),
            bytes(m.proof_bytes),
            cell(m.peak_rss_bytes, bytes),
            format!("{:.1} bits", m.soundness_bits),
        ]);
    }
    table
}
