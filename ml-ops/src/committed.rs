//! How many bits a proof of a graph commits, by node and operand.

use crate::argument::{Origin, Plan, ReachError, Requantized, Source};
use crate::graph::{Graph, Op};
use crate::proof::Proof;

/// What is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operand {
    /// Weights, with the model.
    Weights,
    /// Biases, with the model.
    Bias,
    /// Outputs that are not the model's, with each proof.
    Outputs,
    /// Distances of requantized outputs, with each proof.
    Distances,
    /// Differences and selectors of maxima, one operand a tap, with each proof.
    Differences,
    /// The largest elements, where a node gives their number, with each proof.
    Largest,
    /// How far each of its taps lies behind the largest, with each proof.
    Behind,
    /// Which of its taps is named, with each proof.
    Selectors,
}

/// The bits of one operand of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommittedBits {
    /// Position in [`Graph::nodes`].
    pub node: usize,
    /// Which operand.
    pub operand: Operand,
    /// Its elements: weights, not the bytes that spell them.
    pub elements: usize,
    /// All bits, without what fills the last words of small matrices.
    pub bits: usize,
}

impl CommittedBits {
    /// Bits an element.
    pub fn per_element(&self) -> f64 {
        self.bits as f64 / self.elements as f64
    }
}

/// What is committed for a batch of `batch` samples at most, in the order of the proof's plan. Public inputs and
/// outputs are not. A proof commits less where no output saturates as far as it might: see [`committed_bits_of`].
///
/// Preconditions: the graph is valid, and its shapes times `batch` fit.
pub fn committed_bits(graph: &Graph, batch: usize) -> Vec<CommittedBits> {
    of_plan(graph, &Plan::new(graph, batch))
}

/// What is committed for a proof, if it is one of the model that it names.
///
/// Precondition: the shapes of the model's graph times the batch fit.
///
/// # Errors
/// [`ReachError`] where the proof declares what no proof of the model can.
pub fn committed_bits_of(proof: &Proof) -> Result<Vec<CommittedBits>, ReachError> {
    let graph = proof.commitment().graph();
    let declared = Requantized::new(graph).declared(proof.reaches())?;
    Ok(of_plan(graph, &Plan::declared(graph, proof.batch(), declared)))
}

fn of_plan(graph: &Graph, plan: &Plan) -> Vec<CommittedBits> {
    let node_of = |is: &dyn Fn(&Op) -> bool| graph.nodes.iter().position(|n| is(&n.op));
    let uses = |w: usize| move |op: &Op| matches!(op, Op::MatMul { weights, .. } if *weights == w);
    let committed = plan.matrices.iter().filter(|matrix| matrix.origin != Origin::Public);
    let of_matrix = |matrix: &crate::argument::Matrix| {
        let size = matrix.rows * matrix.cols;
        let (operand, node, elements) = match matrix.source {
            Source::Weights(w) => {
                let shape = &graph.weights[w];
                (Operand::Weights, node_of(&uses(w))?, shape.k * shape.n)
            }
            Source::Bias(w) => (Operand::Bias, node_of(&uses(w))?, size),
            Source::Tensor(t) => (Operand::Outputs, node_of(&|op: &Op| op.output() == t)?, size),
            Source::Distances(node) => (Operand::Distances, node, size),
            Source::Differences { node, .. } => (Operand::Differences, node, size),
            Source::Largest(node) => (Operand::Largest, node, size),
            Source::Behind(node) => (Operand::Behind, node, size),
            Source::Selectors(node) => (Operand::Selectors, node, size),
            Source::Known(_) => return None,
        };
        Some(CommittedBits { node, operand, elements, bits: size * matrix.bits as usize })
    };
    committed.filter_map(of_matrix).collect()
}
