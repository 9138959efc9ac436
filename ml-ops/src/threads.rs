//! Work of verifiers that falls into parts: a prover's build shares it among its threads, a verifier's has one.

#[cfg(feature = "prover")]
use rayon::prelude::*;

/// Parts from which threads share them: a few are done before another one wakes up.
#[cfg(feature = "prover")]
const SHARED: usize = 32;

/// `f` of each part, in order.
pub(crate) fn map<T: Send, R: Send>(parts: Vec<T>, f: impl Fn(T) -> R + Send + Sync) -> Vec<R> {
    #[cfg(feature = "prover")]
    if parts.len() >= SHARED {
        return parts.into_par_iter().map(f).collect();
    }
    parts.into_iter().map(f).collect()
}
