//! A gathered matrix as runs: neighbouring rows of a column that read elements at a constant distance.

use super::{Gather, GatherDim};
use std::ops::Range;

/// Most axes of a gather's source, and most dimensions of its rows and of its columns.
pub const MAX_AXES: usize = 16;

/// Rows of one column of a gathered matrix that read elements at a constant distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    /// The first of the rows.
    pub(crate) row: usize,
    /// How many they are, at least one.
    pub(crate) len: usize,
    /// Where the first reads.
    pub(crate) source: usize,
    /// From where one reads to where the next does.
    pub(crate) distance: isize,
}

/// Where a gather's positions read in a feature-major tensor.
#[derive(Debug, Clone)]
pub(crate) struct Runs<'a> {
    gather: &'a Gather,
    /// The row dimensions along which runs do not lie, and the one along which they do.
    outer: &'a [GatherDim],
    inner: GatherDim,
    /// Length of each axis, and elements from one coordinate of it to the next.
    sizes: [i64; MAX_AXES],
    strides: [i64; MAX_AXES],
    axes: usize,
}

impl<'a> Runs<'a> {
    /// The runs of `gather` over a tensor each of whose features has `feature_rows` rows.
    ///
    /// Precondition: the gather has at most [`MAX_AXES`] axes, dimensions of rows and dimensions of columns, none
    /// empty, and steps and offsets that fit 32 bits.
    pub(crate) fn new(gather: &'a Gather, feature_rows: usize) -> Self {
        let (mut sizes, mut strides) = ([0; MAX_AXES], [0; MAX_AXES]);
        let axes = gather.source_cols.iter().chain(&gather.source_rows);
        for (size, &axis) in sizes.iter_mut().zip(axes) {
            *size = axis as i64;
        }
        let n_cols = gather.source_cols.len();
        let numbered = [(&gather.source_cols, 0, feature_rows), (&gather.source_rows, n_cols, 1)];
        for (axes, first, unit) in numbered {
            let mut stride = unit as i64;
            for (at, &size) in axes.iter().enumerate().rev() {
                if let Some(slot) = strides.get_mut(first + at) {
                    *slot = stride;
                }
                stride *= size as i64;
            }
        }
        let still = GatherDim { size: 1, axis: None, step: 0 };
        let (inner, outer) =
            gather.rows.split_last().map_or((still, [].as_slice()), |(last, rest)| (*last, rest));
        let axes = (n_cols + gather.source_rows.len()).min(MAX_AXES);
        Self { gather, outer, inner, sizes, strides, axes }
    }

    /// Places that [`of_column`](Self::of_column) looks at: at most as many runs.
    pub(crate) fn per_column(&self) -> usize {
        self.outer.iter().map(|dim| dim.size).product()
    }

    /// Calls `visit` for every run of column `col` of one sample, the first one's; rows increase. Rows in no run read
    /// outside the source.
    pub(crate) fn of_column(&self, col: usize, mut visit: impl FnMut(Run)) {
        let mut at = [0i64; MAX_AXES];
        at.iter_mut().zip(&self.gather.offsets).for_each(|(at, &offset)| *at = offset);
        let mut rest = col;
        for dim in self.gather.cols.iter().rev() {
            step(&mut at, dim, (rest % dim.size) as i64);
            rest /= dim.size;
        }
        let mut digits = [0usize; MAX_AXES];
        let mut row = 0;
        loop {
            if let Some(run) = self.inside(&at, row) {
                visit(run);
            }
            row += self.inner.size;
            // Count up by one, the last dimension fastest.
            let mut carried = true;
            for (dim, digit) in self.outer.iter().zip(&mut digits).rev() {
                *digit += 1;
                if *digit < dim.size {
                    step(&mut at, dim, 1);
                    carried = false;
                    break;
                }
                *digit = 0;
                step(&mut at, dim, 1 - dim.size as i64);
            }
            if carried {
                return;
            }
        }
    }

    /// What of the run that starts at the point `at` and the row `row` is inside the source.
    fn inside(&self, at: &[i64; MAX_AXES], row: usize) -> Option<Run> {
        let mut inside = 0..self.inner.size as i64;
        let (mut source, mut distance) = (0, 0);
        let axes = at.iter().zip(&self.sizes).zip(&self.strides).take(self.axes).enumerate();
        for (axis, ((&at, &size), &stride)) in axes {
            if self.inner.axis == Some(axis) {
                inside = within(at, self.inner.step, size, inside);
                distance = self.inner.step * stride;
                source += (at + inside.start * self.inner.step) * stride;
            } else if (0..size).contains(&at) {
                source += at * stride;
            } else {
                return None;
            }
            if inside.is_empty() {
                return None;
            }
        }
        Some(Run {
            row: row + inside.start as usize,
            len: (inside.end - inside.start) as usize,
            source: source as usize,
            distance: distance as isize,
        })
    }

