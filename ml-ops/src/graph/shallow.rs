//! Deep matmuls as sums of shallow ones, for which one check in the exponent is enough.
//!
//! A check's error is the largest exponent over `2^128`, and exponents grow with the depth: from a bound on, a check is made twice,
//! and everything that depends on the weights with it. The sums of parts of the features are within the bound, so each part is
//! checked once; they are committed, a few bytes an output, and added up.

use super::{
    Epilogue, Function, Gather, GatherDim, Graph, MAX_ELEMENTS, MAX_NAME_BYTES, Model, Node, Op,
    TensorKind, TensorShape, Term, WeightMatrix, WeightShape, bound, signed_bits,
};
use crate::argument::suffices_once;

/// What a part costs for each of its sums, in look-ups: four indices, in a product of its own and twice in that of the sum.
const OF_SUM: usize = 16;

/// Weights of a part at most, if there are any parts: the leaves of a group.
const MOST_WEIGHTS: usize = 1 << 25;

/// Bytes that a part's name has more at most.
const MORE_NAME: usize = 32;

/// How a matmul is cut.
struct Cut {
    /// The map by which the whole reads its input.
    gather: Gather,
    /// The dimension of the map's columns that is cut.
    dim: usize,
    /// Its indices in each part, but perhaps the last.
    len: usize,
    /// Rows of weights for each of them.
    unit: usize,
    /// Width of a part's sums.
    bits: u32,
}

impl Model {
    /// The same network with each matmul of codes that is too deep for one check in the exponent as a sum of some that are not,
    /// where that costs less. Precondition: the model is valid.
    pub fn with_shallow_matmuls(self) -> Self {
        let Self { mut graph, weights: mut matrices } = self;
        let cuts: Vec<_> = (0..graph.nodes.len()).map(|node| cut(&graph, node)).collect();
        for (node, cut) in core::mem::take(&mut graph.nodes).into_iter().zip(cuts) {
            match cut {
                Some(cut) => cut.apply(&mut graph, &mut matrices, node),
                None => graph.nodes.push(node),
            }
        }
        Self { graph, weights: matrices }
    }
}

/// How to cut a node of a valid graph into as few parts as suffice, if it is to be cut.
fn cut(graph: &Graph, node: usize) -> Option<Cut> {
    let whole = graph.accumulator_bound(node);
    let Op::MatMul { x, gather, zero_code, weights, groups: 1, y, epilogue } =
        &graph.nodes[node].op
    else {
        return None;
    };
    let (x, y, weights) = (&graph.tensors[*x], &graph.tensors[*y], &graph.weights[*weights]);
    let stored = match (epilogue, y.kind) {
        (Epilogue::Accumulator, TensorKind::Integer { bits }) => 1i128 << (bits - 1),
        _ => 0,
    };
    if suffices_once(whole + stored) || x.kind != TensorKind::Code {
        return None;
    }
    let gather = gather.clone().unwrap_or_else(|| Gather::straight(x.rows_per_sample, x.features));
    let dim = gather.cols.iter().position(|dim| dim.size > 1)?;
    let GatherDim { size, step, .. } = gather.cols[dim];
    // Parts begin where offsets may be.
    if step.unsigned_abs().saturating_mul(size as u64) > MAX_ELEMENTS as u64 {
        return None;
    }
    let unit = weights.k / size;
    let part = |parts: usize| {
        let len = size.div_ceil(parts);
        let part = WeightShape { k: len * unit, ..weights.clone() };
        if part.k * part.columns() > MOST_WEIGHTS {
            return None;
        }
        let bound = bound(x.kind, i64::from(*zero_code), &part);
        let bits = signed_bits(i64::try_from(bound).ok()?);
        suffices_once(bound + (1 << (bits - 1))).then_some((parts, len, bits))
    };
    let (parts, len, bits) = (2..=size).find_map(part)?;
    let rows = y.rows_per_sample;
    let more = OF_SUM.saturating_mul(parts).saturating_mul(rows * weights.n);
    let again = (rows + weights.columns()).saturating_mul(weights.k);
    (more < again).then_some(Cut { gather, dim, len, unit, bits })
}

impl Cut {
    /// Adds the parts of a matmul and their sum.
    fn apply(self, graph: &mut Graph, matrices: &mut Vec<WeightMatrix>, node: Node) {
        let Node { name, op: Op::MatMul { x, zero_code, weights, y, epilogue, .. } } = node else {
            unreachable!("matmuls are cut");
        };
        let shape = graph.weights[weights].clone();
        let WeightMatrix { index, mut bias } = core::mem::take(&mut matrices[weights]);
        let kind = TensorKind::Integer { bits: self.bits };
        let sums = TensorShape { kind, ..graph.tensors[y] };
        let depth = self.len * self.unit;
        let mut terms = Vec::new();
        for (part, start) in (0..shape.k).step_by(depth).enumerate() {
            let k = depth.min(shape.k - start);
            let columns: Vec<&[u8]> =
                index.chunks(shape.k).map(|column| &column[start..start + k]).collect();
            let index = columns.concat();
            let bias_bits = if part == 0 { shape.bias_bits } else { 0 };
            let of_part = WeightShape { k, bias_bits, ..shape.clone() };
            let matrix = WeightMatrix { index, bias: core::mem::take(&mut bias) };
            // The first part takes the place of the whole.
            let id = if part == 0 { weights } else { graph.weights.len() };
            if part == 0 {
                (graph.weights[id], matrices[id]) = (of_part, matrix);
            } else {
                graph.weights.push(of_part);
                matrices.push(matrix);
            }
            graph.tensors.push(sums);
            let y = graph.tensors.len() - 1;
            graph.nodes.push(Node {
                name: with_part(&name, part),
                op: Op::MatMul {
                    x,
                    gather: Some(self.gather_from(start / self.unit, k / self.unit)),
                    zero_code,
                    weights: id,
                    groups: 1,
                    y,
                    epilogue: Epilogue::Accumulator,
                },
            });
            terms.push(Term { x: y, gather: None, taps: 1, function: Function::Times(1) });
        }
        graph.nodes.push(Node { name, op: Op::Combine { terms, y, epilogue } });
    }

    /// The map of the part from index `first` on.
    fn gather_from(&self, first: usize, len: usize) -> Gather {
        let mut gather = self.gather.clone();
        let GatherDim { size, axis, step } = &mut gather.cols[self.dim];
        *size = len;
        if let Some(axis) = *axis {
            gather.offsets[axis] += *step * first as i64;
        }
        gather
    }
}

/// A part's name, as long as names may be.
fn with_part(name: &str, part: usize) -> String {
    if name.len() + MORE_NAME > MAX_NAME_BYTES {
        return name.to_owned();
    }
    format!("{name}, part {part}")
}
