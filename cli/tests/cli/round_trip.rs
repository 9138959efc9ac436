//! Commit, run, prove and verify on the shipped digits models, and what must not be accepted.

use crate::common::{Scratch, digits, images, npy};

const VERIFY: &str =
    "verify --commitment key/model.commitment --input x.npy --output y.npy --proof";

/// A folder with the digits model committed, and input, output and proof of `batch` images.
fn proved(model: &str, batch: usize) -> Scratch {
    let scratch = Scratch::new();
    let model = digits().join(model);
    scratch.write("model.onnx", &std::fs::read(model).unwrap());
    scratch.write("x.npy", &images(batch));
    scratch.expect(0, "commit model.onnx --out key");
    scratch.expect(0, "run model.onnx --input x.npy --output y.npy");
    scratch.expect(0, "prove model.onnx --key key --input x.npy --output y.npy --proof p");
    scratch
}

#[test]
fn batches_of_both_models_are_accepted() {
    for model in ["digits.onnx", "digits_ternary.onnx"] {
        for batch in [1, 8, 33] {
            let scratch = proved(model, batch);
            let ran = scratch.expect(0, &format!("{VERIFY} p"));
            assert_eq!(ran.stdout, "accepted\n");
        }
    }
}

#[test]
fn the_profile_is_the_commitments() {
    let scratch = proved("digits.onnx", 1);
    scratch.expect(0, "commit model.onnx --out key --force --profile small");
    let ran = scratch.expect(0, "inspect key/model.commitment");
    assert!(ran.stdout.contains("rate 1/4, 129 queries, 16 bits of grinding"), "{}", ran.stdout);
    let ran = scratch.expect(1, &format!("{VERIFY} p"));
    assert!(ran.stderr.starts_with("rejected: "), "{}", ran.stderr);
    scratch.expect(0, "prove model.onnx --key key --input x.npy --output y.npy --proof p");
    assert_eq!(scratch.expect(0, &format!("{VERIFY} p")).stdout, "accepted\n");
    scratch.expect(2, "commit model.onnx --out key --force --profile tiny");
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let scratch = proved("digits.onnx", 2);
    scratch
        .expect(0, "--threads 1 prove model.onnx --key key --input x.npy --output y.npy --proof q");
    assert!(scratch.read("p") == scratch.read("q"));
    scratch.expect(2, "--threads 0 run model.onnx --input x.npy --output y.npy");
}

#[test]
fn other_statements_are_rejected() {
    let scratch = proved("digits.onnx", 2);
    let y = scratch.read("y.npy");

    // Two different logits of the first image exchanged: an output that the model could give.
    let mut changed = y.clone();
    let logit = |i: usize| 128 + 4 * i..132 + 4 * i;
    let other = (1..10).find(|&i| y[logit(i)] != y[logit(0)]).unwrap();
    changed[logit(0)].copy_from_slice(&y[logit(other)]);
    changed[logit(other)].copy_from_slice(&y[logit(0)]);
    scratch.write("y.npy", &changed);
    let ran = scratch.expect(1, &format!("{VERIFY} p"));
    assert!(ran.stderr.starts_with("rejected: "), "{}", ran.stderr);
    let prove = "prove model.onnx --key key --input x.npy --output y.npy --proof q";
    scratch.expect(1, prove);

    // A float that no code stands for.
    changed[128..132].copy_from_slice(&0.1f32.to_le_bytes());
    scratch.write("y.npy", &changed);
    scratch.expect(1, &format!("{VERIFY} p"));

    // Another input.
    scratch.write("y.npy", &y);
    let mut x = scratch.read("x.npy");
    x[128 + 4 * 20..128 + 4 * 21].copy_from_slice(&16f32.to_le_bytes());
    scratch.write("x.npy", &x);
    scratch.expect(1, &format!("{VERIFY} p"));
}

#[test]
fn proofs_of_others_are_rejected() {
    let scratch = proved("digits.onnx", 3);
    let other = proved("digits.onnx", 3);
    let ternary = proved("digits_ternary.onnx", 3);
    let smaller = proved("digits.onnx", 2);
    for from in [&other, &ternary, &smaller] {
        scratch.write("swapped", &from.read("p"));
        scratch.expect(1, &format!("{VERIFY} swapped"));
    }
    assert_ne!(scratch.read("key/model.key"), other.read("key/model.key"));
    scratch.write("key/model.commitment", &other.read("key/model.commitment"));
    scratch.expect(1, &format!("{VERIFY} p"));
    // And nothing is proved under it.
    let prove = "prove model.onnx --key key --input x.npy --output y.npy --proof q";
    scratch.expect(2, prove);
}

