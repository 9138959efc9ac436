//! Missing, truncated and random files of every kind: exit status 2 and the file's name, no panic.

use crate::common::{Scratch, digits, images, npy};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Every command that reads files, and the files it reads.
const COMMANDS: [(&str, &[&str]); 5] = [
    ("commit model.onnx --out key", &["model.onnx", "key/model.key"]),
    ("run model.onnx --input x.npy --output out.npy", &["model.onnx", "x.npy"]),
    (
        "prove model.onnx --key key --input x.npy --output y.npy --proof out",
        &[
            "model.onnx",
            "key/model.key",
            "key/model.commitment",
            "key/model.oracle",
            "x.npy",
            "y.npy",
        ],
    ),
    (
        "verify --commitment key/model.commitment --input x.npy --output y.npy --proof p",
        &["key/model.commitment", "x.npy", "y.npy"],
    ),
    ("inspect p", &["p"]),
];

fn committed() -> Scratch {
    let scratch = Scratch::new();
    let model = std::fs::read(digits().join("digits.onnx")).unwrap();
    scratch.write("model.onnx", &model);
    scratch.write("x.npy", &images(2));
    scratch.expect(0, "commit model.onnx --out key");
    scratch.expect(0, "run model.onnx --input x.npy --output y.npy");
    let prove = "prove model.onnx --key key --input x.npy --output y.npy --proof p";
    scratch.expect(0, prove);
    scratch
}

#[test]
fn malformed_files_are_named() {
    let mut rng = StdRng::seed_from_u64(1);
    for (line, files) in COMMANDS {
        let scratch = committed();
        for name in files {
            let good = scratch.read(name);
            let mut variants: Vec<Vec<u8>> = vec![Vec::new(), vec![0; 1000]];
            for length in [1, 9, 11, 40] {
                variants.push(good[..length].to_vec());
            }
            variants.push((0..500).map(|_| rng.random()).collect());
            let head = &good[..12.min(good.len())];
            variants.push(head.iter().copied().chain((0..500).map(|_| rng.random())).collect());
            for bytes in variants {
                scratch.write(name, &bytes);
                let ran = scratch.expect(2, line);
                let last = name.rsplit('/').next().unwrap();
                assert!(ran.stderr.contains(last), "{line}: {}", ran.stderr);
            }
            std::fs::remove_file(scratch.path(name)).unwrap();
            // Without a key, commit makes one; without an oracle, prove does.
            let made = (*name == "key/model.key" && line.starts_with("commit"))
                || *name == "key/model.oracle";
            if made {
                scratch.expect(0, line);
            } else {
                let ran = scratch.expect(2, line);
                assert!(ran.stderr.contains(name), "{line}: {}", ran.stderr);
            }
            scratch.write(name, &good);
        }
    }
    let scratch = committed();
    let missing =
        "verify --commitment key/model.commitment --input x.npy --output y.npy --proof no";
    scratch.expect(2, missing);
}

#[test]
fn changed_bytes_do_not_panic() {
    let scratch = committed();
    let mut rng = StdRng::seed_from_u64(2);
    for (line, files) in COMMANDS {
        for name in files {
            let good = scratch.read(name);
            for _ in 0..15 {
                let mut bytes = good.clone();
                let head = bytes.len().min(300);
                bytes[rng.random_range(0..head)] = rng.random();
                scratch.write(name, &bytes);
                let ran = scratch.binfer(line);
                assert!((0..=2).contains(&ran.code), "{line}: {}", ran.stderr);
            }
            scratch.write(name, &good);
        }
    }
}

#[test]
fn arrays_that_do_not_fit_are_malformed() {
    let scratch = committed();
    let good = scratch.read("x.npy");
    let verify = "verify --commitment key/model.commitment --input x.npy --output y.npy --proof p";
    for x in [
        npy("<f4", "(2, 63)", &[0; 504]),
        npy("|u1", "(2, 64)", &[0; 128]),
        npy("<f8", "(2, 64)", &[0; 1024]),
        npy("<f4", "(0, 64)", &[]),
        npy("<f4", "(1, 64)", &[255; 256]),
    ] {
        scratch.write("x.npy", &x);
        scratch.expect(2, verify);
        scratch.expect(2, "run model.onnx --input x.npy --output out.npy");
    }
    scratch.write("x.npy", &good);
    scratch.write("y.npy", &npy("<f4", "(1, 10)", &[0; 40]));
    scratch.expect(2, verify);
}

#[test]
fn usage_errors_are_2() {
    let scratch = Scratch::new();
    for line in ["", "verify", "fly", "commit model.onnx", "run absent.onnx --input x --output y"] {
        scratch.expect(2, line);
    }
    scratch.expect(0, "--help");
    scratch.expect(0, "--version");
}