    /// `apply(out, element)` for every position of column `col` that reads an element, of the samples `samples`:
    /// `out` holds their rows, one sample after another, and `source` the whole tensor.
    ///
    /// Precondition: `source` is a tensor of at least `samples.end` samples and the shape that the gather reads.
    #[cfg(feature = "prover")]
    pub(crate) fn apply<S: Copy, T>(
        &self,
        col: usize,
        samples: Range<usize>,
        source: &[S],
        out: &mut [T],
        apply: impl Fn(&mut T, S),
    ) {
        let (n_rows, sample) = (self.gather.n_rows(), self.gather.n_source_rows());
        self.of_column(col, |run| {
            for (b, out) in samples.clone().zip(out.chunks_exact_mut(n_rows)) {
                let out = out[run.row..][..run.len].iter_mut();
                let first = b * sample + run.source;
                match run.distance {
                    0 => out.for_each(|out| apply(out, source[first])),
                    1 => out.zip(&source[first..]).for_each(|(out, &x)| apply(out, x)),
                    ahead if ahead > 0 => {
                        let source = source[first..].iter().step_by(ahead.unsigned_abs());
                        out.zip(source).for_each(|(out, &x)| apply(out, x));
                    }
                    back => {
                        let source = source[..=first].iter().rev().step_by(back.unsigned_abs());
                        out.zip(source).for_each(|(out, &x)| apply(out, x));
                    }
                }
            }
        });
    }
}

/// Moves a point by `times` steps of a dimension.
fn step(at: &mut [i64; MAX_AXES], dim: &GatherDim, times: i64) {
    if let Some(coordinate) = dim.axis.and_then(|axis| at.get_mut(axis)) {
        *coordinate += dim.step * times;
    }
}

/// The indices in `all`, which starts at 0, at which `at + step * index` is within `0..size`.
fn within(at: i64, step: i64, size: i64, all: Range<i64>) -> Range<i64> {
    let last = at + step * (all.end - 1);
    if (0..size).contains(&at) && (0..size).contains(&last) {
        return all;
    }
    let ceil = |a: i64, b: i64| -((-a).div_euclid(b));
    let (start, end) = match step {
        0 => (0, 0),
        1.. => (ceil(-at, step), ceil(size - at, step)),
        _ => (ceil(at - size + 1, -step), ceil(at + 1, -step)),
    };
    let start = start.max(0);
    start..end.min(all.end).max(start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dims(axes: usize) -> impl Strategy<Value = Vec<GatherDim>> {
        let dim = (1usize..5, prop::option::of(0..axes), -3i64..4)
            .prop_map(|(size, axis, step)| GatherDim { size, axis, step });
        prop::collection::vec(dim, 0..4)
    }

    fn gather() -> impl Strategy<Value = Gather> {
        let sizes = || prop::collection::vec(1usize..5, 0..3);
        (sizes(), sizes()).prop_flat_map(|(source_cols, source_rows)| {
            let axes = source_cols.len() + source_rows.len();
            let offsets = prop::collection::vec(-3i64..5, axes);
            let dims = || dims(axes.max(1));
            (Just(source_cols), Just(source_rows), offsets, dims(), dims()).prop_map(
                |(source_cols, source_rows, offsets, rows, cols)| Gather {
                    source_cols,
                    source_rows,
                    offsets,
                    rows,
                    cols,
                    pad: None,
                },
            )
        })
    }

    proptest! {
        #[test]
        fn runs_are_the_positions_inside(gather in gather(), batch in 1usize..4, first in 0usize..3) {
            let first = first.min(batch - 1);
            let feature_rows = batch * gather.n_source_rows();
            let source: Vec<usize> = (0..feature_rows * gather.n_source_cols()).collect();
            let runs = Runs::new(&gather, feature_rows);
            for col in 0..gather.n_cols() {
                let mut found = vec![None; (batch - first) * gather.n_rows()];
                runs.apply(col, first..batch, &source, &mut found, |out, x| *out = Some(x));
                for (at, &found) in found.iter().enumerate() {
                    let (sample, row) = (first + at / gather.n_rows(), at % gather.n_rows());
                    let expected = gather.source(row, col).map(|(row, feature)| {
                        feature * feature_rows + sample * gather.n_source_rows() + row
                    });
                    prop_assert_eq!(found, expected);
                }
            }
        }
    }
}
