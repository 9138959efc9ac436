//! Bits that are committed, by operator.

use binfer_ml_ops::graph::{Graph, Op};
use binfer_ml_ops::{CommittedBits, Operand};
use serde::{Deserialize, Serialize};

use crate::inspect::is_window;

/// The bits of all nodes of one operator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Committed {
    /// The operator.
    pub operator: String,
    /// Bits of weights and biases, committed once.
    pub model_bits: u64,
    /// Bits of a proof's own: outputs and what shows them to be right.
    pub proof_bits: u64,
}

/// What is committed for a graph, in the order in which operators first appear.
pub(super) fn by_operator(graph: &Graph, of_nodes: &[CommittedBits]) -> Vec<Committed> {
    let mut all: Vec<Committed> = Vec::new();
    for committed in of_nodes {
        let operator = operator(&graph.nodes[committed.node].op);
        let at = all.iter().position(|c| c.operator == operator).unwrap_or_else(|| {
            all.push(Committed { operator: operator.into(), model_bits: 0, proof_bits: 0 });
            all.len() - 1
        });
        let bits = match committed.operand {
            Operand::Weights | Operand::Bias => &mut all[at].model_bits,
            _ => &mut all[at].proof_bits,
        };
        *bits += committed.bits as u64;
    }
    all
}

fn operator(op: &Op) -> &'static str {
    match op {
        Op::MatMul { gather: Some(gather), .. } if is_window(gather) => "convolution",
        Op::MatMul { .. } => "matmul",
        Op::BatchMatMul { .. } => "matmul of two tensors",
        Op::Combine { terms, .. } if terms.iter().any(|term| term.with().is_some()) => "product",
        Op::Combine { .. } => "sum of functions",
        Op::Max { .. } => "maximum",
        Op::ArgMax { .. } => "index of a maximum",
        Op::Relu { .. } => "relu",
        Op::Constant { .. } => "constant",
    }
}
