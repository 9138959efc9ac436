//! An upper bound on the memory of a proof, from public shapes alone.
//!
//! It follows the prover phase by phase and counts every array that grows with the model, the batch or the
//! trace, at its largest. What does not grow, and what the allocator loses, is a flat margin and a factor.
//! Measured against resident memory in docs/protocols/matmul.md.

use binfer_iop::buffer;
use binfer_iop::product::{BoxShape, Tree};
use binfer_iop::zerocheck::n_products;
use binfer_pcs::{Params, Shape};

use super::groups::{self, Group, GroupSize};
use super::layout::{Layout, model_shape};
use super::plan::{BitCheck, Exponent, Factor, Origin, Plan, Read, Source};
use super::requantize::COLUMN_BYTES;
use super::{public, wiring};
use crate::graph::{CodeRanges, Edges, Epilogue, Graph, Node, TensorKind, WeightShape};

/// The process itself: code, stacks of threads, tables of constant size.
const FLAT: u128 = 16 << 20;
/// What memory that is freed and not given back adds, in parts of 16.
const MARGIN: u128 = 2;
/// Bytes of a field element.
const ELEMENT: u128 = 16;
/// Bytes that the one-hot stages hold for an index: an element for each bit at every 32nd position, its highest variable bound, or one nibble at a
/// quarter of them; a copy of the index, its planes.
const ONE_HOT: u128 = 8 * ELEMENT / 32 + 2;

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
        let bits = self.plan.bit_checks.iter().map(|check| self.bit_check(check)).sum();
        let others = [bits, self.opening()].map(|other| Phase { other, buffers: 0 });
        let phases: Vec<Phase> =
            groups.iter().map(|group| self.group(group)).chain(others).collect();
        let most_used = phases.iter().map(|phase| phase.buffers).max().unwrap_or(0);
        // With what earlier phases left for the next ones.
        let largest = phases
            .iter()
            .map(|phase| phase.other + phase.buffers + buffer::most_kept(most_used, phase.buffers));
        let held = self.model() + self.steps() + self.trace() + largest.max().unwrap_or(0);
        u64::try_from(FLAT + held + held * MARGIN / 16).unwrap_or(u64::MAX)
    }

    /// The model's weights and oracle; a mapped oracle's pages count as well.
    fn model(&self) -> u128 {
        let weights = |shape: &WeightShape| area(shape.k, shape.columns()) + 8 * shape.n as u128;
        let weights: u128 = self.graph.weights.iter().map(weights).sum();
        weights + binfer_pcs::oracle_bytes(self.params, self.model_shape())
    }

    /// Step functions, column by column: the edges, which the graph shares with the commitment's and with the ranges of codes, and
    /// ranges that share none.
    fn steps(&self) -> u128 {
        let of_node = |(index, node): (usize, &Node)| match node.op.epilogue() {
            None | Some(Epilogue::Accumulator) => 0,
            Some(Epilogue::Requantize(requantize)) => {
                let ranges = CodeRanges::heap_bytes(self.graph.accumulator_bound(index));
                requantize.steps.len() * (COLUMN_BYTES + ranges)
            }
            Some(Epilogue::Edges(columns)) => {
                let edges = |edges: &Edges| size_of_val(&edges.edges[..]) + COLUMN_BYTES;
                columns.iter().map(edges).sum()
            }
        };
        self.graph.nodes.iter().enumerate().map(|node| of_node(node) as u128).sum()
    }

    /// Tensors, entries that are wider than a byte, and the trace's oracle.
    fn trace(&self) -> u128 {
        let tensors = self.graph.tensors.iter().zip(&self.plan.matrices).map(|(shape, matrix)| {
            let bytes = if shape.kind == TensorKind::Code { 1 } else { 8 };
            bytes * area(matrix.rows, matrix.cols)
        });
        // Accumulators are made where distances are, besides the entries.
        let entries = self.plan.matrices.iter().map(|matrix| match matrix.source {
            Source::Distances(_) | Source::Differences { .. } | Source::Behind(_) => {
                let entry = match matrix.bits {
                    0..=32 if matches!(matrix.source, Source::Distances(_)) => 4,
                    0..=64 => 8,
                    _ => 16,
                };
                (8 + entry) * area(matrix.rows, matrix.cols)
            }
            // A copy of their values.
            Source::Known(_) => 16 * area(matrix.rows, matrix.cols),
            Source::Selectors(_) => area(matrix.rows, matrix.cols),
            _ if matrix.bits > 8 => 8 * area(matrix.rows, matrix.cols),
            _ => 0,
        });
        let oracle = binfer_pcs::oracle_bytes(self.params, self.trace_shape());
        tensors.sum::<u128>() + entries.sum::<u128>() + oracle
    }

    /// The relations of one group, in the phase that takes most.
    fn group(&self, group: &Group) -> Phase {
        let (mut rows, mut weights, mut other) = (Forest::default(), Forest::default(), 0);
        for matmul in group.matmuls(self.plan) {
            rows.add(matmul.output.products, &matmul.outer);
            rows.add(matmul.output.products, &matmul.output.factors);
            weights.add(matmul.k, &matmul.inner);
            weights.add(1, &matmul.bias);
            // `G` with its inverses, powers and claims.
            other += 8 * ELEMENT * (matmul.n_g() + matmul.output.bases) as u128;
            if let Some(exponent) = &matmul.row_factors {
                other += powers(exponent, matmul.output.products);
            }
            if let Some(input) = matmul.public_inner {
                let bits = self.plan.matrices[input].bits;
                other += public::products_bytes(bits, matmul.k) as u128;
            }
        }
        for sum in group.sums(self.plan) {
            let products = sum.output.products;
            let trees = sum.all_trees().map(|tree| &tree.factors);
            for factors in trees.chain([&sum.output.factors]) {
                rows.add(products, factors);
            }
            if sum.is_open() {
                // Both sides, and what they are bound to.
                let sides = 2 * (sum.trees.len() as u128 + 3);
                other += ELEMENT * sides * products.next_power_of_two() as u128;
            }
            for exponent in sum.powers.iter().map(|power| &power.exponent) {
                other += powers(exponent, products);
                exponent.operands.iter().for_each(|of| rows.add_claim(products, of));
            }
            other += 4 * ELEMENT * sum.output.bases as u128;
        }
        let views = group.views(self.plan);
        let views = views.local.iter().map(|view| area(view.rows, view.cols));
        let one_hot = group.factors(self.plan).map(|factor| self.view(factor)).sum::<u128>();
        let indices = rows.indices + weights.indices + views.sum::<u128>();
        let wired = group.factors(self.plan).map(|factor| self.wired(factor));
        let phases = [
            rows.trees + weights.trees,
            rows.tables + weights.trees,
            weights.tables,
            wired.sum(),
            ONE_HOT * one_hot,
        ];
        Phase { other: other + indices, buffers: phases.into_iter().max().unwrap_or(0) }
    }

    /// Elements of the views that a factor's claims are on.
    fn view(&self, factor: &Factor) -> u128 {
        let views = factor.chunks().map(|chunk| &self.plan.views[chunk.view]);
        views.map(|view| area(view.rows, view.cols)).sum()
    }

    /// Weights and a one-hot polynomial for each element that a factor's claim is on, if it is read through a map,
    /// and the map's tables; one-hot polynomials of both matrices and room to bind them where there are two.
    fn wired(&self, factor: &Factor) -> u128 {
        if let (Some(operands), Some(second)) = (factor.operands(), &factor.with) {
            let paired = 8 * ELEMENT * area(second.products, factor.cols);
            return paired + operands.iter().map(|operand| self.wired(operand)).sum::<u128>();
        }
        match &factor.read {
            Read::Straight | Read::Across => 0,
            Read::Through { gather, .. } => 2 * ELEMENT * self.view(factor) + wiring::bytes(gather),
        }
    }

    /// A check's share of the zerocheck: all planes packed, and an element for every 64th position of each factor of a
    /// product and of the linear part.
    fn bit_check(&self, check: &BitCheck) -> u128 {
        let matrices = || check.matrices.iter().map(|&matrix| &self.plan.matrices[matrix]);
        let bits = matrices().map(|m| u128::from(m.bits)).sum::<u128>();
        let elements = 2 * n_products(&check.constraints) as u128 + 1;
        let positions = matrices().next().map_or(0, |m| area(m.rows, m.cols));
        positions * bits / 8 + positions * elements * ELEMENT / 64
    }

    /// The opening, besides the oracles.
    fn opening(&self) -> u128 {
        binfer_pcs::opening_bytes(self.params, &[self.model_shape(), self.trace_shape()])
    }

    fn model_shape(&self) -> Shape {
        model_shape(self.params, self.plan)
    }

    fn trace_shape(&self) -> Shape {
        let n_words = Layout::new(self.plan, Origin::Trace).n_words;
        Shape::for_words(self.model_shape().log_row, n_words)
    }
}