#[test]
fn changed_proofs_are_rejected() {
    let scratch = proved("digits.onnx", 1);
    let proof = scratch.read("p");
    let positions = (0..proof.len()).step_by(proof.len() / 60);
    for at in positions.chain(0..24) {
        let mut changed = proof.clone();
        changed[at] ^= 1 << (at % 8);
        scratch.write("q", &changed);
        scratch.expect(1, &format!("{VERIFY} q"));
    }
    for length in [0, 7, 8, 20, 100, proof.len() / 2, proof.len() - 1] {
        scratch.write("q", &proof[..length]);
        scratch.expect(1, &format!("{VERIFY} q"));
    }
    let mut longer = proof;
    longer.push(0);
    scratch.write("q", &longer);
    scratch.expect(1, &format!("{VERIFY} q"));
}

#[test]
fn a_changed_model_is_not_proved() {
    let scratch = proved("digits.onnx", 1);
    let other = digits().join("digits_ternary.onnx");
    scratch.write("model.onnx", &std::fs::read(other).unwrap());
    let prove = "prove model.onnx --key key --input x.npy --output y.npy --proof q";
    let ran = scratch.expect(2, prove);
    assert!(ran.stderr.contains("model.key"), "{}", ran.stderr);
    // Its key would be lost.
    scratch.expect(2, "commit model.onnx --out key");
    // One bit of one weight.
    let mut model = std::fs::read(digits().join("digits.onnx")).unwrap();
    let middle = model.len() / 2;
    model[middle] ^= 1;
    scratch.write("other.onnx", &model);
    let ran = scratch.expect(2, &prove.replace("model.onnx", "other.onnx"));
    assert!(ran.stderr.contains("model.key"), "{}", ran.stderr);
    scratch.expect(0, "commit model.onnx --out key --force");
}

