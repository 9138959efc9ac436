//! The argument that a committed trace is the run of a graph on committed weights.
//!
//! # Relation
//! For every matmul node `acc = (X - x_offset) W + bias` over the integers, and its outputs are the
//! accumulators or the codes that the node's step function gives them; every map node is its table;
//! every Relu is `max(x, 0)`. Inputs and outputs are the statement's, weights those of the model's
//! commitment.
//!
//! # Protocol
//! 1. The prover commits the trace: hidden tensors, and for requantized outputs the
//!    [distances](requantize).
//! 2. For each matmul (and repetition) the verifier draws bases `h_j` (and `k_j`) and a row point; the
//!    prover sends the extensions of both sides' row products there, `prod_k G_k` and the bias product,
//!    where `G_k = prod_j h_j^(W_kj)`, and the verifier checks the relation between them.
//! 3. One forest of product trees and one table step take the rows of inputs and outputs apart. Tables
//!    of outputs are public; the inputs' are powers of `G`, whose claims the Frobenius turns into claims
//!    on `G`, and one sumcheck into a single one.
//! 4. A second forest and table step do the same for the weights and biases: their tables are public.
//! 5. The one-hot stages take all claims on indices to claims on bit planes at one shared point; a
//!    zerocheck a Relu adds its own. The verifier evaluates public planes; one opening of the model's
//!    and the trace's oracle settles the rest.
//!
//! # Cost
//! Prover: the indexed products over `rows k + k n + rows n (1 + chunks)` indices. Verifier:
//! `O(k + 256 n)` field operations a matmul, whatever the number of weights.
//!
//! # Soundness
//! The Freivalds term is `(D / (2^128 - 1))^repetitions`, `D` the largest exponent that operand ranges,
//! committed widths and thresholds allow; it is that of the worst node, since a false trace is false
//! at some node. All other terms are stated where they arise.

mod bases;
mod layout;
mod plan;
mod public;
mod requantize;
mod tables;
mod verify;

#[cfg(feature = "prover")]
mod entries;
#[cfg(feature = "prover")]
mod prove;

#[cfg(feature = "prover")]
pub(crate) use entries::{entries, model_words};
pub(crate) use layout::Layout;
pub(crate) use plan::{Origin, Plan};
#[cfg(feature = "prover")]
pub(crate) use prove::Prover;
pub(crate) use verify::{Statement, verify};

use binfer_iop::zerocheck::Constraint;

/// `y_t = x_t x_top` (or `y_t = x_t` where the input is unsigned), planes of `x` first.
fn relu_constraints(x_bits: u32, y_bits: u32, unsigned: bool) -> Vec<Constraint> {
    let (x_bits, y_bits) = (x_bits as usize, y_bits as usize);
    let top = x_bits.saturating_sub(1);
    (0..y_bits)
        .map(|t| {
            let y = x_bits.saturating_add(t);
            if unsigned {
                Constraint {
                    products: vec![],
                    linear: vec![t, y],
                    constant: false,
                }
            } else {
                Constraint {
                    products: vec![(t, top)],
                    linear: vec![y],
                    constant: false,
                }
            }
        })
        .collect()
}