/// Bytes of a part of a proof besides what all of it holds: of buffers, and others.
struct Phase {
    other: u128,
    buffers: u128,
}

/// Bytes of the trees, tables and indices of one forest.
#[derive(Default)]
struct Forest {
    trees: u128,
    tables: u128,
    indices: u128,
}

/// Powers of each product, both sides, the bits, and what claims on powers become: two elements for each bit at most,
/// padded to a power of two.
fn powers(exponent: &Exponent, products: usize) -> u128 {
    let each = 4 * exponent.bits.len() as u128 + 8;
    ELEMENT * each * products.next_power_of_two() as u128
}

impl Forest {
    /// Adds a claim on indices that are no tree's.
    fn add_claim(&mut self, rows: usize, of: &Factor) {
        self.tables += ELEMENT * 3 * (area(of.tables(), 1) << of.width());
        self.indices += area(rows, 1);
    }

    /// Adds a tree whose leaves are looked up by the indices of these factors.
    fn add(&mut self, rows: usize, of: &[Factor]) {
        let Some(first) = of.first() else { return };
        let (cols, fan_in) = (first.all_cols(), of.len());
        let made = of.iter().all(|factor| keeps_tables(rows, factor));
        let shape = BoxShape { rows, cols, fan_in };
        let entries = of.iter().map(|f| area(f.tables(), 1) << f.width()).sum::<u128>();
        let tables = if made { ELEMENT * entries } else { 0 };
        self.trees += Tree::bytes(shape, made) + tables;
        // The table, its histogram, and room for one of them to be folded into.
        self.tables += ELEMENT * (2 * entries + entries.div_ceil(2));
        // Besides the views themselves, those that are not read straight have a copy.
        let copies = |f: &Factor| match &f.with {
            Some(_) => 3,
            None => usize::from(!matches!(f.read, Read::Straight)),
        };
        let copies = of.iter().map(copies).sum::<usize>();
        self.indices += area(rows, cols) * copies as u128;
    }
}

/// Whether leaves' factors, `rows` a column, are made from their tables whenever they are needed: where they are larger than
/// the tables.
pub(crate) fn keeps_tables(rows: usize, factor: &Factor) -> bool {
    rows.saturating_mul(factor.taps) >= 2 << factor.width()
}

fn area(rows: usize, cols: usize) -> u128 {
    rows as u128 * cols as u128
}