#[test]
fn committing_again_keeps_the_key() {
    let scratch = proved("digits.onnx", 1);
    let key = scratch.read("key/model.key");
    scratch.expect(0, "commit model.onnx --out key");
    assert_eq!(scratch.read("key/model.key"), key);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let metadata = std::fs::metadata(scratch.path("key/model.key")).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn encoded_weights_save_time_and_nothing_else() {
    let scratch = proved("digits.onnx", 2);
    let prove = "prove model.onnx --key key --input x.npy --output y.npy --proof q";
    let proof = scratch.read("p");
    let names = || {
        let folder = std::fs::read_dir(scratch.path("key")).unwrap();
        let mut names: Vec<_> = folder.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["model.commitment", "model.key", "model.oracle"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let metadata = std::fs::metadata(scratch.path("key/model.oracle")).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    }

    // They are the weights, so that the model need not be named.
    let without_model = prove.replace("model.onnx ", "");
    scratch.expect(0, &without_model);
    assert!(scratch.read("q") == proof);
    std::fs::remove_file(scratch.path("q")).unwrap();

    // Damage that the first page does not show is found: to weights that are read, to what follows them by verifying.
    let oracle = scratch.read("key/model.oracle");
    let end = oracle.len() - 32;
    for (part, line) in [
        (4096..5000, &*without_model),
        (oracle.len() / 2..end, &*without_model),
        (4096..end, prove),
    ] {
        let mut damaged = oracle.clone();
        damaged[part].iter_mut().for_each(|byte| *byte ^= 1);
        scratch.write("key/model.oracle", &damaged);
        let ran = scratch.expect(2, line);
        assert!(
            ran.stderr.contains("model.oracle") && ran.stderr.contains("damaged"),
            "{}",
            ran.stderr
        );
        assert!(!scratch.path("q").exists());
    }

    std::fs::remove_file(scratch.path("key/model.oracle")).unwrap();
    let ran = scratch.expect(2, &without_model);
    assert!(ran.stderr.contains("model.oracle: no such file"), "{}", ran.stderr);
    scratch.expect(0, prove);
    assert!(scratch.read("q") == proof);
    scratch.expect(0, "commit model.onnx --out key");
    assert!(scratch.read("key/model.oracle") == oracle);
    // A refused commit leaves nothing behind.
    scratch.write("other.onnx", &std::fs::read(digits().join("digits_ternary.onnx")).unwrap());
    scratch.expect(2, "commit other.onnx --out key");
    assert_eq!(names().len(), 3);
    assert!(scratch.read("key/model.oracle") == oracle);
}

#[test]
fn a_cap_on_memory_is_kept_or_refused() {
    let scratch = proved("digits.onnx", 8);
    let prove = "prove model.onnx --key key --input x.npy --output y.npy --proof q --max-memory";
    scratch.expect(0, &format!("{prove} 1G"));
    assert!(scratch.read("p") == scratch.read("q"));
    for (cap, bytes) in [("8M", "8388608"), ("1K", "1024"), ("0", "0")] {
        let ran = scratch.expect(2, &format!("{prove} {cap}"));
        assert!(ran.stderr.contains(&format!("and {bytes} are given")), "{}", ran.stderr);
    }
    scratch.expect(2, &format!("{prove} much"));
}

#[test]
fn every_output_is_a_file() {
    let scratch = Scratch::new();
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../ml-ops/tests/fixtures/networks");
    let model = std::fs::read(format!("{fixtures}/several_outputs.onnx")).unwrap();
    scratch.write("model.onnx", &model);
    let codes: Vec<u8> = (0..2 * 40).map(|i: usize| (i * i * 31 + i) as u8).collect();
    scratch.write("x.npy", &npy("|u1", "(2, 2, 5, 4)", &codes));
    let run = "run model.onnx --input x.npy --output a.npy";
    let few = scratch.expect(2, run);
    assert!(few.stderr.contains("3 outputs and 1 files"), "{}", few.stderr);
    scratch.expect(0, &format!("{run} --output b.npy --output c.npy"));
    scratch.expect(0, "commit model.onnx --out key");
    let outputs = "--output a.npy --output b.npy --output c.npy";
    scratch.expect(0, &format!("prove model.onnx --key key --input x.npy {outputs} --proof p"));
    let verify = "verify --commitment key/model.commitment --input x.npy --proof p";
    scratch.expect(0, &format!("{verify} {outputs}"));
    scratch.expect(2, &format!("{verify} --output a.npy --output b.npy"));
    // Both are of one shape and type.
    scratch.expect(1, &format!("{verify} --output b.npy --output a.npy --output c.npy"));
    let mut other = scratch.read("c.npy");
    *other.last_mut().unwrap() ^= 1;
    scratch.write("c.npy", &other);
    scratch.expect(1, &format!("{verify} {outputs}"));
}

#[test]
fn every_input_is_a_file() {
    let scratch = Scratch::new();
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../ml-ops/tests/fixtures/several_inputs");
    scratch.write("model.onnx", &std::fs::read(format!("{fixtures}/siamese.onnx")).unwrap());
    for (name, factor) in [("a.npy", 31), ("b.npy", 77)] {
        let codes: Vec<u8> = (0..2 * 196).map(|i: usize| (i * i * factor + i) as u8).collect();
        scratch.write(name, &npy("|u1", "(2, 1, 1, 14, 14)", &codes));
    }
    let few = scratch.expect(2, "run model.onnx --input a.npy --output y.npy");
    assert!(few.stderr.contains("2 inputs and 1 files"), "{}", few.stderr);
    scratch.expect(0, "run model.onnx --input a.npy --input b.npy --output y.npy");
    let y = scratch.read("y.npy");
    // In any order by names.
    scratch.expect(0, "run model.onnx --input right=b.npy --input left=a.npy --output y.npy");
    assert!(scratch.read("y.npy") == y);
    let twice = scratch.expect(2, "run model.onnx --input left=b.npy --input a.npy --output y.npy");
    assert!(twice.stderr.contains("left, right"), "{}", twice.stderr);
    scratch.write("short.npy", &npy("|u1", "(1, 1, 1, 14, 14)", &[7; 196]));
    let other = scratch.expect(2, "run model.onnx --input a.npy --input short.npy --output y.npy");
    assert!(other.stderr.contains("short.npy"), "{}", other.stderr);
    scratch.expect(0, "commit model.onnx --out key");
    let inspected = scratch.expect(0, "inspect key/model.commitment");
    assert!(inspected.stdout.contains("right: uint8 [1,14,14]"), "{}", inspected.stdout);
    let inputs = "--input a.npy --input b.npy --output y.npy";
    scratch.expect(0, &format!("prove model.onnx --key key {inputs} --proof p"));
    let verify = "verify --commitment key/model.commitment --proof p";
    scratch.expect(0, &format!("{verify} {inputs}"));
    scratch.expect(0, &format!("{verify} --input right=b.npy --input left=a.npy --output y.npy"));
    scratch.expect(1, &format!("{verify} --input b.npy --input a.npy --output y.npy"));
    scratch.expect(2, &format!("{verify} --input a.npy --output y.npy"));
    scratch.expect(0, "bench model model.onnx --input right=b.npy --input left=a.npy --runs 1");
}
