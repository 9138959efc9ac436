//! Which of some elements is the largest.

use crate::graph::{Gather, Runs, Values};
use rayon::prelude::*;

/// The outputs `[column][row]` of an [`ArgMax`](crate::graph::Op::ArgMax) over `x`, `columns` of them: the largest
/// elements, and their numbers among the taps.
///
/// Precondition: the node is one of a valid graph, `x` its input in a run.
pub(super) fn argmax(
    (gather, taps, last): (&Gather, usize, bool),
    x: &Values,
    columns: usize,
) -> Vec<(i64, i64)> {
    match x {
        Values::Codes(codes) => of(gather, taps, last, codes, columns),
        Values::Integers(integers) => of(gather, taps, last, integers, columns),
    }
}

fn of<T: Copy + Into<i64> + Sync>(
    gather: &Gather,
    taps: usize,
    last: bool,
    x: &[T],
    columns: usize,
) -> Vec<(i64, i64)> {
    let feature_rows = x.len() / gather.n_source_cols();
    let samples = feature_rows / gather.n_source_rows();
    let rows = samples * gather.n_rows();
    let runs = Runs::new(gather, feature_rows);
    let mut y = vec![(i64::MIN, 0); columns * rows];
    y.par_chunks_mut(rows).enumerate().for_each(|(column, y)| {
        for tap in 0..taps {
            runs.apply(column * taps + tap, 0..samples, x, y, |best, x| {
                let x = x.into();
                if x > best.0 || last && x == best.0 {
                    *best = (x, tap as i64);
                }
            });
        }
    });
    y
}
