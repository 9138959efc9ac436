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
//! 2. For each matmul (and repetition) the verifier draws bases `h_j` (and `k_j`), one a column of the
//!    outputs or one a row; once all are drawn, for each again a point. The prover sends the extensions
//!    of both sides' products there, `prod_k G_k` and the bias product, where `G_k = prod_j h_j^(W_kj)`
//!    or `G_k = prod_i h_i^(X_ik)`, and the verifier checks the relation between them. What is public it
//!    computes itself: the products of accumulators that are the output, and `G` of the input.
//! 3. One forest of product trees and one table step take the products of the outer operand (`X`, or
//!    `W`) and of hidden outputs apart. Tables of outputs are public; the operand's are powers of `G`.
//!    Where that is hidden, the Frobenius turns claims on them into claims on `G`, and one sumcheck those
//!    into a single one.
//! 4. A second forest and table step do the same for a hidden inner operand: its tables are public.
//! 5. The one-hot stages take all claims on indices to claims on bit planes at one shared point; a
//!    zerocheck a Relu adds its own. The verifier evaluates public planes; one opening of the model's
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
mod groups;
mod layout;
mod plan;
mod public;
mod requantize;
mod tables;
mod verify;

#[cfg(feature = "prover")]
mod entries;
#[cfg(feature = "prover")]
mod indices;
#[cfg(feature = "prover")]
mod memory;
#[cfg(feature = "prover")]
mod prove;

#[cfg(feature = "prover")]
pub(crate) use entries::{entries, model_words};
pub use groups::GroupSize;
#[cfg(feature = "prover")]
pub(crate) use layout::{Layout, SALT_WORDS, model_shape};
#[cfg(feature = "prover")]
pub(crate) use memory::Costs;
#[cfg(all(test, feature = "prover"))]
pub(crate) use plan::Axis;
pub(crate) use plan::{Matrix, Origin, Plan, Source};
#[cfg(feature = "prover")]
pub(crate) use prove::Prover;
pub(crate) use verify::{Statement, verify};

use binfer_iop::zerocheck::Constraint;

/// `y_t = x_t x_top` below the top bit and `y_t = 0` from there on (or `y_t = x_t` where the input is
/// unsigned), planes of `x` first.
fn relu_constraints(x_bits: u32, y_bits: u32, unsigned: bool) -> Vec<Constraint> {
    let (x_bits, y_bits) = (x_bits as usize, y_bits as usize);
    let top = x_bits.saturating_sub(1);
    let constraint = |t: usize| {
        let (mut products, mut linear) = (vec![], vec![x_bits.saturating_add(t)]);
        if unsigned {
            linear.push(t);
        } else if t < top {
            products.push((t, top));
        }
        Constraint { products, linear, constant: false }
    };
    (0..y_bits).map(constraint).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether all constraints vanish on the bits of `x` (offset binary) and `y`.
    fn holds(x: i64, x_bits: u32, y: i64, y_bits: u32) -> bool {
        let entry = (x + (1 << (x_bits - 1))) | y << x_bits;
        relu_constraints(x_bits, y_bits, false).iter().all(|c| {
            let products = c.products.iter().map(|&(a, b)| entry >> a & entry >> b & 1);
            let linear = c.linear.iter().map(|&a| entry >> a & 1);
            products.chain(linear).sum::<i64>() % 2 == 0
        })
    }

    #[test]
    fn constraints_are_relu_at_every_width() {
        for x_bits in 1..7 {
            let y_bits = (x_bits - 1).max(1);
            for x in -(1i64 << (x_bits - 1))..1 << (x_bits - 1) {
                for y in 0..1i64 << y_bits {
                    assert_eq!(holds(x, x_bits, y, y_bits), y == x.max(0), "{x} {y} {x_bits}");
                }
            }
        }
    }
}
