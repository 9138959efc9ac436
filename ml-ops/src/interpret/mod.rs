//! The exact integer interpreter: every tensor of a run, as the graph defines it.

mod matmul;

use crate::graph::{
    Epilogue, Graph, Model, Node, Op, Requantize, TensorId, TensorKind, TensorShape, Values,
    WeightMatrix, WeightShape,
};
use rayon::prelude::*;
use thiserror::Error;

/// All tensors of a run, in the order of [`Graph::tensors`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Their values.
    pub tensors: Vec<Values>,
    /// The accumulators of every requantizing node, `[column][row]`; none for other nodes.
    pub accumulators: Vec<Vec<i32>>,
}

/// A model could not be run on an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RunError {
    /// The input is not of the kind or size that the graph asks for.
    #[error(
        "the input has {got} elements or is of another kind, the graph asks for {expected} codes"
    )]
    Input {
        /// Elements that the batch asks for.
        expected: usize,
        /// Elements given.
        got: usize,
    },
    /// An accumulator does not fit the width that the graph gives its tensor.
    #[error("an accumulator of node {node} is {value}, which does not fit {bits} bits")]
    Overflow {
        /// The node.
        node: usize,
        /// The accumulator.
        value: i64,
        /// The width.
        bits: u32,
    },
}

/// Runs `model` on the input tensor `input` of a batch of `batch` samples.
///
/// Precondition: the model is valid.
///
/// # Errors
/// [`RunError::Input`] if `input` is not `batch` samples of the input tensor, at least one.
/// [`RunError::Overflow`] if an accumulator exceeds a width that is smaller than its bound; an
/// imported model has none.
pub fn run(model: &Model, input: &Values, batch: usize) -> Result<Trace, RunError> {
    let graph = &model.graph;
    let shape = &graph.tensors[graph.input.tensor];
    let expected = batch.max(1).saturating_mul(shape.per_sample());
    if input.len() != expected || input.as_codes().is_none() {
        let got = input.len();
        return Err(RunError::Input { expected, got });
    }
    let mut tensors = vec![Values::Codes(Vec::new()); graph.tensors.len()];
    let mut accumulators = vec![Vec::new(); graph.nodes.len()];
    tensors[graph.input.tensor] = input.clone();
    for (index, node) in graph.nodes.iter().enumerate() {
        let y = evaluate(model, index, node, &tensors, &mut accumulators[index], batch)?;
        tensors[node.op.output()] = y;
    }
    Ok(Trace { tensors, accumulators })
}

fn evaluate(
    model: &Model,
    index: usize,
    node: &Node,
    tensors: &[Values],
    accumulators: &mut Vec<i32>,
    batch: usize,
) -> Result<Values, RunError> {
    match &node.op {
        Op::MatMul { x, zero_code, weights, y, epilogue, .. } => {
            let operands = MatMul {
                x: &tensors[*x],
                zero_code: *zero_code,
                rows: rows(&model.graph, *x, batch),
                shape: &model.graph.weights[*weights],
                matrix: &model.weights[*weights],
                bound: model.graph.accumulator_bound(index),
            };
            match epilogue {
                Epilogue::Requantize(requantize) => {
                    // A valid graph bounds those of requantizing nodes by 2^31.
                    *accumulators = operands.map_columns(|_, acc| acc as i32);
                    Ok(Values::Codes(codes_of(requantize, accumulators, operands.rows)))
                }
                Epilogue::Edges(_) => Err(RunError::Input { expected: 0, got: 0 }),
                Epilogue::Accumulator => {
                    let accumulators = operands.accumulators();
                    check_width(index, &model.graph.tensors[*y], &accumulators)?;
                    Ok(Values::Integers(accumulators))
                }
            }
        }
        Op::Relu { x, .. } => {
            Ok(Values::Integers(integers(&tensors[*x]).iter().map(|&v| v.max(0)).collect()))
        }
        Op::Combine { .. } | Op::Max { .. } => Err(RunError::Input { expected: 0, got: 0 }),
    }
}

/// The codes of accumulators `[column][row]`.
fn codes_of(requantize: &Requantize, accumulators: &[i32], rows: usize) -> Vec<u8> {
    let mut codes = vec![0; accumulators.len()];
    codes.par_chunks_mut(rows).zip(accumulators.par_chunks(rows)).enumerate().for_each(
        |(column, (codes, accumulators))| {
            let step = requantize.step(column);
            for (code, &acc) in codes.iter_mut().zip(accumulators) {
                *code = step.code(acc.into());
            }
        },
    );
    codes
}

/// The trace that has these tensors, whether or not they are those of a run.
#[cfg(test)]
pub(crate) fn trace_of(model: &Model, tensors: Vec<Values>, batch: usize) -> Trace {
    let of_node = |index: usize| match &model.graph.nodes[index].op {
        Op::MatMul { epilogue: Epilogue::Requantize(_), .. } => {
            accumulators(model, index, &tensors, batch).iter().map(|&acc| acc as i32).collect()
        }
        _ => Vec::new(),
    };
    let accumulators = (0..model.graph.nodes.len()).map(of_node).collect();
    Trace { tensors, accumulators }
}

/// The accumulators of node `index`, a matmul, over the tensors of a run: `[column][row]`; none for
/// other nodes.
#[cfg(test)]
pub(crate) fn accumulators(
    model: &Model,
    index: usize,
    tensors: &[Values],
    batch: usize,
) -> Vec<i64> {
    let Op::MatMul { x, zero_code, weights, .. } = &model.graph.nodes[index].op else {
        return Vec::new();
    };
    MatMul {
        x: &tensors[*x],
        zero_code: *zero_code,
        rows: rows(&model.graph, *x, batch),
        shape: &model.graph.weights[*weights],
        matrix: &model.weights[*weights],
        bound: model.graph.accumulator_bound(index),
    }
    .accumulators()
}

/// The operands of one matmul.
struct MatMul<'a> {
    x: &'a Values,
    zero_code: u8,
    rows: usize,
    shape: &'a WeightShape,
    matrix: &'a WeightMatrix,
    /// Bound on the size of the accumulators.
    bound: i128,
}

fn rows(graph: &Graph, tensor: TensorId, batch: usize) -> usize {
    batch * graph.tensors[tensor].rows_per_sample
}

fn check_width(node: usize, shape: &TensorShape, values: &[i64]) -> Result<(), RunError> {
    let TensorKind::Integer { bits } = shape.kind else {
        return Ok(());
    };
    let (low, high) = shape.kind.range();
    match values.iter().find(|v| !(low..=high).contains(v)) {
        Some(&value) => Err(RunError::Overflow { node, value, bits }),
        None => Ok(()),
    }
}

fn codes(values: &Values) -> &[u8] {
    values.as_codes().unwrap_or(&[])
}

fn integers(values: &Values) -> &[i64] {
    values.as_integers().unwrap_or(&[])
}
