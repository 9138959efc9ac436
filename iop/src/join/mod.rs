//! The end of a batch: instances' values joined, so that none of them is sent.
//!
//! A batch of sumchecks ends in a weighted sum of products of values, some for each instance. Sending them all would cost
//! an element each; instead the instances' numbers are variables of one more sumcheck.
//!
//! # Relation
//! `claim = sum_t sum_{i < n} w_t(i) prod_{s < k_t} X_ts(i)`, with public weights `w_t` and vectors `X_ts` that the prover knows
//! and that what comes after defines.
//!
//! # Protocol
//! With all vectors zero from `n` on, a [sumcheck](crate::sumcheck) over the `ceil(log2 n)` bits of `i`, the lowest first, ends at a
//! point `r`. The prover sends the extensions `X_ts~(r) = sum_i eq(r, i) X_ts(i)`; the verifier checks them against
//! the extensions of the weights, which it computes. So a weighted sum of the instances' values is known of each `s` and `t`, the
//! weight of instance `i` being `eq(r, i)`: the next batch starts with those.
//!
//! # Cost
//! Some products a value, on both sides none for the instances' own size. Proof: `(1 + max k_t) ceil(log2 n) + sum_t k_t` elements.
//!
//! # Soundness
//! `(1 + max k_t) / 2^128` a round.

mod verify;

#[cfg(feature = "prover")]
mod prove;

#[cfg(all(test, feature = "prover"))]
mod tests;

#[cfg(feature = "prover")]
pub use prove::{Product, prove};
pub use verify::{Joined, Term, verify};

/// Claims of which the sum of all values, each times its weight, is known, and not each by itself.
#[derive(Clone, Debug)]
pub struct Combined<T, E> {
    /// The claims, with their weights.
    pub claims: Vec<T>,
    /// The weighted sum of their values.
    pub value: E,
}
