//! Sumcheck over a batch of instances of different sizes that end in the same round.
//!
//! # Relation
//! Claims `c_i = sum_{x in {0,1}^{n_i}} f_i(x)`, each `f_i` of degree at most `d_i` in a variable.
//!
//! # Protocol
//! The verifier draws `beta` and the parties prove `sum_i beta^i c_i`. The batch has
//! `n = max n_i` rounds; instance `i` joins at round `n - n_i`, so all instances share the last challenges.
//! Before, it stands for `f_i` times the product of the variables of the first `n - n_i` rounds, which has the
//! same sum: a round that it waits through adds `beta^i c_i` times the challenges so far to the
//! coefficient of `X`. A round sends the coefficients of `s(X)` but for that of `X`, which
//! `s(0) + s(1) = claim` gives in characteristic two, so that waiting costs nothing.
//! At the end the caller checks `sum_i weights_i f_i(r_i)`, `r_i` the last `n_i` challenges and
//! `weights_i` the product of `beta^i` with the challenges before.
//!
//! Where the caller has one claim on a weighted sum already, its weights take the place of the powers of `beta`.
//!
//! It matters that every claim is part of the sum from the first round on. The constant of `s` is free
//! in characteristic two, so a prover may add anything to a claim that is right, and with it cancel the error of
//! a claim that would be added later.
//!
//! # Soundness
//! `(#instances - 1 + sum over rounds of the degree) / 2^128` (Lund, Fortnow, Karloff, Nisan 1992;
//! batching by a random power series).

#[cfg(feature = "prover")]
mod factored;
#[cfg(feature = "prover")]
mod prove;
mod verify;

#[cfg(all(test, feature = "prover"))]
mod forgeries;

#[cfg(feature = "prover")]
pub(crate) use factored::EqFactored;
#[cfg(feature = "prover")]
pub use prove::{Instance, prove, prove_combined, send_round};
pub use verify::{Reduced, Shape, univariate, verify, verify_combined, verify_round};
