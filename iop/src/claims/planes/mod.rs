//! From linear claims on bit planes anywhere to claims on all their tiles at one shared point.
//!
//! # Relation
//! A matrix of `rows x cols` entries has some bit planes, each committed in [`tiles`](crate::indexed::tiles).
//! A claim is `sum_s a_s plane_s(row_point, col_point) = value` for public `a_s`, the planes' multilinear
//! extensions being zero outside the matrix.
//!
//! # Protocol
//! For each claim the prover sends what each tile contributes, before the weight that the claim's
//! point gives the tile; the verifier checks that the claim is their weighted sum. One batched
//! [sumcheck](crate::sumcheck) of degree 2 over all tiles of all claims, `sum_x eq(p, x) sum_s a_s
//! plane_s(x)`, binds from the highest variable down, so that tiles of all sizes share their last
//! challenges. The prover sends the value of every tile of every plane there.
//!
//! # Cost
//! The prover looks up one table entry a byte of the entries and does two products an entry for each
//! claim. The proof has `2 n + #(claim, tile) + #(plane, tile)` elements.
//!
//! # Soundness
//! `(#(claim, tile) + 2 n) / 2^128`, the sumcheck's.

mod verify;

#[cfg(feature = "prover")]
mod prove;

#[cfg(all(test, feature = "prover"))]
mod tests;

#[cfg(feature = "prover")]
pub use prove::{Limb, PlaneMatrix, prove};
pub use verify::{LinearClaim, MatrixShape, TileClaims, verify};

pub(crate) use verify::{combine, limb_tables};
