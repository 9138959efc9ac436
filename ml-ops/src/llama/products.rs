//! Products of float matrices, which every machine computes alike: sums in a fixed order.

use std::ops::{AddAssign, Mul};

use rayon::prelude::*;

/// Rows that meet rows of another matrix while they are in a cache.
pub(super) const ROWS: usize = 16;

/// Rows of `x` by rows of `w`, both of `depth` elements.
pub(super) fn matmul(x: &[f32], w: &[f32], depth: usize) -> Vec<f32> {
    let (rows, cols) = (x.len() / depth, w.len() / depth);
    let mut across = vec![0f32; rows * cols];
    let few = across.par_chunks_mut(ROWS * rows).zip(w.par_chunks(ROWS * depth));
    few.for_each(|(y, w)| {
        for (first, x) in x.chunks(ROWS * depth).enumerate() {
            for (y, w) in y.chunks_exact_mut(rows).zip(w.chunks_exact(depth)) {
                for (y, x) in y[first * ROWS..].iter_mut().zip(x.chunks_exact(depth)) {
                    *y = dot(x, w);
                }
            }
        }
    });
    transposed(&across, rows)
}

/// The matrix read across: a row for each of its `cols` columns.
pub(super) fn transposed(x: &[f32], cols: usize) -> Vec<f32> {
    let rows = x.len() / cols;
    let mut across = vec![0f32; x.len()];
    across.par_chunks_mut(rows).enumerate().for_each(|(col, y)| {
        y.iter_mut().zip(x.chunks_exact(cols)).for_each(|(y, row)| *y = row[col]);
    });
    across
}

/// The sum of products, in sixteen sums that are added last.
pub(super) fn dot<T: Copy + Default + Mul<Output = T> + AddAssign>(a: &[T], b: &[T]) -> T {
    let (a, a_rest) = a.as_chunks::<16>();
    let (b, b_rest) = b.as_chunks::<16>();
    let mut sums = [T::default(); 16];
    for (a, b) in a.iter().zip(b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += *a * *b;
        }
    }
    let mut rest = T::default();
    a_rest.iter().zip(b_rest).for_each(|(a, b)| rest += *a * *b);
    let mut sum = T::default();
    sums.iter().for_each(|part| sum += *part);
    sum += rest;
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_meet_rows() {
        for (rows, cols, depth) in [(1, 1, 1), (ROWS, ROWS, 16), (2 * ROWS + 1, 3 * ROWS - 1, 37)] {
            let x: Vec<f32> = (0..rows * depth).map(|i| (i % 61) as f32 - 30.0).collect();
            let w: Vec<f32> = (0..cols * depth).map(|i| (i % 53) as f32 - 26.0).collect();
            let plain = x.chunks(depth).flat_map(|x| {
                w.chunks(depth).map(move |w| x.iter().zip(w).map(|(x, w)| x * w).sum::<f32>())
            });
            assert_eq!(matmul(&x, &w, depth), plain.collect::<Vec<_>>());
        }
    }
}
