//! `binfer inspect` on models, commitments and proofs.

use crate::common::{Scratch, digits, images};
use serde_json::Value;

fn json(scratch: &Scratch, line: &str) -> Value {
    serde_json::from_str(&scratch.expect(0, line).stdout).unwrap()
}

#[test]
fn every_kind_of_file_is_described() {
    let scratch = Scratch::new();
    let model = std::fs::read(digits().join("digits_ternary.onnx")).unwrap();
    scratch.write("model.onnx", &model);
    scratch.write("x.npy", &images(3));
    scratch.expect(0, "commit model.onnx --out key");
    scratch.expect(0, "run model.onnx --input x.npy --output y.npy");
    let prove = "prove model.onnx --key key --input x.npy --output y.npy --proof p";
    scratch.expect(0, prove);
    for (file, kind, batch) in
        [("model.onnx", "model", 1), ("key/model.commitment", "commitment", 1), ("p", "proof", 3)]
    {
        let report = json(&scratch, &format!("inspect {file} --json"));
        assert_eq!(report["kind"], kind);
        assert_eq!(report["batch"], batch);
        assert_eq!(report["layers"].as_array().unwrap().len(), 2);
        assert_eq!(report["layers"][0]["weights"]["bits"], 1.6);
        assert_eq!(report["parameters"], 64 * 64 + 64 * 10 + 64 + 10);
        assert!(report["soundness_bits"].as_f64().unwrap() >= 100.0);
        let terms = report["soundness_terms"].as_array().unwrap();
        let error: f64 = terms.iter().map(|t| (-t["bits"].as_f64().unwrap()).exp2()).sum();
        let bits = report["soundness_bits"].as_f64().unwrap();
        assert!((bits + error.log2()).abs() < 1e-6);
        let text = scratch.expect(0, &format!("inspect {file}")).stdout;
        assert!(text.contains("trit") && text.contains("in total"));
    }
    let larger = json(&scratch, "inspect key/model.commitment --json --batch 64");
    assert_eq!(larger["batch"], 64);
}

#[test]
fn a_proof_that_names_a_huge_batch_is_refused() {
    let scratch = Scratch::new();
    let model = std::fs::read(digits().join("digits.onnx")).unwrap();
    scratch.write("model.onnx", &model);
    scratch.expect(0, "commit model.onnx --out key");
    let commitment = scratch.read("key/model.commitment");
    let mut proof = b"binfer-p\x02\0\0\0\xff\xff\xff\xff\x17\0\0\0".to_vec();
    proof.extend((commitment.len() as u32).to_le_bytes());
    proof.extend(commitment);
    scratch.write("p", &proof);
    scratch.expect(2, "inspect p");
    scratch.expect(2, "inspect key/model.key");
}
