//! A graph is what the verifier holds; a model is a graph with its weights.

use super::{InputPort, Node, OutputPort, TensorShape, WeightMatrix, WeightShape};

/// The public part of a network: shapes, scales, zero points, alphabets, but no weights.
///
/// Fields are public so that a graph can be written down directly; [`validate`](Graph::validate) says
/// whether it is one. Every graph that [`from_bytes`](Graph::from_bytes) or the ONNX import gives is
/// valid, and functions that take a graph have that as their precondition.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    /// The network's name, at most 1024 bytes.
    pub name: String,
    /// Shapes of all tensors.
    pub tensors: Vec<TensorShape>,
    /// Shapes and alphabets of all weight matrices.
    pub weights: Vec<WeightShape>,
    /// Operations in an order in which each reads what an earlier one, or the input, wrote.
    pub nodes: Vec<Node>,
    /// Where the input enters.
    pub input: InputPort,
    /// Where the output leaves.
    pub output: OutputPort,
}

/// A graph with its weights: what the prover holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The public part.
    pub graph: Graph,
    /// The matrices, in the order of [`Graph::weights`].
    pub weights: Vec<WeightMatrix>,
}
