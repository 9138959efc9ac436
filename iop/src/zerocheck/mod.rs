//! Zerocheck of quadratic constraints over bit planes, with a univariate first round.
//!
//! # Relation
//! A [`System`] has [`Constraint`]s, sums over GF(2) of products of two planes, single planes and a
//! constant, and tiles of `2^n_i` positions that hold its planes. At every position of every tile of every
//! system each of the system's constraints is zero.
//! The planes are committed as **bits**: that they are 0 or 1 is what the argument rests on.
//!
//! # Protocol
//! Write a position as `(d, y)`: `d` its 6 low bits, a point of a subspace `D` of GF(2^8) with 64
//! elements, `y` the rest. `p(X, y)` is the polynomial of degree below 64 with the plane's bits on `D`.
//! 1. The verifier draws `alpha` (constraints of a system), `beta` (all tiles) and the coordinates of `zeta`
//!    after the third; the first three are constants, see `domain`. Let
//!    `P_i(X) = sum_y eq(zeta, y) sum_c alpha^c C_c(p(X, y))`, which vanishes on `D`.
//! 2. The prover sends `P = sum_i beta^i P_i` on a coset of `D`. The verifier draws `z`.
//! 3. One [sumcheck](crate::sumcheck) over `y` proves `P(z)`. Both sides write `sum_c alpha^c C_c` as
//!    products `a_h b_h` of two sums of planes, plus a weighted sum of planes, plus a constant.
//! 4. The prover sends `a_h(z, y*)` and `b_h(z, y*)` for every tile. What is left of the sumcheck's claim is one
//!    on a weighted sum of planes.
//! 5. The verifier draws `delta`, with which that claim and those on all `a_h`, `b_h` become one
//!    [claim](ZerocheckClaim): on a weighted sum of planes at `(z, y*)`, which is one weight for each bit of a word
//!    and a point of words.
//!
//! # Cost
//! Prover, per position: a few word operations a product (64 positions at a time in GF(2^8)), an
//! eighth of a table look-up a constraint, then field products on one element per 64 positions.
//! Proof: `64 + 3 (n - 6) + F` elements, `F` two for each product `a_h b_h` of each tile: for a ReLU two a tile,
//! for a maximum two a tile and tap.
//!
//! # Soundness
//! `(c - 1) + (T - 1) + (n - 9) + 127 + 3 (n - 6) + F` over `2^128`, for `T` tiles and at most `c` constraints of
//! a system (Gruen 2024, section 5, for the univariate round; Schwartz-Zippel for the others). The sumcheck has
//! degree 2 while no tile with a product takes part.

mod claim;
mod domain;
mod quadratic;
mod verify;

#[cfg(feature = "prover")]
mod accumulate;
#[cfg(feature = "prover")]
mod instance;
#[cfg(feature = "prover")]
mod prove;
#[cfg(feature = "prover")]
mod skip;
#[cfg(feature = "prover")]
mod sliced;

#[cfg(all(test, feature = "prover"))]
mod tests;

pub use claim::ZerocheckClaim;
#[cfg(feature = "prover")]
pub use prove::{SystemTiles, prove};
pub use quadratic::n_products;
pub use verify::{Constraint, System, verify};

#[cfg(feature = "prover")]
pub(crate) use instance::TileSum;
