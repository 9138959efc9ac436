//! Multiset lookups in public tables, with multiplicities raised by the Frobenius map.
//!
//! # Relation
//! Every entry of some matrices is an entry of a public table; both are strings of bits, the
//! matrices' and the multiplicities `m_t` (how often entry `t` is looked up) are committed bit planes.
//!
//! # Protocol
//! With `gamma` and one `w_s` a bit drawn, `F_e = gamma + sum_s w_s bit_s(e)`. Over all `N` lookups `e`
//! and table entries `t`, `k` the bit length of `N` and `g` a generator of the multiplicative group:
//! `prod_e F_e = prod_t F_t^{m_t}` and `prod_t g^{m_t} = g^N`, where
//! `F_t^{m_t} = prod_{s < k} (1 + bit_s(m_t) (F_t^{2^s} + 1))`.
//! 1. The prover sends the product over each matrix; the verifier computes the other products' values.
//!    [`product`](crate::product) reduces them, rows over columns, to claims on the leaves.
//! 2. A sumcheck over `t` splits the claim on the leaves of `prod_t F_t^{m_t}` into the bits of `m` and
//!    `F~(x^(2^-s))`, which is `(sum_t eq(x, t) F_t^{2^s})^(2^-s)`, at one point `x`.
//! 3. [`claims`](crate::claims) reduces those `k` evaluations of `F~` to one, which the verifier computes.
//! 4. The other leaves are linear in the bits: [`claims::planes`](crate::claims::planes) ends in
//!    evaluation claims on the tiles of all planes at one point.
//!
//! # Cost
//! A leaf and three products of the last steps for each lookup, `2 k` leaves for each table entry. The
//! verifier does one product for each table entry and `O(k log)` besides.
//!
//! # Soundness
//! `N / 2^128` for the fingerprints (Schwartz-Zippel: both sides have degree exactly `N`, because the
//! multiplicities, integers below `2^k`, sum to `N`), and the terms of the parts.

mod statement;
mod verify;

#[cfg(feature = "prover")]
mod multiplicity;
#[cfg(feature = "prover")]
mod prove;

#[cfg(all(test, feature = "prover"))]
mod tests;

#[cfg(feature = "prover")]
pub use multiplicity::multiplicities;
#[cfg(feature = "prover")]
pub use prove::{LookupWitness, prove};
pub use statement::{Lookup, LookupClaims, LookupValues};
pub use verify::verify;
