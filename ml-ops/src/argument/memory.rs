//! An upper bound on the memory of a proof, from public shapes alone.
//!
//! It follows the prover phase by phase and counts every array that grows with the model, the batch or the
//! trace, at its largest. What does not grow, and what the allocator loses, is a flat margin and a factor.
//! Measured against resident memory in docs/protocols/matmul.md.

use binfer_iop::product::{BoxShape, Tree};
use binfer_pcs::{Params, Shape};

use super::groups::{self, Group, GroupSize};
use super::layout::{Layout, model_shape};
use super::plan::{Factor, Map, Origin, Plan, Relu, Source};
use super::public;
use crate::graph::{Graph, TensorKind, WeightShape};

/// The process itself: code, stacks of threads, tables of constant size.
const FLAT: u128 = 16 << 20;
/// What memory that is freed and not given back adds, in parts of 16.
const MARGIN: u128 = 2;
/// Bytes of a field element.
const ELEMENT: u128 = 16;
/// Bytes that the one-hot stages hold for an index: two nibbles at a quarter of the positions, a copy
/// of the index, its planes.
const ONE_HOT: u128 = 2 * ELEMENT / 4 + 2;

/// What is proved, and how.
pub(crate) struct Costs<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) plan: &'a Plan,
    pub(crate) params: &'a Params,
}

impl Costs<'_> {
    /// Most bytes of memory that the process has at any time of a proof in groups of this size.
    pub(crate) fn bytes(&self, group_size: GroupSize) -> u64 {
        let groups = groups::groups(self.plan, group_size);
        let phases = groups.iter().map(|group| self.group(group)).chain([self.opening()]);
        let largest = phases.chain(self.plan.relus.iter().map(|relu| self.relu(relu))).max();
        let held = self.model() + self.trace() + largest.unwrap_or(0);
        u64::try_from(FLAT + held + held * MARGIN / 16).unwrap_or(u64::MAX)
    }

    /// The model's weights and oracle; a mapped oracle's pages count as well.
    fn model(&self) -> u128 {
        let weights = |shape: &WeightShape| area(shape.k, shape.columns()) + 8 * shape.n as u128;
        let weights: u128 = self.graph.weights.iter().map(weights).sum();
        weights + binfer_pcs::oracle_bytes(self.params, self.model_shape())
    }

    /// Tensors, entries that are wider than a byte, and the trace's oracle.
    fn trace(&self) -> u128 {
        let tensors = self.graph.tensors.iter().zip(&self.plan.matrices).map(|(shape, matrix)| {
            let bytes = if shape.kind == TensorKind::Code { 1 } else { 8 };
            bytes * area(matrix.rows, matrix.cols)
        });
        // Accumulators are made where distances are, besides the entries.
        let entries = self.plan.matrices.iter().map(|matrix| match matrix.source {
            Source::Distances(_) => 16 * area(matrix.rows, matrix.cols),
            _ if matrix.bits > 8 => 8 * area(matrix.rows, matrix.cols),
            _ => 0,
        });
        let oracle = binfer_pcs::oracle_bytes(self.params, self.trace_shape());
        tensors.sum::<u128>() + entries.sum::<u128>() + oracle
    }

    /// The relations of one group, in the phase that takes most.
    fn group(&self, group: &Group) -> u128 {
        let maps = &self.plan.maps[group.maps.clone()];
        let (mut rows, mut weights, mut other) = (Phase::default(), Phase::default(), 0);
        for matmul in group.matmuls(self.plan) {
            rows.add(matmul.products, &matmul.outer);
            rows.add(matmul.products, &matmul.output_factors);
            weights.add(matmul.k, &matmul.inner);
            weights.add(1, &matmul.bias);
            // `G` with its inverses, powers and claims.
            other += 8 * ELEMENT * (matmul.n_g() + matmul.bases) as u128;
            if let Some(input) = matmul.public_inner {
                let bits = self.plan.matrices[input].bits;
                other += public::products_bytes(bits, matmul.k) as u128;
            }
        }
        for Map { products, x, y, .. } in maps {
            for factor in [x, y] {
                rows.add(*products, core::slice::from_ref(factor));
            }
        }
        let indices = rows.indices + weights.indices;
        let phases = [
            rows.trees + weights.trees,
            rows.tables + weights.trees,
            weights.tables,
            ONE_HOT * indices,
        ];
        other + indices + phases.into_iter().max().unwrap_or(0)
    }

    /// A zerocheck: all planes packed, and bound to field elements once every 64th of them is one.
    fn relu(&self, relu: &Relu) -> u128 {
        let [x, y] = [relu.x, relu.y].map(|matrix| &self.plan.matrices[matrix]);
        area(x.rows, x.cols) * u128::from(x.bits + y.bits) / 2
    }

    /// The opening, besides the oracles.
    fn opening(&self) -> u128 {
        binfer_pcs::opening_bytes(self.params, &[self.model_shape(), self.trace_shape()])
    }

    fn model_shape(&self) -> Shape {
        model_shape(Layout::new(self.plan, Origin::Model).n_words)
    }

    fn trace_shape(&self) -> Shape {
        let n_words = Layout::new(self.plan, Origin::Trace).n_words;
        Shape::for_words(self.model_shape().log_row, n_words)
    }
}

/// Bytes of the trees, tables and indices of one forest.
#[derive(Default)]
struct Phase {
    trees: u128,
    tables: u128,
    indices: u128,
}

impl Phase {
    /// Adds a tree whose leaves are looked up by the indices of these factors.
    fn add(&mut self, rows: usize, of: &[Factor]) {
        let Some(first) = of.first() else { return };
        let (cols, fan_in) = (first.all_cols(), of.len());
        let width = first.chunk.width();
        let made = fan_in == 1 && keeps_tables(rows, width);
        let shape = BoxShape { rows, cols, fan_in };
        let tables = if made { (ELEMENT * cols as u128) << width } else { 0 };
        self.trees += Tree::bytes(shape, made) + tables;
        // The table, its histogram, and room for one of them to be folded into.
        let entries = of.iter().map(|f| area(cols, 1) << f.chunk.width()).sum::<u128>();
        self.tables += ELEMENT * (2 * entries + entries.div_ceil(2));
        // Read across, they are there twice.
        let across = if of.iter().any(|f| f.across) { 2 } else { 1 };
        self.indices += across * area(rows, cols) * fan_in as u128;
    }
}

/// Whether a tree's leaves are made from their tables whenever they are needed: where `rows` of them are
/// larger than a table of indices of `width` bits.
pub(crate) fn keeps_tables(rows: usize, width: usize) -> bool {
    rows >= 2 << width
}

fn area(rows: usize, cols: usize) -> u128 {
    rows as u128 * cols as u128
}
