//! Bytes that decode as a commitment encode to themselves, and a verifier can be run on them.
#![no_main]

use binfer_ml_ops::{ModelCommitment, estimate};
use libfuzzer_sys::fuzz_target;

/// Beyond this, an estimate is a matter of time and not of robustness.
const MANY: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let Ok(commitment) = ModelCommitment::from_bytes(bytes) else {
        return;
    };
    assert_eq!(commitment.to_bytes(), bytes);
    if commitment.graph().macs_per_sample() < MANY {
        estimate(&commitment, 1);
    }
});
