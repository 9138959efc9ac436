//! Bytes that decode as a commitment encode to themselves, and a verifier can be run on them.
#![no_main]

use std::sync::OnceLock;

use binfer_fuzz::Patch;
use binfer_ml_ops::graph::Model;
use binfer_ml_ops::{ModelCommitment, ProverKey, estimate};
use libfuzzer_sys::fuzz_target;

/// Beyond this, an estimate is a matter of time and not of robustness.
const MANY: u64 = 1 << 20;

fn honest() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        let onnx = include_bytes!("../../models/digits/digits_ternary.onnx");
        let model = Model::from_onnx(onnx).expect("a model of the repository");
        let key = ProverKey::new(model, Default::default(), &[3; 32]);
        key.commitment().to_bytes()
    })
}

fuzz_target!(|patch: Patch| {
    let bytes = patch.apply(honest());
    let Ok(commitment) = ModelCommitment::from_bytes(&bytes) else {
        return;
    };
    assert_eq!(commitment.to_bytes(), bytes);
    if commitment.graph().macs_per_sample() < MANY {
        estimate(&commitment, 1);
    }
});
