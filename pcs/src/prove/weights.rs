//! The prover's weights: sums of coefficients against eq tables, and the batched weight of each word.

use binfer_field::{F128, kernels};
use rayon::prelude::*;

use crate::layout::Piece;
use crate::packing::Switches;
use crate::{ClaimGroup, Width};

/// Words of one task.
const TASK: usize = 1 << 12;

/// Sums of weights by position and value of a word's bytes.
type Bins = [[F128; 256]; 16];

/// The eq tables of one group's pieces, by their number of variables.
struct Tables(Vec<Vec<F128>>);

impl Tables {
    fn new<E>(group: &ClaimGroup<E>, pieces: &[Piece]) -> Self {
        let longest = pieces.iter().map(|piece| piece.n_vars as usize).max();
        let mut tables = vec![Vec::new(); longest.map_or(0, |n| n + 1)];
        let high = &group.point[group.width.log_coefficients() as usize..];
        for piece in pieces {
            let n_vars = piece.n_vars as usize;
            if tables[n_vars].is_empty() {
                tables[n_vars] = kernels::eq_table(&high[..n_vars]);
            }
        }
        Self(tables)
    }

    fn of(&self, piece: &Piece) -> &[F128] {
        &self.0[piece.n_vars as usize]
    }
}

/// `s_i`: the sum over all words of the group's weight of the word times the word's coefficient `i`.
///
/// Weights are added up by the values of bytes first: 16 additions a word, no product but one to
/// weight the piece.
pub(super) fn coefficient_sums<E: Sync>(
    group: &ClaimGroup<E>,
    pieces: &[Piece],
    rows: &[&[F128]],
) -> Vec<F128> {
    let tables = Tables::new(group, pieces);
    let tasks: Vec<(&[F128], &[F128], F128)> = pieces
        .iter()
        .flat_map(|piece| {
            let table = tables.of(piece);
            let words = &rows[piece.row][piece.offset..][..table.len()];
            let parts = words.chunks(TASK).zip(table.chunks(TASK));
            parts.map(move |(words, weights)| (words, weights, piece.weight))
        })
        .collect();
    if group.width == Width::B128 {
        let sum = tasks
            .par_iter()
            .map(|(words, weights, scale)| *scale * kernels::inner_product(words, weights));
        return vec![sum.sum()];
    }
    let bins = tasks
        .par_iter()
        .with_min_len(8)
        .fold(empty_bins, |mut bins, &(words, weights, scale)| {
            let mut weights = weights.to_vec();
            kernels::scale(&mut weights, scale);
            accumulate(&mut bins, words, &weights);
            bins
        })
        .reduce(empty_bins, |mut a, b| {
            kernels::add_assign(a.as_flattened_mut(), b.as_flattened());
            a
        });
    bits_of_bins(&bins)
}

fn empty_bins() -> Box<Bins> {
    bytemuck::allocation::zeroed_box()
}

/// Adds each word's weight to the bins of its bytes, half of the bytes at a time so that the bins fit
/// the first-level cache.
fn accumulate(bins: &mut Bins, words: &[F128], weights: &[F128]) {
    let (low, high) = bins.split_at_mut(8);
    for (shift, bins) in [(0, low), (64, high)] {
        for (word, &weight) in words.iter().zip(weights) {
            let bytes = ((word.to_bits() >> shift) as u64).to_le_bytes();
            for (bins, byte) in bins.iter_mut().zip(bytes) {
                bins[usize::from(byte)] += weight;
            }
        }
    }
}

/// The sum of weights for each bit of a word.
fn bits_of_bins(bins: &Bins) -> Vec<F128> {
    let bit = |bins: &[F128; 256], bit: usize| -> F128 {
        bins.iter()
            .enumerate()
            .filter(|(value, _)| value >> bit & 1 == 1)
            .map(|(_, &w)| w)
            .sum()
    };
    bins.iter()
        .flat_map(|bins| (0..8).map(move |i| bit(bins, i)))
        .collect()
}

/// `A(row, y)` for all rows: the batched weight of every word, with the batched pieces of each group.
pub(super) fn batched_weights<E: Sync>(
    groups: &[ClaimGroup<E>],
    pieces: &[Vec<Piece>],
    switches: &Switches,
    n_rows: usize,
    log_row: u32,
) -> Vec<F128> {
    let mut batched: Option<Vec<F128>> = None;
    for width in Width::ALL {
        if groups.iter().all(|group| group.width != width) {
            continue;
        }
        let mut weights = vec![F128::ZERO; n_rows << log_row];
        let of_width = groups
            .iter()
            .zip(pieces)
            .filter(|(group, _)| group.width == width);
        for (group, pieces) in of_width {
            add_weights(&mut weights, log_row, &Tables::new(group, pieces), pieces);
        }
        let map = &switches.of(width).map;
        if width != Width::B128 {
            weights.par_chunks_mut(TASK).for_each(|weights| {
                for weight in weights.iter_mut().filter(|weight| !weight.is_zero()) {
                    *weight = map.apply(*weight);
                }
            });
        }
        batched = Some(match batched {
            None => weights,
            Some(mut sum) => {
                sum.par_chunks_mut(TASK)
                    .zip(weights.par_chunks(TASK))
                    .for_each(|(sum, weights)| kernels::add_assign(sum, weights));
                sum
            }
        });
    }
    batched.unwrap_or_else(|| vec![F128::ZERO; n_rows << log_row])
}

fn add_weights(weights: &mut [F128], log_row: u32, tables: &Tables, pieces: &[Piece]) {
    let mut by_row: Vec<Vec<&Piece>> = vec![Vec::new(); weights.len() >> log_row];
    for piece in pieces {
        by_row[piece.row].push(piece);
    }
    weights
        .par_chunks_mut(1 << log_row)
        .zip(by_row)
        .for_each(|(row, pieces)| {
            for piece in pieces {
                let table = tables.of(piece);
                kernels::add_scaled(&mut row[piece.offset..][..table.len()], table, piece.weight);
            }
        });
}
