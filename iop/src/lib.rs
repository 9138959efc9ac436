//! Interactive arguments: each reduces a claim on polynomials to evaluation claims.
//!
//! Verifiers are generic over a [`channel::VerifierChannel`]; provers, behind the feature `prover`, write to a
//! `ProverChannel`. A module's page says its relation, messages, cost and soundness.
//!
//! | module | takes a claim on | to claims on |
//! |---|---|---|
//! | [`sumcheck`] | a batch of sums over hypercubes | the summands at one point |
//! | [`join`] | a weighted sum of products of many values | one weighted sum for each factor |
//! | [`product`] | products of the rows of boxes | factors of leaves |
//! | [`indexed`] | such leaves, looked up in tables by committed bits | tables, and planes of bits |
//! | [`zerocheck`] | constraints over GF(2) on planes | planes of bits |
//! | [`claims`] | values at many points | values at one |
//! | [`lookup`] | entries that are all in a table | planes of bits |
#![deny(unsafe_code)]

#[cfg(feature = "prover")]
pub mod buffer;
pub mod channel;
pub mod claims;
pub mod indexed;
pub mod join;
pub mod lookup;
pub mod multilinear;
pub mod product;
pub mod sumcheck;
pub mod zerocheck;
