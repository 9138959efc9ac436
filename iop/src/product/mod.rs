//! Grand products of many boxes at once: a forest of product trees argued in lockstep.
//!
//! # Relation
//! A tree has `rows x cols` leaves, each the product of `fan_in` factors, and outputs
//! `P(r) = prod_c prod_g L_g(r, c)`. Outside its box every polynomial is **one**, so true shapes cost
//! what they are and not the next powers of two. Claims on the multilinear extensions of all `P`, each at a
//! point, become one claim on a weighted sum of all `L_g`, those of a tree at one point.
//!
//! # Protocol
//! Levels go down to the leaves, which all trees reach together (GKR as in Thaler 2013, section 5):
//! `V(r, c) = V'(r, 2c) V'(r, 2c + 1)`. Known is always one sum, `sum_i w_i (V_i(z_i) + 1)` over the trees that have begun; a
//! tree whose level this is begins with a fresh power of a challenge as its weight. One batched sumcheck a level
//! proves `sum_i w_i sum_x eq(z_i, x) (V'_0 V'_1 + 1)(x)`: the summand vanishes outside the boxes. What it ends in, a sum of
//! products of two values a tree, is [joined](crate::join): the prover sends one value for all `V'_0` and one for all `V'_1`, and
//! the trees have new weights. The verifier draws the lowest column coordinate. The last batch splits the leaves into their
//! factors in the same way, after a message with the part of leaves that have one factor alone; the values for each
//! factor are added with powers of a challenge.
//!
//! Many columns of one factor are taken in fours: the tree that is argued is that of a quarter of the columns, whose leaves have four
//! factors, and the values for four factors weigh `eq(place, .)`. That makes a claim on the columns at `(place, z)`, as two levels would. A
//! sumcheck of four factors costs what two of two factors do, but reads leaves once where they are made.
//!
//! # Cost
//! One multiplication a leaf to build the tree, about six a leaf for the sumchecks, half of them
//! reduced. Two rounds take one pass over a level: its polynomials' values on a grid of nine points
//! less those that are known, then the binding of both variables in place. The tree takes one and a half field
//! elements a leaf, or half of one where leaves are made when they are needed
//! (`Leaves`). Columns of ones cost nothing where the others are few and given alone
//! (`Tree::sparse`). A factor of a leaf that has several takes one and a half more, or three
//! quarters of one where factors are made. The verifier does `O(log^2)` work a tree.
//!
//! # Soundness
//! Each level: the sumcheck's and the joining's terms, `1 / 2^128` for the column coordinate, and the number of trees that begin
//! over `2^128`. In the end the number of values for factors, over `2^128`, and two for the place of a column among four.

mod shape;
mod verify;

#[cfg(feature = "prover")]
mod columns;
#[cfg(feature = "prover")]
mod halves;
#[cfg(feature = "prover")]
mod instance;
#[cfg(feature = "prover")]
mod leaves;
#[cfg(feature = "prover")]
mod pairs;
#[cfg(feature = "prover")]
mod prove;
#[cfg(feature = "prover")]
mod quad;
#[cfg(feature = "prover")]
mod sparse;
#[cfg(feature = "prover")]
mod tree;

#[cfg(all(test, feature = "prover"))]
mod tests;

#[cfg(feature = "prover")]
pub use instance::BoxProduct;
#[cfg(feature = "prover")]
pub use leaves::Leaves;
#[cfg(feature = "prover")]
pub(crate) use pairs::{Factors, Folded, PairProduct};
#[cfg(feature = "prover")]
pub use prove::{prove, prove_factors};
#[cfg(feature = "prover")]
pub(crate) use quad::{Grid, add as add_grids, fold_weights, line, parabola, quarters};
pub use shape::{BoxShape, LeafClaim, RootClaim};
#[cfg(feature = "prover")]
pub use tree::Tree;
pub use verify::{LeafClaims, verify, verify_factors};
