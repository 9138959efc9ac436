//! The argument that a committed trace is the run of a graph on committed weights.
//!
//! # Relation
//! For every matmul node `acc = (X - x_offset) W + bias` over the integers, `X` perhaps read through a map and
//! columns perhaps in groups, and its outputs are the accumulators or the codes that the node's step function
//! gives them; so are those of every sum of functions of elements; every maximum is that of its taps; every
//! index of one names the largest, and of equal ones the first or the last; every Relu is `max(x, 0)`. Inputs and
//! outputs are the statement's, weights those of the model's commitment.
//!
//! # Protocol
//! 1. The prover commits the trace: hidden tensors, for requantized outputs the [distances](requantize), and for
//!    maxima and their indices the differences of the taps with selectors.
//! 2. For each matmul (and repetition) the verifier draws bases `h_j` (and `k_j`), one a column of the
//!    outputs or one a row; once all are drawn, for each again a point. The prover sends the extensions
//!    of both sides' products there, `prod_k G_k` and the bias product, where `G_k = prod_j h_j^(W_kj)`
//!    or `G_k = prod_i h_i^(X_ik)`, and the verifier checks the relation between them; of a sum or a maximum it sends
//!    the outputs' alone, which give those of the terms. What is public it
//!    computes itself: the products of accumulators that are the output, and `G` of the input.
//! 3. One forest of product trees and one table step take the products of the outer operand (`X`, or
//!    `W`) and of hidden outputs apart. Tables of outputs are public; the operand's are powers of `G`.
//!    Where that is hidden, the Frobenius turns claims on them into claims on `G`, and one sumcheck those
//!    into a single one.
//! 4. A second forest and table step do the same for a hidden inner operand: its tables are public.
//! 5. A sumcheck with public weights takes claims on matrices that are read through maps to claims on what they are
//!    read from. The one-hot stages take all claims on indices to claims on bit planes at one shared point; one
//!    zerocheck of all Relus, maxima and their indices adds a claim of its own. The verifier evaluates public planes; one opening of the model's
//!    and the trace's oracle settles the rest.
//!
//! # Cost
//! Prover: the indexed products over `rows k + k n + rows n (1 + chunks)` indices, without those that are
//! public. Verifier: `O(256 n)` or `O(256 rows)` field operations a matmul, and a few for each entry of input
//! and output, whatever the number of weights.
//!
//! # Soundness
//! The Freivalds term is `(D / (2^128 - 1))^repetitions`, `D` the largest exponent that operand ranges,
//! committed widths and thresholds allow; it is that of the worst node, since a false trace is false
//! at some node. All other terms are stated where they arise.

mod bases;
mod bits;
mod groups;
mod layout;
mod listed;
mod packed;
mod plan;
mod planes;
mod public;
mod remembered;
mod requantize;
mod tables;
mod verify;
mod wiring;

#[cfg(feature = "prover")]
mod choice;
#[cfg(feature = "prover")]
mod entries;
#[cfg(all(test, feature = "prover"))]
mod forged_exponents;
#[cfg(feature = "prover")]
mod indices;
#[cfg(feature = "prover")]
mod memory;
#[cfg(feature = "prover")]
mod prove;

#[cfg(feature = "prover")]
pub(crate) use entries::{Entries, entries, model_weights, model_words};
pub use groups::GroupSize;
#[cfg(feature = "prover")]
pub(crate) use layout::{SALT_WORDS, model_shape};
#[cfg(feature = "prover")]
pub(crate) use memory::Costs;
#[cfg(feature = "prover")]
pub(crate) use plan::suffices_once;
#[cfg(all(test, feature = "prover"))]
pub(crate) use plan::{Axis, Outputs};
pub(crate) use plan::{Matrix, Origin, Plan, Source};
#[cfg(feature = "prover")]
pub(crate) use prove::Prover;
pub use requantize::ReachError;
pub(crate) use requantize::Requantized;
#[cfg(all(test, feature = "prover"))]
pub(crate) use requantize::{Declared, saying};
#[cfg(feature = "prover")]
pub(crate) use verify::soundness_at_most;
pub(crate) use verify::{Statement, verify};
