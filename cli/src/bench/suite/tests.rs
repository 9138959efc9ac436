//! The report of invented figures: every section says what it should, every plot is well-formed.

use super::case::Case;
use super::cases;
use super::page::Page;
use super::peers::PEERS;
use super::results::Results;
use super::sections::{SECTIONS, Scope};
use crate::bench::measurement::PhaseTimes;
use crate::bench::{Accuracy, Agreement, Committed, Measurement, Task, TestSet};
use crate::report::machine::Machine;
use crate::report::plot::tests::texts;
use crate::report::units;

fn machine() -> Machine {
    Machine {
        cpu: "a processor".into(),
        architecture: "x86_64".into(),
        system: "linux".into(),
        threads: 2,
        memory_bytes: Some(24_000_000_000),
        backend: "avx512".into(),
    }
}

/// Figures by a rule: 10 ns a weight and 1 ns a multiply-accumulate, halved by a second thread.
fn invented(case: &Case) -> Measurement {
    let (macs, weights) = match case.task {
        Task::T1A => (589_824, 589_824),
        Task::T1D => (37_748_736, 589_824),
        _ => (4_000_000, 1_000_000),
    };
    let prove_ns = (10 * weights + macs) / case.threads as u64;
    Measurement {
        task: case.task.name(),
        macs,
        weights,
        batch: macs / weights,
        threads: case.threads,
        backend: case.backend(&machine()).into(),
        runs: 3,
        native_ns: macs / 100,
        native_kernel: "a-kernel".into(),
        commit_ns: weights,
        commit_min_ns: weights,
        prove_ns,
        prove_min_ns: prove_ns * 4 / 5,
        first_prove_ns: prove_ns * 3 / 2,
        verify_ns: 1_234_567,
        verify_min_ns: 1_000_000,
        proof_bytes: 150_000,
        peak_rss_bytes: Some(30_000_000),
        soundness_bits: 101.5,
        accuracy: matches!(case.task, Task::Model { .. }).then_some(Accuracy {
            samples: 50,
            right: Some((49, 50)),
            expected: Some(Agreement { equal: 500, outputs: 500, least_cosine: 1.0 }),
        }),
        committed: vec![Committed {
            operator: "matmul".into(),
            model_bits: 8 * weights,
            proof_bits: 1_000,
        }],
        phases: PhaseTimes(vec![("run".into(), 1_000), ("open".into(), prove_ns - 1_000)]),
    }
}

fn scope(max_log_weights: u32, threads: usize) -> Scope {
    let (file, input) = ("net.onnx".into(), vec!["net.npy".into()]);
    let model = Task::Model { file, input, test: TestSet::default() };
    Scope { max_log_weights, threads, models: vec![model] }
}

fn results(threads: usize, max_log_weights: u32) -> Results {
    let machine = machine();
    let cases = cases(&scope(max_log_weights, threads), &machine, &[]);
    Results {
        version: "1.2.3".into(),
        quick: false,
        rounds: 3,
        least_runs: 3,
        least_seconds: 2.0,
        measurements: cases.iter().map(invented).collect(),
        machine,
    }
}

#[test]
fn every_section_reports() {
    let page = Page::new(&results(2, 24));
    let text = &page.markdown;
    for section in &SECTIONS {
        assert!(text.contains(&format!("\n## {}\n", section.title)), "{}", section.title);
    }
    for peer in &PEERS {
        assert!(text.contains(peer.system), "{}", peer.system);
    }
    assert!(text.contains("on a processor, x86_64, linux, 2 threads, 24.0 GB of memory"));
    // Medians are a quarter above the minima.
    assert!(text.contains("lies 25% above the minimum"));
    // 10 ns a weight and 1 ns a multiply-accumulate, once each, on one thread and on two.
    assert!(text.contains("| t1-a | 589,824 | 1 | 5.90 us | 590 us | 6.49 ms | 5.19 ms | 11.0 |"));
    assert!(
        text.contains("| prove `t1-a`, two threads | at most 25.0 ms | 3.24 ms | 2.60 ms | yes |")
    );
    assert!(text.contains("| t1-d | 43.6 ms | 21.8 ms | 2.00 |"));
    // Invented narrow weights are not cheaper.
    assert!(text.contains("| 4-bit weights over 8-bit | at most 0.600 | 1.00 | 1.00 | **no** |"));
    assert!(text.contains("| net | 50 | 49 of 50 (98.0 %) | 500 of 500 (100.0 %) | 1.0000 |"));
    assert!(text.contains("| 2^24 |") && !text.contains("| 2^25 |"));
}

