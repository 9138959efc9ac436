//! Batching of evaluation claims: many points become one.
//!
//! # Relation
//! Vectors `f_j` of `L_j <= 2^n` elements, zero beyond, as multilinears in `n` variables. Claims
//! `f_j(x_i) = v_i` at any points.
//!
//! # Protocol
//! The verifier draws `rho`; one batched [sumcheck](crate::sumcheck) of degree 2 proves, for each `j`,
//! `sum_x E_j(x) f_j(x) = sum_i rho^i v_i` with `E_j(x) = sum_i rho^i eq(x_i, x)` over the claims on
//! `f_j`. Variables are bound from the lowest up. The prover sends all `f_j(r)`.
//!
//! # Cost
//! The prover does about two products an element for each claim and four for the sumcheck, on true
//! lengths. The proof has `2 n` elements and one a vector; the verifier does `O(n)` work a claim.
//!
//! # Soundness
//! `(most claims on one vector - 1 + #vectors + 2 n) / 2^128` (Schwartz-Zippel and sumcheck).

pub mod planes;

mod verify;

#[cfg(feature = "prover")]
mod instance;
#[cfg(feature = "prover")]
mod prove;

#[cfg(all(test, feature = "prover"))]
mod tests;

#[cfg(feature = "prover")]
pub use prove::prove;
pub use verify::{CommonPoint, EvaluationClaim, verify};

#[cfg(feature = "prover")]
pub use instance::InnerProduct;
