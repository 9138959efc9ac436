//! An upper bound on the memory of a proof, from public shapes alone.
//!
//! It follows the prover phase by phase and counts every array that grows with the model, the batch or the
//! trace, at its largest. What does not grow, and what the allocator loses, is a flat margin and a factor.
//! Measured against resident memory in docs/protocols/matmul.md.

use binfer_pcs::{Params, Shape};

use super::groups::{self, Group, GroupSize};
use super::layout::{Layout, model_shape};
use super::plan::{Factor, Map, MatMul, Origin, Plan, Source};
use crate::graph::{Graph, WeightShape};

/// The process itself: code, stacks of threads, tables of constant size.
const FLAT: u128 = 24 << 20;
/// What freed memory that the allocator keeps adds, in parts of 16.
const MARGIN: u128 = 3;
/// Bytes of a field element and of a digest.
const ELEMENT: u128 = 16;
const DIGEST: u128 = 32;
/// Bytes that the one-hot stages hold for an index: two elements, and a copy of the index.
const ONE_HOT: u128 = 2 * ELEMENT + 1;
/// Pages around one that is read from a map, which the system maps with it.
const READ_AROUND: u128 = 64 << 10;

/// How the prover holds the model's oracle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holding {
    /// Words, codeword and tree are in memory.
    Memory,
    /// They are in a mapped file: the words and some of the rest are read.
    Map,
}

/// What is proved, and how.
pub(crate) struct Costs<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) plan: &'a Plan,
    pub(crate) params: &'a Params,
    pub(crate) holding: Holding,
}

