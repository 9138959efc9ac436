//! `binfer bench` and `binfer demo`.

use std::fs;

use crate::common::{Scratch, digits};
use serde_json::Value;

const KEYS: [&str; 22] = [
    "task",
    "macs",
    "weights",
    "batch",
    "threads",
    "backend",
    "runs",
    "native_ns",
    "native_kernel",
    "commit_ns",
    "commit_min_ns",
    "prove_ns",
    "prove_min_ns",
    "first_prove_ns",
    "verify_ns",
    "verify_min_ns",
    "proof_bytes",
    "peak_rss_bytes",
    "soundness_bits",
    "accuracy",
    "committed",
    "phases",
];

fn bench(line: &str) -> Value {
    let text = Scratch::new().expect(0, line).stdout;
    let report: Value = serde_json::from_str(&text).unwrap();
    let keys: Vec<&str> = report.as_object().unwrap().keys().map(|k| &k[..]).collect();
    assert_eq!(keys, KEYS);
    assert!(report["soundness_bits"].as_f64().unwrap() >= 100.0);
    for key in ["native_ns", "commit_ns", "prove_ns", "first_prove_ns", "verify_ns", "proof_bytes"]
    {
        assert!(report[key].as_u64().unwrap() > 0, "{key}");
    }
    assert!(!report["phases"].as_object().unwrap().is_empty());
    report
}

#[test]
fn tasks_report_every_figure() {
    for (task, macs) in [("t1-0", 65_536), ("t1-a", 589_824), ("t2", 92_224), ("t3", 737_792)] {
        let report = bench(&format!("bench {task} --runs 1 --threads 1 --json"));
        assert_eq!(report["task"], task);
        assert_eq!(report["macs"], macs);
        assert_eq!(report["threads"], 1);
        #[cfg(target_os = "linux")]
        assert!(report["peak_rss_bytes"].as_u64().unwrap() < 200_000_000);
    }
}

#[test]
fn narrow_weights_and_odd_shapes_are_proved() {
    for bits in [8, 4, 2, 1] {
        let task = format!("matmul --shape 3x65x33 --weight-bits {bits}");
        let report = bench(&format!("bench --runs 1 --json {task}"));
        assert_eq!(report["macs"], 3 * 65 * 33);
    }
    let report = bench("bench --seconds 0.01 --json matmul --shape 3x65x33 --requantize");
    assert_eq!(report["task"], "matmul 3x65x33 w8 requantized");
    assert!(report["runs"].as_u64().unwrap() >= 3);
    let scratch = Scratch::new();
    assert!(scratch.expect(0, "bench t1-0 --runs 2").stdout.contains("native"));
    scratch.expect(2, "bench matmul --shape 3x4");
    scratch.expect(2, "bench matmul --shape 3x4x5 --weight-bits 3");
    scratch.expect(2, "bench matmul --shape 1x16777216x16777216");
    scratch.expect(2, "bench t1-0 --shape 3x4x5");
}

#[test]
fn the_suite_measures_in_processes_of_its_own_and_reports() {
    let scratch = Scratch::new();
    let suite = "bench suite --quick --only phases --threads 1";
    let ran = scratch.expect(0, &format!("{suite} --runs 1 --seconds 0 --json --out docs"));
    let results: Value = serde_json::from_str(&ran.stdout).unwrap();
    let measurements = results["measurements"].as_array().unwrap();
    assert_eq!(measurements.len(), 3);
    for measurement in measurements {
        assert_eq!(measurement["threads"], 1);
        assert_eq!(measurement["runs"], 1);
    }
    let page = String::from_utf8(scratch.read("docs/benchmarks.md")).unwrap();
    assert!(page.contains("](benchmarks/phases.svg)"));
    assert!(scratch.read("docs/benchmarks/phases.svg").starts_with(b"<svg"));

    // The same report again, from the figures alone.
    scratch.write("results.json", ran.stdout.as_bytes());
    scratch.expect(0, "bench suite --from results.json --out again");
    assert_eq!(String::from_utf8(scratch.read("again/benchmarks.md")).unwrap(), page);
    assert_eq!(scratch.expect(0, "bench suite --from results.json").stdout, page);
    scratch.write("results.json", &ran.stdout.as_bytes()[1..]);
    scratch.expect(2, "bench suite --from results.json");
    scratch.expect(2, "bench suite --only nothing");
    scratch.expect(2, "bench suite --max-log-weights 28");
}

#[test]
fn accuracy_is_that_of_the_test_set() {
    let scratch = Scratch::new();
    for (from, to) in [
        ("digits.onnx", "m/d.onnx"),
        ("images.npy", "m/d.npy"),
        ("images.npy", "m/d.test.npy"),
        ("labels.npy", "m/d.labels.npy"),
    ] {
        fs::create_dir_all(scratch.path("m")).unwrap();
        fs::copy(digits().join(from), scratch.path(to)).unwrap();
    }
    scratch.expect(0, "run m/d.onnx --input m/d.npy --output m/d.expected.npy");
    // The folder's files are found, and the process that measures gets them.
    let suite = "bench suite --only models --models m --threads 1 --runs 1 --seconds 0 --json";
    let results: Value = serde_json::from_str(&scratch.expect(0, suite).stdout).unwrap();
    let accuracy = &results["measurements"][0]["accuracy"];
    assert_eq!(accuracy["samples"], 500);
    assert_eq!(accuracy["right"], serde_json::json!([492, 500]));
    let all = serde_json::json!({"equal": 5000, "outputs": 5000, "least_cosine": 1.0});
    assert_eq!(accuracy["expected"], all);
    let model = "bench --runs 1 model m/d.onnx --input m/d.npy --test m/d.test.npy";
    let printed = scratch.expect(0, &format!("{model} --labels m/d.labels.npy")).stdout;
    assert!(printed.contains("accuracy    500 samples, 492 of 500 labels right\n"), "{printed}");
    scratch.expect(2, &format!("{model} --labels m/d.test.npy"));
    scratch.expect(2, "bench model m/d.onnx --input m/d.npy --labels m/d.labels.npy");
}

#[test]
fn the_demonstration_writes_files_that_verify() {
    let scratch = Scratch::new();
    let ran = scratch.expect(0, "demo --html page.html");
    assert_eq!(ran.stdout.matches("rejected: ").count(), 3);
    assert!(ran.stdout.contains("98.4%"));
    let page = String::from_utf8(scratch.read("page.html")).unwrap();
    assert_eq!(page.matches("<figure>").count(), 32);
    let verify = "verify --commitment page.commitment --input page.input.npy";
    scratch.expect(0, &format!("{verify} --output page.output.npy --proof page.proof"));
    scratch.expect(0, "demo --batch 1");
}

#[test]
fn the_convolutional_network_is_proved() {
    let scratch = Scratch::new();
    let ran = scratch.expect(0, "demo --model cnn --batch 2 --html page.html");
    assert_eq!(ran.stdout.matches("rejected: ").count(), 3);
    let verify = "verify --commitment page.commitment --input page.input.npy";
    scratch.expect(0, &format!("{verify} --output page.output.npy --proof page.proof"));
    let report = scratch.expect(0, "inspect page.commitment --json").stdout;
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let layers = report["layers"].as_array().unwrap();
    let operations: Vec<&str> =
        layers.iter().filter_map(|layer| layer["operation"].as_str()).collect();
    assert!(operations.iter().any(|what| what.starts_with("convolution 3x3, ")));
    assert!(operations.iter().any(|what| what.starts_with("convolution 3x3 in 16 groups")));
    assert!(operations.contains(&"maximum of 4"));
}
