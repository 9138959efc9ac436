//! The largest of some codes.

use crate::graph::{Gather, Runs};
use rayon::prelude::*;

/// The outputs `[column][row]` of a [`Max`](crate::graph::Op::Max) over `x`, `columns` of them.
///
/// Precondition: the node is one of a valid graph, `x` its input in a run.
pub(super) fn max(gather: &Gather, taps: usize, x: &[u8], columns: usize) -> Vec<u8> {
    let feature_rows = x.len() / gather.n_source_cols();
    let samples = feature_rows / gather.n_source_rows();
    let rows = samples * gather.n_rows();
    let runs = Runs::new(gather, feature_rows);
    let mut y = vec![0; columns * rows];
    y.par_chunks_mut(rows).enumerate().for_each(|(column, y)| {
        for col in column * taps..(column + 1) * taps {
            runs.apply(col, 0..samples, x, y, |y, x| *y = x.max(*y));
        }
    });
    y
}
