//! Sizes of tensors and weights, and their alphabets.

use super::MAX_ELEMENTS;
use crate::graph::{
    Alphabet, Epilogue, Function, Gather, Graph, GraphError, Op, TensorKind, digits_per_byte,
};

impl Graph {
    pub(super) fn check_tensors(&self) -> Result<(), GraphError> {
        for (tensor, shape) in self.tensors.iter().enumerate() {
            let elements = shape.rows_per_sample.checked_mul(shape.features);
            if !elements.is_some_and(|e| (1..=MAX_ELEMENTS).contains(&e)) {
                return Err(GraphError::TensorSize {
                    tensor,
                    rows_per_sample: shape.rows_per_sample,
                    features: shape.features,
                });
            }
            if let TensorKind::Integer { bits } = shape.kind
                && !(1..=63).contains(&bits)
            {
                return Err(GraphError::IntegerWidth { tensor, bits });
            }
        }
        Ok(())
    }

    /// Whether edges, tables and gathers have no more than `most` values.
    pub(in crate::graph) fn check_entries(&self, most: usize) -> Result<(), GraphError> {
        let mut left = most;
        for (node, op) in self.nodes.iter().map(|node| &node.op).enumerate() {
            let entries = entries(op);
            left = left.checked_sub(entries).ok_or(GraphError::Entries { node })?;
        }
        Ok(())
    }

    pub(super) fn check_weights(&self) -> Result<(), GraphError> {
        for (weights, shape) in self.weights.iter().enumerate() {
            let (k, n) = (shape.k, shape.n);
            let elements = k.checked_mul(n);
            if !elements.is_some_and(|e| (1..=MAX_ELEMENTS).contains(&e)) {
                return Err(GraphError::WeightSize { weights, k, n });
            }
            let small = |v: &i32| (-255..=255).contains(v);
            let valid = match &shape.alphabet {
                Alphabet::Digits { values, per_byte } => {
                    (2..=16).contains(&values.len())
                        && values.iter().all(small)
                        && values.is_sorted_by(|a, b| a < b)
                        && *per_byte == digits_per_byte(values.len())
                }
                Alphabet::Byte { offsets } => {
                    (offsets.len() == 1 || offsets.len() == n) && offsets.iter().all(small)
                }
            };
            if !valid {
                return Err(GraphError::Alphabet { weights });
            }
            if shape.bias_bits > 62 {
                let bits = shape.bias_bits;
                return Err(GraphError::BiasWidth { weights, bits });
            }
        }
        Ok(())
    }
}

/// What a step counts at least: of each proofs hold 256 values, however short it is in bytes.
const STEP: usize = 128;

/// Values of a node's steps and tables, and fields of its gathers.
fn entries(op: &Op) -> usize {
    let of = |gather: Option<&Gather>| gather.map_or(0, Gather::fields);
    let of_gathers = match op {
        Op::MatMul { gather, .. } => of(gather.as_ref()),
        Op::Max { gather, .. } | Op::ArgMax { gather, .. } => gather.fields(),
        Op::BatchMatMul { a, b, .. } => of(a.gather.as_ref()) + of(b.gather.as_ref()),
        Op::Combine { terms, .. } => {
            terms.iter().map(|t| of(t.gather.as_ref()) + of(t.with_gather())).sum()
        }
        Op::Relu { .. } | Op::Constant { .. } => 0usize,
    };
    let of_tables = match op {
        Op::Combine { terms, .. } => {
            let is_table = |function: &Function| matches!(function, Function::Table(_));
            256 * terms.iter().filter(|term| is_table(&term.function)).count()
        }
        _ => 0,
    };
    let of_steps = match op.epilogue() {
        Some(Epilogue::Edges(steps)) => steps.iter().map(|step| step.edges.len().max(STEP)).sum(),
        Some(Epilogue::Requantize(requantize)) => STEP * requantize.steps.len(),
        Some(Epilogue::Accumulator) | None => 0,
    };
    of_gathers + of_tables + of_steps
}
