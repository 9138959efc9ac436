//! Zerocheck of quadratic constraints over bit planes, with a univariate first round.
//!
//! # Relation
//! Tiles of `2^n_i` positions hold the same bit planes. At every position of every tile each
//! [`Constraint`], a sum over GF(2) of products of two planes, single planes and a constant, is zero.
//! The planes are committed as **bits**: that they are 0 or 1 is what the argument rests on.
//!
//! # Protocol
//! Write a position as `(d, y)`: `d` its 6 low bits, a point of a subspace `D` of GF(2^8) with 64
//! elements, `y` the rest. `p(X, y)` is the polynomial of degree below 64 with the plane's bits on `D`.
//! 1. The verifier draws `alpha` (constraints), `beta` (tiles) and the coordinates of `zeta` after the
//!    third; the first three are constants, see `domain`. Let
//!    `P_i(X) = sum_y eq(zeta, y) sum_c alpha^c C_c(p(X, y))`, which vanishes on `D`.
//! 2. The prover sends `sum_i beta^i P_i` on a coset of `D`. The verifier draws `z`.
//! 3. The prover sends all `P_i(z)`; one batched [sumcheck](crate::sumcheck) over `y` proves them.
//! 4. The prover sends the planes' values `p(z, y*)`, which settle that sumcheck.
//! 5. The verifier draws `delta`; a sumcheck over `d` of `L_d(z) sum delta^k p_k(d, y*)` ends at a
//!    point `d*`, and the prover sends the claims `p_k(d*, y*)`.
//!
//! # Cost
//! Prover, per position: a few word operations a product (64 positions at a time in GF(2^8)), an
//! eighth of a table look-up a constraint, then field products on one element per 64 positions.
//! Proof: `64 + T + 2 T p + 3 (n - 6) + 12` elements for `T` tiles of `p` planes.
//!
//! # Soundness
//! `(c - 1) + (T - 1) + (n - 9) + 127 + 3 (n - 6) + T + 2 * 6 + 1 + (T p - 1)` over `2^128`, for `c`
//! constraints (Gruen 2024, section 5, for the univariate round; Schwartz-Zippel for the others). The
//! sumcheck over `y` has degree 2 where no constraint has a product.

mod domain;
mod verify;

#[cfg(feature = "prover")]
mod accumulate;
#[cfg(feature = "prover")]
mod instance;
#[cfg(feature = "prover")]
mod prove;
#[cfg(feature = "prover")]
mod quadratic;
#[cfg(feature = "prover")]
mod skip;
#[cfg(feature = "prover")]
mod sliced;

#[cfg(all(test, feature = "prover"))]
mod tests;

#[cfg(feature = "prover")]
pub use prove::prove;
pub use verify::{Constraint, ZerocheckClaims, verify};

#[cfg(feature = "prover")]
pub(crate) use accumulate::subset_sums;
#[cfg(feature = "prover")]
pub(crate) use instance::TileSum;
