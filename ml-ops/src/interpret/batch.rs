//! Matmuls of two tensors, sample by sample and head by head.

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
    let Op::BatchMatMul { a, b, heads, row_factors, y, .. } = &graph.nodes[index].op else {
        return Vec::new();
    };
    let k = graph.depth(a, *heads);
    let (columns, sample) = (graph.tensors[*y].features, graph.tensors[*y].rows_per_sample);
    let sizes = Sizes { k, heads: *heads, columns, sample, batch };
    let mut sums = match (&tensors[a.x], &tensors[b.x]) {
        (Values::Codes(of_a), Values::Codes(of_b)) => {
            let operand = |matrix: &CodeMatrix, codes: &[u8], size| {
                let zero = i16::from(matrix.zero_code);
                operand(matrix, codes, size, batch, |code| i16::from(code) - zero)
            };
            let (left, right) = (operand(a, of_a, sizes.left()), operand(b, of_b, sizes.right()));
            sizes.sums(&left, &right, |x, y| i64::from(i32::from(x) * i32::from(y)))
        }
        (of_a, of_b) => {
            let left = integers(a, of_a, sizes.left(), batch);
            let right = integers(b, of_b, sizes.right(), batch);
            // A valid graph bounds them by 2^62.
            sizes.sums(&left, &right, i64::wrapping_mul)
        }
    };
    if let Some(factors) = row_factors {
        for sums in sums.chunks_mut(sample) {
            sums.iter_mut().zip(factors).for_each(|(sum, &f)| *sum = sum.wrapping_mul(f));
        }
    }
    sums
}

/// The shape of the products of all samples.
struct Sizes {
    k: usize,
    heads: usize,
    columns: usize,
    /// Rows of a sample.
    sample: usize,
    batch: usize,
}

impl Sizes {
    /// Columns and rows of the left operand.
    fn left(&self) -> (usize, usize) {
        (self.k * self.heads, self.sample * self.batch)
    }

    /// Columns and rows of the right one.
    fn right(&self) -> (usize, usize) {
        (self.columns, self.k * self.batch)
    }

    /// The sums `[column][row]` of products of elements of the operands.
    fn sums<T: Copy + Sync>(
        &self,
        left: &[T],
        right: &[T],
        times: impl Fn(T, T) -> i64 + Sync,
    ) -> Vec<i64> {
        let Self { k, heads, columns, sample, batch } = *self;
        let (all_rows, of_head) = (sample * batch, columns / heads);
        let mut sums = vec![0i64; columns * all_rows];
        sums.par_chunks_mut(all_rows).enumerate().for_each(|(column, sums)| {
            let left = &left[column / of_head * k * all_rows..][..k * all_rows];
            let right = &right[column * k * batch..][..k * batch];
            for (s, (sums, right)) in sums.chunks_mut(sample).zip(right.chunks(k)).enumerate() {
                for (left, &y) in left.chunks(all_rows).zip(right) {
                    let left = &left[s * sample..][..sample];
                    for (sum, &x) in sums.iter_mut().zip(left) {
                        *sum = sum.wrapping_add(times(x, y));
                    }
                }
            }
        });
        sums
    }
}

/// The integers `[column][row]` that the elements of a matrix stand for.
fn integers(matrix: &CodeMatrix, x: &Values, size: (usize, usize), batch: usize) -> Vec<i64> {
    match x {
        Values::Codes(codes) => {
            let zero = i64::from(matrix.zero_code);
            operand(matrix, codes, size, batch, |code| i64::from(code) - zero)
        }
        Values::Integers(x) => operand(matrix, x, size, batch, |x| x),
    }
}

/// The elements `[column][row]` of a matrix, `rows` rows of all samples, by what each stands for.
fn operand<S: Copy + From<u8> + Sync, T: Copy + Default + Send + Sync>(
    matrix: &CodeMatrix,
    source: &[S],
    (columns, rows): (usize, usize),
    batch: usize,
    value: impl Fn(S) -> T + Sync,
) -> Vec<T> {
    let Some(gather) = &matrix.gather else { return source.iter().copied().map(value).collect() };
    let runs = Runs::new(gather, source.len() / gather.n_source_cols());
    let outside = gather.pad.map_or(T::default(), |pad| value(pad.into()));
    let mut values = vec![outside; columns * rows];
    values.par_chunks_mut(rows).enumerate().for_each(|(column, out)| {
        runs.apply(column, 0..batch, source, out, |out, x| *out = value(x));
    });
    values
}
