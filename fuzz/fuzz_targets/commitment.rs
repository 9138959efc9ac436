//! Bytes that decode as a commitment encode to themselves, and a verifier can be run on them.
#![no_main]

use std::sync::OnceLock;

use binfer_fuzz::{Network, Patch};
use binfer_ml_ops::graph::Model;
use binfer_ml_ops::{ModelCommitment, ProverKey, estimate};
use libfuzzer_sys::fuzz_target;

/// Beyond this, an estimate is a matter of time and not of robustness.
const MANY: u64 = 1 << 20;

fn honest(network: Network) -> &'static [u8] {
    static BYTES: OnceLock<[Vec<u8>; 3]> = OnceLock::new();
    let all = BYTES.get_or_init(|| {
        Network::ALL.map(|network| {
            let model = Model::from_onnx(network.onnx()).expect("a model of the repository");
            let key = ProverKey::new(model, Default::default(), &[3; 32]);
            key.commitment().to_bytes()
        })
    });
    &all[network as usize]
}

fuzz_target!(|input: (Network, Patch)| {
    let (network, patch) = input;
    let bytes = patch.apply(honest(network));
    let Ok(commitment) = ModelCommitment::from_bytes(&bytes) else {
        return;
    };
    assert_eq!(commitment.to_bytes(), bytes);
    let graph = commitment.graph();
    let elements = graph.tensors.iter().map(|tensor| tensor.per_sample() as u64);
    if elements.fold(graph.macs_per_sample(), u64::saturating_add) < MANY {
        estimate(&commitment, 1);
    }
});
