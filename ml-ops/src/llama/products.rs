//! Products of float matrices, which every machine computes alike: sums in a fixed order.

use std::ops::{AddAssign, Mul};

use rayon::prelude::*;

/// Rows of `x` by rows of `w`, both of `depth` elements.
pub(super) fn matmul(x: &[f32], w: &[f32], depth: usize) -> Vec<f32> {
    let (rows, cols) = (x.len() / depth, w.len() / depth);
    let mut across = vec![0f32; rows * cols];
    across.par_chunks_mut(rows).zip(w.par_chunks(depth)).for_each(|(y, w)| {
        for (y, x) in y.iter_mut().zip(x.chunks_exact(depth)) {
            *y = dot(x, w);
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
