//! Tensors, rows contiguous, and arrays, features contiguous: from one to the other by blocks of both.
//!
//! Loops count: iterators of slices were a call for each element.

#[cfg(feature = "prover")]
use rayon::prelude::*;

/// Rows that are read at once: a column of a long matrix is a line of cache an element.
const TILE: usize = 8;

/// Features that are read at once: a line of cache of integers.
const FEATURES: usize = 16;

/// Elements that a parallel task has at least.
#[cfg(feature = "prover")]
const TASK: usize = 1 << 15;

/// `map` of every element, by blocks of rows and features.
pub(super) fn to_feature_major<T: Copy + Default + Sync, U: Copy + Default + Send>(
    row_major: &[T],
    rows: usize,
    features: usize,
    map: impl Fn(T) -> U + Sync,
) -> Vec<U> {
    let fill = |(block, out): (usize, &mut [U])| {
        for first in (0..rows).step_by(TILE) {
            let n = TILE.min(rows - first);
            let read = &row_major[first * features + block * FEATURES..];
            for (feature, out) in out.chunks_exact_mut(rows).enumerate() {
                let out = &mut out[first..first + n];
                if let Ok(out) = <&mut [U; TILE]>::try_from(&mut *out) {
                    for r in 0..TILE {
                        out[r] = map(read[r * features + feature]);
                    }
                } else {
                    for r in 0..n {
                        out[r] = map(read[r * features + feature]);
                    }
                }
            }
        }
    };
    let mut out = vec![U::default(); rows * features];
    #[cfg(feature = "prover")]
    {
        let blocks = out.par_chunks_mut(FEATURES * rows).enumerate();
        blocks.with_min_len(TASK.div_ceil(FEATURES * rows)).for_each(fill);
    }
    #[cfg(not(feature = "prover"))]
    out.chunks_mut(FEATURES * rows).enumerate().for_each(fill);
    out
}

pub(super) fn to_row_major<T: Copy + Default + Send + Sync>(
    feature_major: &[T],
    rows: usize,
    features: usize,
) -> Vec<T> {
    to_feature_major(feature_major, features, rows, |x| x)
}

/// Whether `feature_major` is `map` of every element of `row_major`, given rows and features.
#[cfg(feature = "prover")]
pub(super) fn is_transposed<T: Copy + Sync, U: Copy + PartialEq + Sync>(
    row_major: &[T],
    feature_major: &[U],
    (rows, features): (usize, usize),
    map: impl Fn(&T) -> U + Sync,
) -> bool {
    let is_same = |(block, columns): (usize, &[U])| {
        (0..rows).step_by(TILE).all(|first| {
            let n = TILE.min(rows - first);
            let read = &row_major[first * features + block * FEATURES..];
            // No branch an element.
            let mut same = true;
            for (feature, column) in columns.chunks_exact(rows).enumerate() {
                for (r, of_column) in column[first..first + n].iter().enumerate() {
                    same &= *of_column == map(&read[r * features + feature]);
                }
            }
            same
        })
    };
    let n = rows * features;
    row_major.len() == n && feature_major.len() == n && {
        let blocks = feature_major.par_chunks(FEATURES * rows).enumerate();
        blocks.with_min_len(TASK.div_ceil(FEATURES * rows)).all(is_same)
    }
}
