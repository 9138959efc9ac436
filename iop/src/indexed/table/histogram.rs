//! Histograms of indices, written down or as the rows that they sum up.

use std::sync::Arc;

use binfer_field::{F128, kernels};
use rayon::prelude::*;

use crate::buffer::{Buffer, Shared};

/// The histogram of each column's indices.
#[derive(Clone)]
pub enum Histogram<'a> {
    /// `M(c, v)`, blocks `[column][v]`, as [`histogram`] makes it, or `M'(j, v)` where columns share tables.
    Listed(Shared<'a>),
    /// `M(c, v) = sum_r weights[r] [columns[c][r] = v]`, not written down. Where the table is listed it is in the pass that sums the first rounds; for one that is a
    /// product never, which is less to do where rows are fewer than entries.
    Rows {
        /// The indices, at most as many a column as there are weights.
        columns: Arc<[&'a [u8]]>,
        /// What rows weigh.
        weights: Arc<[F128]>,
    },
}

impl From<Buffer> for Histogram<'_> {
    fn from(bins: Buffer) -> Self {
        Self::Listed(bins.into())
    }
}

/// Rows that are taken at a time.
const ROWS: usize = 128;

/// `M(c, v) = sum_r weights[r] [columns[c][r] = v]`, blocks `[column][v]` of `2^width` entries.
///
/// Columns are at most as long as `weights`, each index below `2^width`.
pub fn histogram(columns: &[&[u8]], weights: &[F128], width: usize) -> Buffer {
    let mut bins = Buffer::unspecified(columns.len() << width);
    let of_columns = bins.par_chunks_mut(1 << width).zip(columns);
    of_columns.for_each(|(bins, column)| fill_histogram(bins, column, weights));
    bins
}

/// Writes the histogram of one column.
pub(super) fn fill_histogram(bins: &mut [F128], column: &[u8], weights: &[F128]) {
    bins.fill(F128::ZERO);
    kernels::histogram(bins, column, &weights[..column.len()]);
}

/// The two digits of some indices, the lower one of `low` bits.
struct Digits {
    lower: [u8; ROWS],
    upper: [u8; ROWS],
}

impl Digits {
    fn of(index: &[u8], low: usize) -> Self {
        let mut digits = Self { lower: [0; ROWS], upper: [0; ROWS] };
        let mask = (1u8 << low) - 1;
        for ((lower, upper), index) in digits.lower.iter_mut().zip(&mut digits.upper).zip(index) {
            (*lower, *upper) = (index & mask, index >> low);
        }
        digits
    }
}

/// Adds to `sums[to[r]]` the entry `entries[from[r]]` times `weights[r]`.
fn scatter(sums: &mut [F128], to: &[u8], (entries, from): (&[F128], &[u8]), weights: &[F128]) {
    let mut terms = [F128::ZERO; ROWS];
    let terms = &mut terms[..weights.len()];
    kernels::gather(terms, entries, &from[..weights.len()]);
    kernels::mul_assign(terms, weights);
    kernels::histogram(sums, &to[..weights.len()], terms);
}

impl<'a> Histogram<'a> {
    /// Written down, for indices of `width` bits.
    pub(super) fn into_listed(self, width: usize) -> Shared<'a> {
        match self {
            Self::Listed(bins) => bins,
            Self::Rows { columns, weights } => histogram(&columns, &weights, width).into(),
        }
    }

    /// For columns of indices of `width` bits, of which `low` are the lower digit, sums over that digit, blocks `[column][upper
    /// digit]`: of its products with `entries`, blocks `[column][lower digit]`, and of the histogram alone.
    pub(super) fn sums_over_lower(
        &self,
        width: usize,
        low: usize,
        entries: &[F128],
    ) -> [Buffer; 2] {
        let block = 1 << low;
        let [mut values, mut plain] =
            [(); 2].map(|()| Buffer::zeroed((entries.len() >> low) << (width - low)));
        let sums = values.par_chunks_mut(1 << (width - low));
        let sums =
            sums.zip(plain.par_chunks_mut(1 << (width - low))).zip(entries.par_chunks(block));
        match self {
            Self::Listed(bins) => {
                let columns = sums.zip(bins.par_chunks(1 << width));
                columns.for_each(|(((values, plain), entries), bins)| {
                    let sums = values.iter_mut().zip(plain).zip(bins.chunks(block));
                    for ((value, plain), bins) in sums {
                        *value = kernels::inner_product(entries, bins);
                        *plain = kernels::sum(bins);
                    }
                });
            }
            Self::Rows { columns, weights } => {
                sums.zip(&columns[..]).for_each(|(((values, plain), entries), column)| {
                    for (index, weights) in column.chunks(ROWS).zip(weights.chunks(ROWS)) {
                        let Digits { lower, upper } = Digits::of(index, low);
                        let weights = &weights[..index.len()];
                        scatter(values, &upper, (entries, &lower), weights);
                        kernels::histogram(plain, &upper[..index.len()], weights);
                    }
                });
            }
        }
        [values, plain]
    }

    /// The sums over the upper digit, `eq[u]` the weight of its value `u`, of `cols` columns: blocks `[column][lower digit]` of
    /// `2^low` entries.
    pub(super) fn sums_over_upper(&self, cols: usize, low: usize, eq: &[F128]) -> Buffer {
        let block = 1 << low;
        let mut folded = Buffer::unspecified(cols << low);
        let sums = folded.par_chunks_mut(block);
        match self {
            Self::Listed(bins) => {
                sums.zip(bins.par_chunks(block * eq.len())).for_each(|(sums, bins)| {
                    sums.fill(F128::ZERO);
                    for (bins, &weight) in bins.chunks(block).zip(eq) {
                        kernels::add_scaled(sums, bins, weight);
                    }
                });
            }
            Self::Rows { columns, weights } => sums.zip(&columns[..]).for_each(|(sums, column)| {
                sums.fill(F128::ZERO);
                for (index, weights) in column.chunks(ROWS).zip(weights.chunks(ROWS)) {
                    let Digits { lower, upper } = Digits::of(index, low);
                    scatter(sums, &lower, (eq, &upper), &weights[..index.len()]);
                }
            }),
        }
        folded
    }
}
