//! The exact integer interpreter: every tensor of a run, as the graph defines it.

mod argmax;
mod batch;
mod combine;
mod factors;
mod gathered;
mod matmul;
mod max;
mod operand;
mod sparse;

use crate::graph::{
    Epilogue, Gather, Graph, Model, Node, Op, TensorId, TensorKind, TensorShape, Values,
    WeightMatrix, WeightShape,
};
use argmax::argmax;
use rayon::prelude::*;
use thiserror::Error;

/// All tensors of a run, in the order of [`Graph::tensors`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Their values.
    pub tensors: Vec<Values>,
    /// The accumulators of every matmul and sum that steps take to codes, `[column][row]`; none for other nodes.
    pub accumulators: Vec<Vec<i64>>,
}

/// A model could not be run on an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RunError {
    /// There are more or fewer input tensors than the graph has.
    #[error("{got} input tensors of a graph that has {expected}")]
    InputCount {
        /// How many the graph has.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// An input is not of the kind or size that the graph asks for.
    #[error(
        "input {input} has {got} elements or is of another kind, the graph asks for {expected}"
    )]
    Input {
        /// Its number, from 0 on.
        input: usize,
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

/// Runs `model` on the input tensor `input` of a batch of `batch` samples, or on all of a model that has several.
///
/// Precondition: the model is valid.
///
/// # Errors
/// [`RunError::Input`] if one is not `batch` samples of its tensor, at least one.
/// [`RunError::InputCount`] if there are more or fewer than the model has.
/// [`RunError::Overflow`] if an accumulator exceeds a width that is smaller than its bound; an
/// imported model has none.
pub fn run(
    model: &Model,
    input: &(impl AsRef<[Values]> + ?Sized),
    batch: usize,
) -> Result<Trace, RunError> {
    run_on(model, input.as_ref(), batch)
}

fn run_on(model: &Model, inputs: &[Values], batch: usize) -> Result<Trace, RunError> {
    let graph = &model.graph;
    let (expected, got) = (graph.inputs().count(), inputs.len());
    if expected != got {
        return Err(RunError::InputCount { expected, got });
    }
    let mut tensors = vec![Values::Codes(Vec::new()); graph.tensors.len()];
    for (number, (port, input)) in graph.inputs().zip(inputs).enumerate() {
        let shape = &graph.tensors[port.tensor];
        let expected = batch.max(1).saturating_mul(shape.per_sample());
        let is_of_kind = match input {
            Values::Codes(_) => shape.kind == TensorKind::Code,
            Values::Integers(integers) => {
                shape.kind != TensorKind::Code && shape.kind.holds(integers)
            }
        };
        if input.len() != expected || !is_of_kind {
            let got = input.len();
            return Err(RunError::Input { input: number, expected, got });
        }
        tensors[port.tensor] = input.clone();
    }
    let mut accumulators = vec![Vec::new(); graph.nodes.len()];
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
    accumulators: &mut Vec<i64>,
    batch: usize,
) -> Result<Values, RunError> {
    let graph = &model.graph;
    let y = node.op.output();
    let columns = graph.tensors[y].features;
    match &node.op {
        Op::MatMul { epilogue, .. } => {
            let Some(operands) = MatMul::new(model, index, tensors, batch) else {
                return Ok(Values::Codes(Vec::new()));
            };
            match epilogue {
                Epilogue::Requantize(_) | Epilogue::Edges(_) => {
                    *accumulators = operands.accumulators();
                    Ok(Values::Codes(combine::codes_of(
                        epilogue,
                        accumulators,
                        operands.rows,
                        operands.bound,
                    )))
                }
                Epilogue::Accumulator => {
                    let accumulators = operands.accumulators();
                    check_width(index, &graph.tensors[y], &accumulators)?;
                    Ok(Values::Integers(accumulators))
                }
            }
        }
        Op::BatchMatMul { epilogue, .. } => {
            let sums = batch::accumulators(graph, index, tensors, batch);
            if graph.tensors[y].kind != TensorKind::Code {
                check_width(index, &graph.tensors[y], &sums)?;
                return Ok(Values::Integers(sums));
            }
            *accumulators = sums;
            let (rows, bound) = (rows(graph, y, batch), graph.accumulator_bound(index));
            Ok(Values::Codes(combine::codes_of(epilogue, accumulators, rows, bound)))
        }
        Op::Combine { terms, epilogue, .. } => {
            let rows = rows(graph, y, batch);
            let sums = combine::sums(terms, tensors, columns, rows);
            if graph.tensors[y].kind != TensorKind::Code {
                check_width(index, &graph.tensors[y], &sums)?;
                return Ok(Values::Integers(sums));
            }
            let codes = combine::codes_of(epilogue, &sums, rows, graph.accumulator_bound(index));
            if !matches!(epilogue, Epilogue::Accumulator) {
                *accumulators = sums;
            }
            Ok(Values::Codes(codes))
        }
        Op::Max { x, gather, taps, .. } => {
            Ok(Values::Codes(max::max(gather, *taps, codes(&tensors[*x]), columns)))
        }
        Op::ArgMax { x, gather, taps, last, .. } => {
            let largest = argmax((gather, *taps, *last), &tensors[*x], columns);
            Ok(Values::Integers(largest.into_iter().map(|(_, index)| index).collect()))
        }
        Op::Constant { codes, .. } => {
            let rows = graph.tensors[y].rows_per_sample;
            Ok(Values::repeated(codes, rows, batch))
        }
        Op::Relu { x, .. } => {
            Ok(Values::Integers(integers(&tensors[*x]).par_iter().map(|&v| v.max(0)).collect()))
        }
    }
}

/// Runs the nodes from `first` on, on the tensors that are there.
#[cfg(test)]
pub(crate) fn run_from(model: &Model, first: usize, tensors: &mut [Values], batch: usize) {
    for (index, node) in model.graph.nodes.iter().enumerate().skip(first) {
        let y = evaluate(model, index, node, tensors, &mut Vec::new(), batch);
        tensors[node.op.output()] = y.expect("a run within its widths");
    }
}

/// The trace that has these tensors, whether or not they are those of a run.
#[cfg(test)]
pub(crate) fn trace_of(model: &Model, tensors: Vec<Values>, batch: usize) -> Trace {
    let of_node = |index: usize| match &model.graph.nodes[index].op {
        Op::MatMul { epilogue: Epilogue::Requantize(_) | Epilogue::Edges(_), .. }
        | Op::BatchMatMul { epilogue: Epilogue::Requantize(_) | Epilogue::Edges(_), .. }
        | Op::Combine { epilogue: Epilogue::Requantize(_) | Epilogue::Edges(_), .. } => {
            accumulators(model, index, &tensors, batch)
        }
        _ => Vec::new(),
    };
    let accumulators = (0..model.graph.nodes.len()).map(of_node).collect();
    Trace { tensors, accumulators }
}

/// The accumulators of node `index`, a matmul or a sum, over the tensors of a run: `[column][row]`; none for
/// other nodes.
#[cfg(test)]
pub(crate) fn accumulators(
    model: &Model,
    index: usize,
    tensors: &[Values],
    batch: usize,
) -> Vec<i64> {
    match &model.graph.nodes[index].op {
        Op::BatchMatMul { .. } => batch::accumulators(&model.graph, index, tensors, batch),
        Op::Combine { terms, y, .. } => {
            let columns = model.graph.tensors[*y].features;
            combine::sums(terms, tensors, columns, rows(&model.graph, *y, batch))
        }
        _ => MatMul::new(model, index, tensors, batch)
            .map_or_else(Vec::new, |operands| operands.accumulators()),
    }
}

/// The operands of one matmul.
struct MatMul<'a> {
    x: &'a Values,
    gather: Option<&'a Gather>,
    zero_code: u8,
    groups: usize,
    /// Rows of the outputs, of all samples.
    rows: usize,
    shape: &'a WeightShape,
    matrix: &'a WeightMatrix,
    /// Bound on the size of the accumulators.
    bound: i128,
}

impl<'a> MatMul<'a> {
    /// Those of node `index`, if it is a matmul.
    fn new(model: &'a Model, index: usize, tensors: &'a [Values], batch: usize) -> Option<Self> {
        let Op::MatMul { x, gather, zero_code, weights, groups, y, .. } =
            &model.graph.nodes[index].op
        else {
            return None;
        };
        Some(Self {
            x: &tensors[*x],
            gather: gather.as_ref(),
            zero_code: *zero_code,
            groups: *groups,
            rows: rows(&model.graph, *y, batch),
            shape: &model.graph.weights[*weights],
            matrix: &model.weights[*weights],
            bound: model.graph.accumulator_bound(index),
        })
    }
}

fn rows(graph: &Graph, tensor: TensorId, batch: usize) -> usize {
    batch * graph.tensors[tensor].rows_per_sample
}

fn check_width(node: usize, shape: &TensorShape, values: &[i64]) -> Result<(), RunError> {
    let TensorKind::Integer { bits } = shape.kind else {
        return Ok(());
    };
    if shape.kind.holds(values) {
        return Ok(());
    }
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
