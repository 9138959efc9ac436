//! What a release is to reach, and whether this run did.

use super::peers::{PEERS, SQUARE_64};
use super::results::Results;
use super::sections::{PREFILL, REQUANTIZED, narrow, square};
use crate::bench::{Measurement, Task};
use crate::report::table::{Table, cell};
use crate::report::units::{bytes, digits, time};

/// Most times native that proving a prefill may take.
pub(super) const OVER_NATIVE: f64 = 60.0;
/// Least speedup by a second thread.
pub(super) const SPEEDUP: f64 = 1.75;

/// Which side of a bound is reached.
#[derive(Clone, Copy)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

/// A quantity with its bound.
struct Target {
    what: String,
    bound: Bound,
    /// The quantity, if it was measured.
    value: Option<f64>,
    /// Its text.
    text: fn(f64) -> String,
}

impl Target {
    fn is_reached(&self) -> Option<bool> {
        self.value.map(|value| match self.bound {
            Bound::AtMost(bound) => value <= bound,
            Bound::AtLeast(bound) => value >= bound,
        })
    }

    fn bound_text(&self) -> String {
        match self.bound {
            Bound::AtMost(bound) => format!("at most {}", (self.text)(bound)),
            Bound::AtLeast(bound) => format!("at least {}", (self.text)(bound)),
        }
    }
}

/// The targets, and how many of those that were measured are missed: by medians, and by the least times of each workload.
pub(super) fn table(results: &Results) -> (Table, [usize; 2]) {
    let mut table = Table::new(1, &["target", "bound", "measured", "by least times", "reached"]);
    let (by_medians, by_least) = (targets(results), targets(&results.by_least_times()));
    for (target, least) in by_medians.iter().zip(&by_least) {
        table.row([
            target.what.clone(),
            target.bound_text(),
            cell(target.value, target.text),
            cell(least.value, target.text),
            cell(target.is_reached(), |reached| if reached { "yes" } else { "**no**" }.into()),
        ]);
    }
    let missed = |targets: &[Target]| {
        targets.iter().filter(|target| target.is_reached() == Some(false)).count()
    };
    (table, [missed(&by_medians), missed(&by_least)])
}

fn targets(results: &Results) -> Vec<Target> {
    let ns = |ns: f64| time(ns as u64);
    let size = |b: f64| bytes(b as u64);
    let per_mac = |b: f64| format!("{} B", digits(b));
    let times = |r: f64| format!("{} x", digits(r));
    let prove = |m: &Measurement| m.prove_ns as f64;
    let on = |threads, task: &Task| results.on(threads, task);
    let proved = |threads, task: &Task| on(threads, task).map(prove);
    let ratio = |a: Option<f64>, b: Option<f64>| Some(a? / b?);
    let at_most = |what: &str, bound, value, text| Target {
        what: what.into(),
        bound: Bound::AtMost(bound),
        value,
        text,
    };
    let at_least = |what: &str, bound, value, text| Target {
        what: what.into(),
        bound: Bound::AtLeast(bound),
        value,
        text,
    };
    let per_weight = |width| on(1, &square(width)).map(Measurement::ns_per_weight);
    let narrower = |bits| ratio(proved(1, &narrow(bits)), proved(1, &narrow(8)));
    let binius = PEERS.iter().find(|peer| peer.task == SQUARE_64).map(|peer| peer.prove_ms * 1e6);
    let forced = |backend: &str| {
        let of = |m: &&Measurement| m.task == "t1-a" && m.threads == 1 && m.backend == backend;
        results.measurements.iter().find(of).map(prove)
    };
    let a = on(1, &Task::T1A);
    vec![
        at_most("prove `t1-a`, two threads", 25e6, proved(2, &Task::T1A), ns),
        at_most("prove `t1-d`, two threads", 50e6, proved(2, &Task::T1D), ns),
        at_most("prove `t3`, two threads", 25e6, proved(2, &Task::T3), ns),
        at_most(
            "prove 32 x 768 x 3072, requantized, one thread",
            80e6,
            proved(1, &REQUANTIZED),
            ns,
        ),
        at_least(
            "64 x 64 x 64 faster than Binius64 (its published time), one thread",
            50.0,
            ratio(binius, proved(1, &SQUARE_64)),
            times,
        ),
        at_most("proof of `t1-a`", 200e3, a.map(|m| m.proof_bytes as f64), size),
        at_most("verify `t1-a`", 4e6, a.map(|m| m.verify_ns as f64), ns),
        at_most(
            "peak memory a MAC at `t1-a`",
            60.0,
            a.and_then(Measurement::bytes_per_mac),
            per_mac,
        ),
        at_most("4-bit weights over 8-bit", 0.6, narrower(4), digits),
        at_most("2-bit weights over 8-bit", 0.4, narrower(2), digits),
        at_most("1-bit weights over 8-bit", 0.3, narrower(1), digits),
        at_most(
            "time a weight at width 1536 over 2048",
            1.15,
            ratio(per_weight(1536), per_weight(2048)),
            digits,
        ),
        at_least(
            "two threads over one, 128 x 768 x 3072",
            SPEEDUP,
            ratio(proved(1, &PREFILL), proved(2, &PREFILL)),
            times,
        ),
        at_most(
            "proving over native, 128 x 768 x 3072, one thread",
            OVER_NATIVE,
            on(1, &PREFILL).map(Measurement::over_native),
            times,
        ),
        at_most("`t1-a` on AVX2 over AVX-512", 3.0, ratio(forced("avx2"), forced("avx512")), times),
    ]
}