#[test]
fn the_median_of_rounds_counts_with_the_least_times_of_all() {
    let case = Case::new(Task::T1A, 1);
    let round = |(prove_ns, prove_min_ns, first_prove_ns, peak)| Measurement {
        prove_ns,
        prove_min_ns,
        first_prove_ns,
        runs: 2,
        peak_rss_bytes: Some(peak),
        ..invented(&case)
    };
    let rounds = [(90, 50, 95, 7), (60, 40, 120, 9), (70, 65, 180, 8)].map(round);
    let found = Measurement::of_rounds(rounds.to_vec()).unwrap();
    assert_eq!((found.prove_ns, found.prove_min_ns, found.runs), (70, 40, 6));
    assert_eq!((found.first_prove_ns, found.peak_rss_bytes), (120, Some(9)));
    assert_eq!(Measurement::of_rounds(Vec::new()), None);
}

#[test]
fn targets_say_what_the_least_times_reach() {
    let mut results = results(2, 20);
    results.measurements.retain(|m| m.task == "t1-a" && m.threads == 2);
    let [m] = &mut results.measurements[..] else { panic!("one measurement") };
    (m.prove_ns, m.prove_min_ns) = (30_000_000, 20_000_000);
    let missed = "**One target is missed**, and none by the least times";
    let text = Page::new(&results).markdown;
    assert!(text.contains(missed));
    assert!(text.contains("| at most 25.0 ms | 30.0 ms | 20.0 ms | **no** |"));
    results.measurements[0].prove_min_ns = 26_000_000;
    assert!(Page::new(&results).markdown.contains("**One target is missed**, and 1 by"));
}

#[test]
fn tables_are_rectangular() {
    let page = Page::new(&results(2, 20));
    let mut columns = None;
    for line in page.markdown.lines() {
        let bars = line.starts_with('|').then(|| line.matches('|').count());
        assert!(columns.is_none() || bars.is_none() || bars == columns, "{line}");
        columns = bars;
    }
}

#[test]
fn every_plot_is_drawn_and_shown() {
    let page = Page::new(&results(2, 27));
    let names: Vec<&str> = page.plots.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        ["bits", "width", "batch", "native", "threads", "phases", "growth", "models"]
    );
    for (name, svg) in &page.plots {
        assert!(page.markdown.contains(&format!("](benchmarks/{name}.svg)")), "{name}");
        assert!(texts(svg).len() > 5, "{name}");
    }
}

#[test]
fn what_was_not_measured_is_left_out() {
    let one_thread = results(1, 16);
    assert!(one_thread.measurements.iter().all(|m| m.threads == 1));
    let page = Page::new(&one_thread);
    assert!(page.markdown.contains("| prove `t1-a`, two threads | at most 25.0 ms | – | – | – |"));
    let nothing = Results { measurements: Vec::new(), ..one_thread };
    let page = Page::new(&nothing);
    assert!(page.markdown.contains("Every target that was measured is reached."));
    assert!(page.plots.is_empty());
    let only = |name: &str| {
        let scope = scope(16, 2);
        cases(&scope, &machine(), &[name.to_owned()]).iter().map(invented).collect()
    };
    let page = Page::new(&Results { measurements: only("growth"), ..nothing });
    let plots: Vec<&str> = page.plots.iter().map(|(name, _)| *name).collect();
    assert_eq!(plots, ["growth"]);
}

#[test]
fn results_round_trip_through_json() {
    let results = results(2, 18);
    let text = serde_json::to_string_pretty(&results).unwrap();
    assert_eq!(serde_json::from_str::<Results>(&text).unwrap(), results);
    let wrong = text.replacen("\"run\": 1000", "\"run\": -1", 1);
    assert!(serde_json::from_str::<Results>(&wrong).is_err());
}

#[test]
fn a_case_is_measured_once() {
    let cases = cases(&scope(20, 2), &machine(), &[]);
    for (i, case) in cases.iter().enumerate() {
        assert!(!cases[..i].iter().any(|other| other.is_same(case, &machine())), "{case}");
    }
    assert!(cases.len() > 30);
}

#[test]
fn quantities_have_three_digits() {
    let of = [0.12345, 1.2345, 9.999, 12.345, 99.99, 123.45, 12345.0].map(units::digits);
    assert_eq!(of, ["0.123", "1.23", "10.0", "12.3", "100", "123", "12,345"]);
    assert_eq!(
        [999, 123_456, 1_234_567_890].map(units::count),
        ["999", "123,456", "1,234,567,890"]
    );
    assert_eq!([1e-3, 0.5, 5.0, 2000.0].map(units::tick_ms), ["0.001 ms", "0.5 ms", "5 ms", "2 s"]);
    assert_eq!([70_000, 1_380_000].map(units::bytes), ["70.0 KB", "1.38 MB"]);
}
