//! Matmuls whose matrix of inputs is gathered, some samples at a time, and those in groups.

use super::MatMul;
use super::operand::{FLOAT_BOUND, Operand, narrow, product};
use crate::graph::{Gather, Runs, Values};
use rayon::prelude::*;
use std::ops::Range;

/// Elements of a gathered matrix that are held at a time, where a sample has no more.
const GATHERED: usize = 1 << 24;

/// Rows of a group's inputs that are held at a time, where a sample has no more.
const GROUP_ROWS: usize = 1 << 12;

impl MatMul<'_> {
    /// The samples `0..batch` in ranges of about `rows` rows, `sample` rows each.
    fn samples(&self, sample: usize, rows: usize) -> impl Iterator<Item = Range<usize>> {
        let (batch, step) = (self.rows / sample, (rows / sample).max(1));
        (0..batch).step_by(step).map(move |first| first..batch.min(first + step))
    }

    /// Outputs of a matrix that is gathered from `codes`.
    pub(super) fn fill_gathered(&self, gather: &Gather, codes: &[u8], y: &mut [i64]) {
        let sample = gather.n_rows();
        let runs = Runs::new(gather, codes.len() / gather.n_source_cols());
        // Outside the source stands a zero if nothing else.
        let outside = gather.pad.unwrap_or(self.zero_code);
        for samples in self.samples(sample, GATHERED / self.shape.k) {
            let rows = samples.len() * sample;
            let mut matrix = vec![outside; self.shape.k * rows];
            matrix.par_chunks_mut(rows).enumerate().for_each(|(col, out)| {
                runs.apply(col, samples.clone(), codes, out, |out, code| *out = code);
            });
            let at = samples.start * sample..samples.end * sample;
            self.fill_matrix(&Values::Codes(matrix), at, y);
        }
    }

    /// Outputs of groups of columns with inputs of their own.
    pub(super) fn fill_groups(&self, y: &mut [i64]) {
        let zero = i64::from(self.zero_code);
        match self.x {
            Values::Codes(codes) if self.bound <= i128::from(i32::MAX) => {
                self.fill_groups_of::<u8, i16>(codes, y, |c| (i64::from(c) - zero) as i16);
            }
            Values::Codes(codes) => {
                self.fill_groups_of::<u8, i64>(codes, y, |c| i64::from(c) - zero);
            }
            Values::Integers(integers) if self.bound <= FLOAT_BOUND => {
                self.fill_groups_of::<i64, f64>(integers, y, f64::new);
            }
            Values::Integers(integers) if self.bound <= i128::from(i64::MAX) => {
                self.fill_groups_of::<i64, i64>(integers, y, |x| x);
            }
            Values::Integers(integers) => {
                self.fill_groups_of::<i64, i128>(integers, y, i128::from);
            }
        }
    }

    /// [`Self::fill_groups`] of elements of which `operand` makes operands.
    fn fill_groups_of<S: Copy + Send + Sync, A: Operand>(
        &self,
        x: &[S],
        y: &mut [i64],
        operand: impl Fn(S) -> A + Sync,
    ) {
        let (k, rows, columns) = (self.shape.k, self.rows, self.shape.n / self.groups);
        let gathered = self.gather.map(|gather| {
            let runs = Runs::new(gather, x.len() / gather.n_source_cols());
            let outside = gather.pad.map_or(0, |pad| i64::from(pad) - i64::from(self.zero_code));
            (runs, A::new(outside))
        });
        let sample = self.gather.map_or(rows, Gather::n_rows);
        y.par_chunks_mut(columns * rows).enumerate().for_each_init(
            || (vec![A::default(); k], Vec::new(), Vec::new()),
            |(weights, inputs, sums), (group, out)| {
                for samples in self.samples(sample, GROUP_ROWS) {
                    let at = samples.start * sample..samples.end * sample;
                    sums.clear();
                    sums.resize(at.len(), A::Sum::default());
                    inputs.clear();
                    match &gathered {
                        Some((runs, outside)) => {
                            inputs.resize(k * at.len(), *outside);
                            for (col, out) in inputs.chunks_exact_mut(at.len()).enumerate() {
                                let set = |out: &mut A, x| *out = operand(x);
                                runs.apply(group * k + col, samples.clone(), x, out, set);
                            }
                        }
                        None => {
                            let x = &x[group * k * rows..][..k * rows];
                            inputs.extend(x.iter().map(|&x| operand(x)));
                        }
                    }
                    for (column, out) in out.chunks_exact_mut(rows).enumerate() {
                        let column = group * columns + column;
                        let index = &self.matrix.index[column * k..][..k];
                        self.decode(index, None, column, weights);
                        product(inputs, weights, sums);
                        let bias = i128::from(self.bias(column));
                        for (out, &sum) in out[at.clone()].iter_mut().zip(sums.iter()) {
                            *out = narrow(A::integer(sum) + bias);
                        }
                    }
                }
            },
        );
    }
}
