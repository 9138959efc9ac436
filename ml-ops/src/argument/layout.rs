//! Where each tile of each committed plane lies among an oracle's words.

use binfer_iop::indexed::tiles;
use binfer_pcs::{Params, Part, Shape, log_row_for};

use super::plan::{Matrix, Origin, Plan, Source};
use super::planes::MatrixPlanes;

/// Random words committed beside the weights, so that equal weights do not give equal roots.
pub(crate) const SALT_WORDS: usize = 2;

/// The shape of the oracle of a graph's weights, whatever the batch of the plan.
///
/// The trace has rows of the same length, which therefore fits the larger of the two, that of one sample whose outputs saturate
/// as far as any can.
pub(crate) fn model_shape(params: &Params, plan: &Plan) -> Shape {
    let n_words = words(plan, Origin::Model, 1) + SALT_WORDS;
    let of_sample = words(plan, Origin::Trace, plan.batch.max(1));
    Shape::for_words(log_row_for(params, n_words.max(of_sample)), n_words)
}

/// Words of the matrices of one origin, of each of which one row in `share` is there.
fn words(plan: &Plan, origin: Origin, share: usize) -> usize {
    let matrices = plan.matrices.iter().filter(|matrix| matrix.origin == origin);
    let of_matrix = |matrix: &Matrix| {
        let plane: usize = tiles(matrix.rows / share, matrix.cols).iter().map(|t| t.words()).sum();
        let distance = match matrix.source {
            Source::Distances(node) => plan.declared.thresholds(node),
            _ => None,
        };
        plane * distance.map_or(matrix.bits, |of| of.most_distance_bits()) as usize
    };
    matrices.map(of_matrix).sum()
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

/// Adds the planes of a committed matrix to the parts of a claim. `layouts` are the model's and the trace's; `None` where
/// they do not have it.
pub(crate) fn add_parts(
    layouts: [&Layout; 2],
    matrix: &Matrix,
    share: &MatrixPlanes,
    parts: &mut Vec<Part>,
) -> Option<()> {
    let oracle = match matrix.origin {
        Origin::Public => return None,
        Origin::Model => 0,
        Origin::Trace => 1,
    };
    let tiles = tiles(matrix.rows, matrix.cols);
    let offsets = layouts.get(oracle)?.offsets.get(share.matrix)?;
    for (offsets, weights) in offsets.iter().zip(&share.weights) {
        for ((tile, &offset), &weight) in tiles.iter().zip(offsets).zip(weights) {
            // Bits that no index of the group has are no part of the claim.
            if !weight.is_zero() {
                parts.push(Part { oracle, offset, n_vars: tile.n_vars() as u32, weight });
            }
        }
    }
    Some(())
}

#[cfg(all(test, feature = "prover"))]
mod tests {
    use super::*;
    use crate::graph::Model;

    #[test]
    fn a_models_shape_is_that_of_one_sample_whatever_the_batch() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/cnn/cnn.onnx");
        let model = Model::from_onnx(&std::fs::read(path).unwrap()).unwrap();
        let one = Plan::new(&model.graph, 1);
        let [weights, trace] =
            [Origin::Model, Origin::Trace].map(|origin| Layout::new(&one, origin).n_words);
        let n_words = weights + SALT_WORDS;
        let params = Params::default();
        let expected = Shape::for_words(log_row_for(&params, n_words.max(trace)), n_words);
        for batch in [1, 2, 7] {
            assert_eq!(model_shape(&params, &Plan::new(&model.graph, batch)), expected, "{batch}");
        }
    }
}
