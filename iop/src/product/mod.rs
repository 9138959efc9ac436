//! Grand products of many boxes at once: a forest of product trees argued in lockstep.
//!
//! # Relation
//! A tree has `rows x cols` leaves, each the product of `fan_in` factors, and outputs
//! `P(r) = prod_c prod_g L_g(r, c)`. Outside its box every polynomial is **one**, so true shapes cost
//! what they are and not the next powers of two. A claim on the multilinear extension of `P` at a
//! point becomes claims on all `L_g` at one point.
//!
//! # Protocol
//! Levels go from the root down (GKR as in Thaler 2013, section 5): `V(r, c) = V'(r, 2c) V'(r, 2c + 1)`.
//! One batched sumcheck a level proves, for each tree, `V(z) + 1 = sum_x eq(z, x) (V'_0 V'_1 + 1)(x)`:
//! the summand vanishes outside the box. The prover sends both factors' values, the verifier draws
//! the lowest column coordinate. The last batch splits the leaves into their factors.
//!
//! # Cost
//! One multiplication a leaf to build the tree, about six a leaf for the sumchecks, half of them
//! reduced. Two rounds take one pass over a level: its polynomials' values on a grid of nine points
//! less those that are known, then the binding of both variables in place. The tree takes two field
//! elements a leaf, or one where leaves are made when they are needed (`Leaves`). The verifier does
//! `O(log^2)` work a tree.
//!
//! # Soundness
//! Each level: the sumcheck's terms and `1 / 2^128` for the column coordinate.

mod shape;
mod verify;

#[cfg(feature = "prover")]
mod columns;
#[cfg(feature = "prover")]
mod halves;
#[cfg(feature = "prover")]
mod instance;
#[cfg(feature = "prover")]
mod pairs;
#[cfg(feature = "prover")]
mod prove;
#[cfg(feature = "prover")]
mod quad;
#[cfg(feature = "prover")]
mod tree;

#[cfg(all(test, feature = "prover"))]
mod tests;

#[cfg(feature = "prover")]
pub use instance::BoxProduct;
#[cfg(feature = "prover")]
pub(crate) use pairs::{Factors, PairProduct};
#[cfg(feature = "prover")]
pub use prove::prove;
#[cfg(feature = "prover")]
pub(crate) use quad::{Grid, add as add_grids};
pub use shape::{BoxShape, LeafClaim, RootClaim};
#[cfg(feature = "prover")]
pub use tree::{Leaves, Tree};
pub use verify::verify;
