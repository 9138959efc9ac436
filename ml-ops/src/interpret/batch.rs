//! Matmuls of two tensors, sample by sample and head by head.

use super::{codes, rows};
use crate::graph::{CodeMatrix, Graph, Op, Runs, Values};
use rayon::prelude::*;

/// The accumulators `[column][row]` of node `index`, a [`BatchMatMul`](Op::BatchMatMul); none of any other.
///
/// Precondition: the node is one of a valid graph; `tensors` are those of a run.
pub(super) fn accumulators(
    graph: &Graph,
    index: usize,
    tensors: &[Values],
    batch: usize,
) -> Vec<i64> {
    let Op::BatchMatMul { a, b, heads, y, .. } = &graph.nodes[index].op else { return Vec::new() };
    let (k, all_rows) = (graph.depth(a, *heads), rows(graph, *y, batch));
    let (columns, sample) = (graph.tensors[*y].features, graph.tensors[*y].rows_per_sample);
    let left = operand(a, codes(&tensors[a.x]), k * heads, all_rows, batch);
    let right = operand(b, codes(&tensors[b.x]), columns, k * batch, batch);
    let of_head = columns / heads;
    let mut sums = vec![0i64; columns * all_rows];
    sums.par_chunks_mut(all_rows).enumerate().for_each(|(column, sums)| {
        let left = &left[column / of_head * k * all_rows..][..k * all_rows];
        let right = &right[column * k * batch..][..k * batch];
        for (s, (sums, right)) in sums.chunks_mut(sample).zip(right.chunks(k)).enumerate() {
            for (left, &y) in left.chunks(all_rows).zip(right) {
                let left = &left[s * sample..][..sample];
                for (sum, &x) in sums.iter_mut().zip(left) {
                    *sum += i64::from(i32::from(x) * i32::from(y));
                }
            }
        }
    });
    sums
}

/// The elements `[column][row]` of a matrix less its zero, `rows` rows of all samples.
fn operand(
    matrix: &CodeMatrix,
    codes: &[u8],
    columns: usize,
    rows: usize,
    batch: usize,
) -> Vec<i16> {
    let value = |code: u8| i16::from(code) - i16::from(matrix.zero_code);
    let Some(gather) = &matrix.gather else { return codes.iter().copied().map(value).collect() };
    let runs = Runs::new(gather, codes.len() / gather.n_source_cols());
    let mut values = vec![gather.pad.map_or(0, value); columns * rows];
    values.par_chunks_mut(rows).enumerate().for_each(|(column, out)| {
        runs.apply(column, 0..batch, codes, out, |out, code| *out = value(code));
    });
    values
}