impl Costs<'_> {
    /// Most bytes of memory that the process has at any time of a proof in groups of this size.
    pub(crate) fn bytes(&self, group_size: GroupSize) -> u64 {
        let groups = groups::groups(self.plan, group_size);
        let largest = groups.iter().map(|group| self.group(group)).max().unwrap_or(0);
        let held = self.model() + self.trace() + largest.max(self.opening());
        u64::try_from(FLAT + held + held * MARGIN / 16).unwrap_or(u64::MAX)
    }

    /// The model's weights and oracle.
    fn model(&self) -> u128 {
        let weights = |shape: &WeightShape| area(shape.k, shape.columns()) + 8 * shape.n as u128;
        let weights: u128 = self.graph.weights.iter().map(weights).sum();
        let shape = self.model_shape();
        let words = ELEMENT * shape.n_words() as u128;
        let rest = self.codeword(shape);
        let read = READ_AROUND * self.params.queries() as u128 * u128::from(self.log_length() + 1);
        let oracle = match self.holding {
            Holding::Memory => words + rest,
            Holding::Map => words + rest.min(read),
        };
        weights + oracle
    }

    /// Tensors, entries that are wider than a byte, and the trace's oracle.
    fn trace(&self) -> u128 {
        let tensors = self.graph.tensors.iter().zip(&self.plan.matrices).map(|(shape, matrix)| {
            let bytes = if matches!(shape.kind, crate::graph::TensorKind::Code) { 1 } else { 8 };
            bytes * area(matrix.rows, matrix.cols)
        });
        // Accumulators are made where distances are, besides the entries.
        let entries = self.plan.matrices.iter().map(|matrix| match matrix.source {
            Source::Distances(_) => 16 * area(matrix.rows, matrix.cols),
            _ if matrix.bits > 8 => 8 * area(matrix.rows, matrix.cols),
            _ => 0,
        });
        let n_words = Layout::new(self.plan, Origin::Trace).n_words;
        let shape = Shape::for_words(self.model_shape().log_row, n_words);
        let oracle = ELEMENT * shape.n_words() as u128 + self.codeword(shape);
        tensors.sum::<u128>() + entries.sum::<u128>() + oracle
    }

    /// The relations of one group, in the phase that takes most.
    fn group(&self, group: &Group) -> u128 {
        let matmuls = &self.plan.matmuls[group.matmuls.clone()];
        let maps = &self.plan.maps[group.maps.clone()];
        let (mut rows, mut weights) = (Phase::default(), Phase::default());
        for matmul in matmuls {
            let mut own = (Phase::default(), Phase::default());
            own.0.add(matmul.products, &matmul.outer);
            own.0.add(matmul.products, &matmul.output_factors);
            own.1.add(matmul.k, &matmul.inner);
            own.1.add(1, &matmul.bias);
            // `G` with its inverses, powers and claims.
            own.1.other += 8 * ELEMENT * (matmul.n_g() + matmul.bases) as u128;
            rows.repeat(&own.0, matmul);
            weights.repeat(&own.1, matmul);
        }
        for Map { products, x, y, .. } in maps {
            for factor in [x, y] {
                rows.add(*products, core::slice::from_ref(factor));
            }
        }
        let indices = rows.indices + weights.indices;
        let other = rows.other + weights.other + indices;
        let phases = [
            rows.trees + weights.trees,
            rows.tables + weights.trees,
            weights.tables,
            ONE_HOT * indices,
        ];
        other + phases.into_iter().max().unwrap_or(0)
    }

    /// The opening: weights of all words, the rows bound once, and the folded codewords.
    fn opening(&self) -> u128 {
        let n_words = Layout::new(self.plan, Origin::Trace).n_words;
        let trace = Shape::for_words(self.model_shape().log_row, n_words);
        let rows = self.model_shape().n_rows + trace.n_rows;
        let row = ELEMENT << trace.log_row;
        let folded = Shape { log_row: trace.log_row, n_rows: 1 };
        row * (rows + rows.next_power_of_two() / 2) as u128 + 4 * row + 2 * self.codeword(folded)
    }

    fn model_shape(&self) -> Shape {
        model_shape(Layout::new(self.plan, Origin::Model).n_words)
    }

    fn log_length(&self) -> u32 {
        self.model_shape().log_row + self.params.log_inv_rate
    }

    /// A codeword, its tree and the twiddles that make it.
    fn codeword(&self, shape: Shape) -> u128 {
        let length = 1u128 << self.log_length();
        match shape.n_rows {
            0 => 0,
            n => length * (ELEMENT * n as u128 + 2 * DIGEST + ELEMENT / 2),
        }
    }
}

/// Bytes of the trees, tables and indices of one forest.
#[derive(Default)]
struct Phase {
    trees: u128,
    tables: u128,
    indices: u128,
    other: u128,
}

impl Phase {
    /// Adds a tree whose leaves are looked up by the indices of these factors.
    fn add(&mut self, rows: usize, of: &[Factor]) {
        let Some(first) = of.first() else { return };
        let (cols, fan_in) = (first.all_cols(), of.len());
        let leaves = area(rows, cols);
        let factors = leaves * fan_in as u128;
        // Factors if they are not leaves, all levels, and room for the largest to be folded into.
        let split = if fan_in > 1 { factors } else { 0 };
        self.trees += ELEMENT * (split + 2 * leaves + factors.div_ceil(2) + 2 * rows as u128);
        // The table, its histogram, and room for one of them to be folded into.
        let entries = of.iter().map(|f| area(cols, 1) << f.chunk.width()).sum::<u128>();
        self.tables += ELEMENT * (2 * entries + entries.div_ceil(2));
        // Read across, they are there twice.
        let across = if of.iter().any(|f| f.across) { 2 } else { 1 };
        self.indices += across * factors;
    }

    fn repeat(&mut self, one: &Self, matmul: &MatMul) {
        let n = matmul.repetitions as u128;
        self.trees += n * one.trees;
        self.tables += n * one.tables;
        self.indices += n * one.indices;
        self.other += n * one.other;
    }
}

fn area(rows: usize, cols: usize) -> u128 {
    rows as u128 * cols as u128
}
