//! Where each tile of each committed plane lies among an oracle's words.

use binfer_iop::indexed::tiles;
use binfer_pcs::{Shape, log_row_for};

use super::plan::{Origin, Plan};
use crate::graph::Graph;

/// Random words committed beside the weights, so that equal weights do not give equal roots.
pub(crate) const SALT_WORDS: usize = 2;

/// The shape of the oracle of a graph's weights.
///
/// The trace has rows of the same length, which therefore fits the larger of the two, that of one sample.
pub(crate) fn model_shape(graph: &Graph) -> Shape {
    let plan = Plan::new(graph, 1);
    let [weights, trace] =
        [Origin::Model, Origin::Trace].map(|origin| Layout::new(&plan, origin).n_words);
    let n_words = weights + SALT_WORDS;
    Shape::for_words(log_row_for(n_words.max(trace)), n_words)
}

/// Offsets in words, by matrix (empty for those held elsewhere), bit and tile.
///
/// Tiles are placed largest first, so each lies at a multiple of its size and nothing is lost between.
pub(crate) struct Layout {
    pub(crate) offsets: Vec<Vec<Vec<usize>>>,
    pub(crate) n_words: usize,
}

impl Layout {
    /// The layout of the matrices of one origin.
    pub(crate) fn new(plan: &Plan, origin: Origin) -> Self {
        let mut offsets = Vec::with_capacity(plan.matrices.len());
        let mut pieces = Vec::new();
        for (m, matrix) in plan.matrices.iter().enumerate() {
            if matrix.origin != origin {
                offsets.push(Vec::new());
                continue;
            }
            let tiles = tiles(matrix.rows, matrix.cols);
            offsets.push(vec![vec![0; tiles.len()]; matrix.bits as usize]);
            for bit in 0..matrix.bits as usize {
                pieces.extend(tiles.iter().enumerate().map(|(t, tile)| (tile.words(), m, bit, t)));
            }
        }
        pieces.sort_by_key(|&(words, ..)| core::cmp::Reverse(words));
        let mut n_words = 0;
        for (words, matrix, bit, tile) in pieces {
            offsets[matrix][bit][tile] = n_words;
            n_words += words;
        }
        Self { offsets, n_words }
    }
}
