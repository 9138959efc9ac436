//! Reproducible random data of any length.

use binfer_field::F128;
use rand::{RngCore, SeedableRng, rngs::StdRng};

/// `n` uniform field elements; the same for the same `n` and `seed`.
pub fn elements(n: usize, seed: u64) -> Vec<F128> {
    let mut rng = StdRng::seed_from_u64(seed);
    (0..n).map(|_| F128::random(&mut rng)).collect()
}

/// `n` uniform bytes; the same for the same `n` and `seed`.
pub fn bytes(n: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; n];
    StdRng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes
}
