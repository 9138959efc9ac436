//! The side of a check's outputs, and along which axis the check is made.

use std::sync::Arc;

use super::{Chunk, Factor, Matrix, Origin, Plan, Source, cheapest, index_cost};
use crate::argument::requantize::Thresholds;

/// What of the outputs has a base of the check of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Axis {
    /// Each column: a product is one of a row.
    Columns,
    /// Each row: a product is one of a column.
    Rows,
}

/// What the outputs are.
#[derive(Clone)]
pub(crate) enum Outputs {
    /// Sums themselves, stored plus an offset.
    Integers { offset: i128 },
    /// Codes with distances.
    Codes { thresholds: Arc<Thresholds> },
}

impl Outputs {
    /// Bound on the exponents that sums of size at most `bound` and any committed bits leave over.
    fn exponent_bound(&self, bound: i128, y_bits: u32) -> i128 {
        match self {
            // What the committed bits stand for is within this of zero.
            Self::Integers { offset } => {
                bound.saturating_add((*offset).max((1i128 << y_bits) - offset))
            }
            // Of indices as wide as they are: the narrower, the more have bits of `e`.
            Self::Codes { thresholds } => thresholds.exponent_bound(bound),
        }
    }
}

/// The outputs of one check in the exponent: `prod h^output` for every product.
#[derive(Clone)]
pub(crate) struct Output {
    /// The node, whose distances the prover finds by it.
    #[cfg_attr(not(feature = "prover"), expect(dead_code, reason = "verifiers have no distances"))]
    pub(crate) node: usize,
    pub(crate) axis: Axis,
    /// Products of the check: rows of the outputs, or columns.
    pub(crate) products: usize,
    /// Bases of the check: columns of the outputs, or rows.
    pub(crate) bases: usize,
    pub(crate) outputs: Outputs,
    /// The sums, or codes and then distances; none where the verifier computes their products.
    pub(crate) factors: Vec<Factor>,
    /// The matrix of sums that the verifier holds, and whose products it computes itself.
    pub(crate) public: Option<usize>,
    /// The first row of the outputs that the check is of, where it is of some rows alone, as many as products.
    pub(crate) first_row: usize,
    /// Bound on the exponents that a false product leaves over.
    pub(crate) exponent_bound: i128,
    /// Independent repetitions of the check.
    pub(crate) repetitions: usize,
}

/// Bits of soundness that a check in the exponent should have on its own: with the default parameters'
/// queries the whole then has 100.
const CHECK_BITS: f64 = 100.4;

/// Independent repetitions that bring `(bound / (2^128 - 1))^repetitions` below `2^-100.4`. Precondition: the bound, which
/// a valid graph keeps below `2^124`, is none that arithmetic was cut off at.
fn repetitions(bound: i128) -> usize {
    debug_assert!(bound < 1 << 126);
    let bits = 128.0 - (bound.max(1) as f64).log2();
    (CHECK_BITS / bits.max(1.0)).ceil() as usize
}

/// Whether one check of exponents up to this bound has the soundness that a check should have.
#[cfg(feature = "prover")]
pub(crate) fn suffices_once(bound: i128) -> bool {
    repetitions(bound) == 1
}

/// Outputs before an axis is chosen.
pub(super) struct Unaligned {
    pub(super) node: usize,
    /// The tensor.
    pub(super) y: usize,
    pub(super) outputs: Outputs,
    /// Bound on the size of the sums.
    bound: i128,
    y_bits: u32,
    /// Sums that the verifier holds.
    is_public: bool,
}

impl Unaligned {
    /// Whether the outputs allow one base a row: one step function for all columns.
    pub(super) fn allows_rows(&self) -> bool {
        match &self.outputs {
            Outputs::Integers { .. } => true,
            Outputs::Codes { thresholds } => thresholds.are_shared(),
        }
    }

    /// What the outputs cost a base, each with so many look-ups.
    pub(super) fn cost(&self, lookups: usize) -> usize {
        match &self.outputs {
            Outputs::Integers { .. } if self.is_public => 0,
            Outputs::Integers { .. } => cheapest(self.y_bits, lookups).1,
            Outputs::Codes { thresholds } => {
                cheapest_distance(thresholds, lookups).1.saturating_add(256)
            }
        }
    }
}

impl Plan {
    /// The outputs of a node whose sums are of size at most `bound`.
    pub(super) fn outputs(&self, node: usize, y: usize, bound: i128) -> Unaligned {
        let Matrix { bits: y_bits, offset, origin, .. } = self.matrices[y];
        let outputs = match self.declared.thresholds(node) {
            Some(thresholds) => Outputs::Codes { thresholds: thresholds.clone() },
            None => Outputs::Integers { offset },
        };
        let is_sums = matches!(outputs, Outputs::Integers { .. });
        let is_public = is_sums && origin == Origin::Public;
        Unaligned { node, y, outputs, bound, y_bits, is_public }
    }

    /// Those outputs along an axis.
    pub(super) fn align(&mut self, unaligned: Unaligned, axis: Axis) -> Output {
        let Unaligned { node, y, outputs, bound, y_bits, is_public } = unaligned;
        let Matrix { rows, cols, .. } = self.matrices[y];
        let (products, bases) = match axis {
            Axis::Columns => (rows, cols),
            Axis::Rows => (cols, rows),
        };
        let outputs = match outputs {
            Outputs::Codes { thresholds } => {
                let (width, _) = cheapest_distance(&thresholds, products);
                Outputs::Codes { thresholds: Arc::new(thresholds.in_indices(width)) }
            }
            outputs => outputs,
        };
        let exponent_bound = outputs.exponent_bound(bound, y_bits);
        let chunks = match &outputs {
            Outputs::Integers { .. } if is_public => Vec::new(),
            Outputs::Integers { .. } => self.split(y, 0..y_bits, products),
            Outputs::Codes { thresholds } => {
                let mut chunks = vec![self.chunk(y, 0, 8)];
                chunks.extend(self.add_distances(node, thresholds, (rows, cols)));
                chunks
            }
        };
        let across = axis == Axis::Rows;
        let factor = |chunk| Factor::plain(chunk, across, bases);
        let factors = chunks.into_iter().map(factor).collect();
        let repetitions = repetitions(exponent_bound);
        let public = is_public.then_some(y);
        Output {
            node,
            axis,
            products,
            bases,
            outputs,
            factors,
            public,
            first_row: 0,
            exponent_bound,
            repetitions,
        }
    }

    /// The matrix of a node's distances, split.
    fn add_distances(
        &mut self,
        node: usize,
        thresholds: &Thresholds,
        (rows, cols): (usize, usize),
    ) -> Vec<Chunk> {
        let bits = thresholds.distance_bits();
        let matrix = self.add(Matrix {
            source: Source::Distances(node),
            origin: Origin::Trace,
            rows,
            cols,
            bits,
            offset: 0,
            first_plane: None,
        });
        let width = thresholds.width();
        let starts = (0..bits).step_by(width as usize);
        starts.map(|first| self.chunk(matrix, first, width.min(bits - first))).collect()
    }
}

/// The width of index in which to split distances, and what a column then costs.
fn cheapest_distance(thresholds: &Thresholds, lookups: usize) -> (u32, usize) {
    let cost = |width: u32| {
        let chunks = thresholds.in_indices(width).distance_bits().div_ceil(width);
        index_cost(width, chunks as usize, lookups)
    };
    (1..=8).map(|width| (width, cost(width))).min_by_key(|&(_, cost)| cost).unwrap_or((8, 0))
}
