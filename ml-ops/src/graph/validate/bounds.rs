//! Bounds on accumulators and sums, from ranges, and the number of multiplications.

use super::batch::largest_factor;
use crate::graph::{
    Alphabet, Function, Graph, InputPort, InputTransform, Op, TensorId, TensorKind, Term,
    WeightShape,
};

impl Graph {
    /// Bound on the size of every accumulator of node `node`, from public data alone. Of a matmul: the row count of
    /// its weights (one where its input's rows are a 1 among zeros), the ranges of its input and of its alphabet, and
    /// the width of its biases. Of a sum: the
    /// functions' ranges. 0 for any other node. Precondition: the graph is valid.
    pub fn accumulator_bound(&self, node: usize) -> i128 {
        match &self.nodes[node].op {
            Op::MatMul { x, gather, zero_code, weights, .. } => {
                let weights = &self.weights[*weights];
                if self.is_one_hot(*x) && gather.is_none() && *zero_code == 0 {
                    return sum_bound(1, 1, weights);
                }
                bound(self.tensors[*x].kind, i64::from(*zero_code), weights)
            }
            Op::Combine { terms, .. } => {
                let (low, high) = self.sum_range(terms);
                high.max(low.saturating_neg()).max(0)
            }
            Op::BatchMatMul { a, b, heads, row_factors, .. } => {
                let factor = largest_factor(row_factors.as_deref());
                self.product_bound(a, b, self.depth(a, *heads), factor)
            }
            Op::Relu { .. } | Op::Max { .. } | Op::ArgMax { .. } | Op::Constant { .. } => 0,
        }
    }

    /// Whether rows of a tensor are a 1 among zeros, which its port sees to.
    fn is_one_hot(&self, tensor: TensorId) -> bool {
        let one_hot = |port: &InputPort| matches!(port.transform, InputTransform::OneHot { .. });
        self.inputs().any(|port| port.tensor == tensor && one_hot(port))
    }

    /// Multiply-accumulates that one sample of the batch takes; of a table that an input's
    /// numbers look rows up in, the elements that are read. Precondition: the graph is valid.
    pub fn macs_per_sample(&self) -> u64 {
        self.nodes
            .iter()
            .map(|node| match &node.op {
                Op::MatMul { x, gather, weights, y, .. } => {
                    let shape = &self.weights[*weights];
                    let rows = self.tensors[*y].rows_per_sample as u64;
                    let is_looked_up = self.is_one_hot(*x) && gather.is_none();
                    let k = if is_looked_up { 1 } else { shape.k };
                    rows.saturating_mul((k * shape.n) as u64)
                }
                Op::BatchMatMul { a, heads, y, .. } => {
                    let outputs = self.tensors[*y].per_sample() as u64;
                    outputs.saturating_mul(self.depth(a, *heads) as u64)
                }
                Op::Relu { .. }
                | Op::Combine { .. }
                | Op::Max { .. }
                | Op::ArgMax { .. }
                | Op::Constant { .. } => 0,
            })
            .fold(0, u64::saturating_add)
    }

    /// Inclusive range of a sum of terms, whatever they read.
    pub(super) fn sum_range(&self, terms: &[Term]) -> (i128, i128) {
        terms.iter().fold((0, 0), |(low, high): (i128, i128), term| {
            let (mut least, mut most) = self.term_range(term);
            if term.has_holes() {
                (least, most) = (least.min(0), most.max(0));
            }
            (low.saturating_add(least), high.saturating_add(most))
        })
    }

    /// Inclusive range of what a term adds where all of its taps read an element.
    pub(super) fn term_range(&self, term: &Term) -> (i128, i128) {
        let (low, high) = match &term.function {
            Function::Table(table) => {
                let ends = table.iter().fold((i64::MAX, i64::MIN), |(low, high), &image| {
                    (low.min(image), high.max(image))
                });
                (i128::from(ends.0), i128::from(ends.1))
            }
            Function::Times(factor) => {
                let (low, high) = self.tensors[term.x].kind.range();
                let ends = [low, high].map(|end| i128::from(end) * i128::from(*factor));
                (ends[0].min(ends[1]), ends[0].max(ends[1]))
            }
            Function::Product { zeros, factor, .. } => {
                let [a, b] = zeros.map(|zero| [-i128::from(zero), 255 - i128::from(zero)]);
                let of = |a: i128| b.map(|b| i128::from(*factor) * a * b);
                let ends = [of(a[0]), of(a[1])].concat();
                let bound = |better: fn(i128, i128) -> i128| ends.iter().copied().reduce(better);
                (bound(i128::min).unwrap_or(0), bound(i128::max).unwrap_or(0))
            }
        };
        let taps = term.taps as i128;
        (low.saturating_mul(taps), high.saturating_mul(taps))
    }
}

impl Term {
    /// Whether positions outside the source add nothing: in a product, where they stand for zero, they add what is
    /// within its range.
    pub(super) fn has_holes(&self) -> bool {
        let is_product = matches!(self.function, Function::Product { .. });
        !is_product && self.gather.as_ref().is_some_and(|gather| gather.pad.is_none())
    }
}

/// `max_j |sum_k x_k W_kj + bias_j|` over the ranges that operands have.
pub(crate) fn bound(x: TensorKind, zero_code: i64, weights: &WeightShape) -> i128 {
    let (low, high) = x.range();
    let operand = i128::from(low - zero_code).abs().max(i128::from(high - zero_code).abs());
    sum_bound(weights.k as i128, operand, weights)
}

/// The same for sums of `terms` operands that are not zero, of at most `operand` in size.
fn sum_bound(terms: i128, operand: i128, weights: &WeightShape) -> i128 {
    let widest = |(low, high): (i32, i32)| low.unsigned_abs().max(high.unsigned_abs());
    let weight = match &weights.alphabet {
        Alphabet::Digits { .. } => widest(weights.alphabet.range(0)),
        Alphabet::Byte { offsets } => {
            (0..offsets.len()).map(|j| widest(weights.alphabet.range(j))).max().unwrap_or(0)
        }
    };
    let bias = match weights.bias_bits {
        0 => 0,
        bits => 1i128 << (bits - 1),
    };
    terms * operand * i128::from(weight) + bias
}
