//! A graph is what the verifier holds; a model is a graph with its weights.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use super::{
    Batch, GraphError, InputError, InputPort, Node, Op, OutputPort, PortError, TensorId,
    TensorShape, Values, WeightMatrix, WeightShape, signed_bits,
};
use crate::array::Array;

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
    /// Operations in an order in which each reads what an earlier one, or an input, wrote.
    pub nodes: Vec<Node>,
    /// Where the (first) input enters.
    pub input: InputPort,
    /// Where the (first) output leaves.
    pub output: OutputPort,
    /// Where others enter, as tensors of their own.
    pub more_inputs: Vec<InputPort>,
    /// Names of all inputs where there are several, each another, or none.
    pub input_names: Vec<String>,
    /// Where others leave, of tensors of their own.
    pub more_outputs: Vec<OutputPort>,
}

impl Graph {
    /// The shape of the tensor that the first input becomes. Precondition: the graph is valid.
    #[expect(clippy::indexing_slicing, reason = "a valid graph's ports name its tensors")]
    pub fn input_shape(&self) -> &TensorShape {
        &self.tensors[self.input.tensor]
    }

    /// Where all inputs enter, in their order.
    pub fn inputs(&self) -> impl Iterator<Item = &InputPort> {
        core::iter::once(&self.input).chain(&self.more_inputs)
    }

    /// The tensors that arrays stand for, one for each input in their order, and the batch that each holds.
    /// Precondition: the graph is valid.
    ///
    /// # Errors
    /// [`InputError`] if there are more or fewer, or one is not what its port takes, or holds another batch than the first.
    pub fn encode(&self, inputs: &[Array]) -> Result<(Vec<Values>, Batch), InputError> {
        let (expected, got) = (self.inputs().count(), inputs.len());
        if expected != got {
            return Err(InputError::Count { expected, got });
        }
        let mut tensors = Vec::with_capacity(expected);
        let mut first = None;
        for (input, (port, array)) in self.inputs().zip(inputs).enumerate() {
            let failed = |error| InputError::Port { input, error };
            let tensor = port.tensor;
            let shape = self.tensors.get(tensor).ok_or(InputError::NoTensor { input, tensor })?;
            let (values, batch) = port.encode(shape, array).map_err(failed)?;
            let Batch { size: expected, .. } = *first.get_or_insert(batch);
            if first != Some(batch) {
                return Err(failed(PortError::Batch { expected, got: batch.size }));
            }
            tensors.push(values);
        }
        let batch = first.ok_or(InputError::Count { expected, got })?;
        Ok((tensors, batch))
    }

    /// Where all outputs leave, in their order.
    pub fn outputs(&self) -> impl Iterator<Item = &OutputPort> {
        core::iter::once(&self.output).chain(&self.more_outputs)
    }

    /// The tensors that are constants, with the codes of one sample.
    pub(crate) fn constants(&self) -> impl Iterator<Item = (TensorId, &[u8])> {
        self.nodes.iter().filter_map(|node| match &node.op {
            Op::Constant { codes, y } => Some((*y, codes.as_slice())),
            _ => None,
        })
    }

    /// The shape of the tensor that the first output comes from. Precondition: the graph is valid.
    #[expect(clippy::indexing_slicing, reason = "a valid graph's ports name its tensors")]
    pub fn output_shape(&self) -> &TensorShape {
        &self.tensors[self.output.tensor]
    }
}

/// A graph with its weights: what the prover holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The public part.
    pub graph: Graph,
    /// The matrices, in the order of [`Graph::weights`].
    pub weights: Vec<WeightMatrix>,
}

impl Model {
    /// Whether the graph is valid and each matrix has the size and the bias width that it says.
    ///
    /// # Errors
    /// The first [`GraphError`] found.
    pub fn validate(&self) -> Result<(), GraphError> {
        self.graph.validate()?;
        let (expected, got) = (self.graph.weights.len(), self.weights.len());
        if expected != got {
            return Err(GraphError::MatrixCount { expected, got });
        }
        for (weights, (shape, matrix)) in self.graph.weights.iter().zip(&self.weights).enumerate() {
            let biases = if shape.bias_bits == 0 { 0 } else { shape.n };
            let narrow = |&bias: &i64| signed_bits(bias) <= shape.bias_bits;
            if matrix.index.len() != shape.columns() * shape.k
                || matrix.bias.len() != biases
                || !matrix.bias.iter().all(narrow)
            {
                return Err(GraphError::Matrix { weights });
            }
        }
        Ok(())
    }
}
