//! From claims on one-hot polynomials with public weights to claims at points.
//!
//! # Relation
//! A weighted sum of claims is known, each on a `rows x cols` [view](super::onehot::View), with public weights `w`:
//! `value = sum_{r < rows, c < cols} w(r, c) O(r, c)`, where
//! `O(r, c) = prod_s (1 + sigma_s + bit_s(r, c))` is the multilinear extension of "the index is `v`" in `v` at
//! `sigma`. A matrix that is read through a public map from another one is such a claim on the other: `w`
//! adds up the weights of the positions that read an element.
//!
//! # Protocol
//! Claims on one view at one `sigma` are claims on one `O`, and are one: the sum of their weights, each times its claim's own.
//! One batched [sumcheck](crate::sumcheck) of degree 2 proves these, `w` and `O` zero outside the view's box. Columns are bound
//! first, then rows, both highest variable first. It ends in a sum of values of `O`'s multilinear extensions, each times
//! that of its `w`, which the verifier computes; the values are [joined](crate::join). The claims on `O` are
//! [`OneHotClaim`](super::onehot::OneHotClaim)s, of which a weighted sum is known.
//!
//! # Cost
//! The prover looks up an entry of a table of `2^w` and does about four products an element of the view, besides
//! what the weights take. The proof has `2 (row variables + column variables)` elements and those of the joining.
//!
//! # Soundness
//! The terms of the sumcheck and of the joining; that the weights are the verifier's own adds none.

mod verify;

#[cfg(feature = "prover")]
mod prove;

#[cfg(all(test, feature = "prover"))]
mod tests;

#[cfg(feature = "prover")]
pub use prove::{AddWeights, WiredInput, prove};
pub use verify::{Weights, WiredClaim, verify};

use binfer_field::F128;

/// Splits an instance's challenges into row and column points: columns come first, then rows, both highest
/// variable first.
fn split_challenges(challenges: &[F128], col_vars: usize) -> (Vec<F128>, Vec<F128>) {
    let (cols, rows) = challenges.split_at_checked(col_vars).unwrap_or((challenges, &[]));
    (rows.iter().rev().copied().collect(), cols.iter().rev().copied().collect())
}
