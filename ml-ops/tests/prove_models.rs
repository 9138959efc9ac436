//! Whole models proved and verified in batches; every changed byte that is tried is rejected.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod fixtures;

use std::path::{Path, PathBuf};

use binfer_ml_ops::array::{Array, ArrayData};
use binfer_ml_ops::graph::Model;
use binfer_ml_ops::{Params, ProverKey, estimate, verify};

use fixtures::{array, output};

/// `batch` samples of an array of floats or bytes, from the first one round and round.
fn samples(array: &Array, batch: usize) -> Array {
    fn cycle<T: Copy>(values: &[T], n: usize) -> Vec<T> {
        values.iter().copied().cycle().take(n).collect()
    }
    let mut shape = array.shape().to_vec();
    let n = array.data().len() / shape[0] * batch;
    shape[0] = batch;
    let data = match array.data() {
        ArrayData::F32(v) => ArrayData::F32(cycle(v, n)),
        ArrayData::U8(v) => ArrayData::U8(cycle(v, n)),
        ArrayData::I8(v) => ArrayData::I8(cycle(v, n)),
        other => panic!("no model takes {other:?}"),
    };
    Array::new(shape, data).unwrap()
}

fn prove_batches(onnx: &Path, archive: &Path) {
    let model = Model::from_onnx(&std::fs::read(onnx).unwrap()).unwrap();
    let (inputs, outputs) = (array(archive, "input"), array(archive, "output"));
    assert_eq!(output(&model, &inputs), outputs);
    let key = ProverKey::new(model, Params::default(), &[3; 32]);
    let commitment = key.commitment();
    for batch in [1, 8, 33] {
        let (x, y) = (samples(&inputs, batch), samples(&outputs, batch));
        let proof = key.prove(&x, &y, &mut |_| ()).unwrap().to_bytes();
        assert_eq!(verify(commitment, &x, &y, &proof), Ok(()));
        assert!(estimate(commitment, batch).soundness_bits >= 100.0);
        for i in (0..proof.len()).step_by(proof.len() / 40) {
            let mut changed = proof.clone();
            changed[i] ^= 0x10;
            assert!(verify(commitment, &x, &y, &changed).is_err(), "byte {i}");
        }
        let other = samples(&outputs, batch + 1);
        assert!(verify(commitment, &x, &other, &proof).is_err());
    }
}

fn prove_beside(name: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/models");
    if !folder.is_dir() {
        eprintln!("skipped: {} is absent", folder.display());
        return;
    }
    prove_batches(&folder.join(format!("{name}.onnx")), &folder.join(format!("{name}.npz")));
}

#[test]
fn int8_digits() {
    prove_beside("digits_int8_mlp");
}

#[test]
fn ternary_digits() {
    prove_beside("digits_ternary_mlp");
}

#[test]
fn binary_digits() {
    prove_beside("digits_binary_mlp");
}

#[test]
fn anomaly_detection() {
    prove_beside("ad01_int8");
}
