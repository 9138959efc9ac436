//! The prover's weights: sums of coefficients against eq tables, and the batched weight of each word.

use binfer_field::{F128, LinearMap, Tower128, kernels, tower};
use binfer_iop::buffer::Buffer;
use rayon::prelude::*;

use super::sumcheck::{self, Round, round_of_halves, round_of_lower_half};
use crate::layout::Piece;
use crate::packing::Switches;
use crate::{ClaimGroup, Width};

/// Logarithm of the words of a chunk.
const LOG_CHUNK: u32 = 11;

/// Sums of weights by position and value of a word's bytes.
type Bins = [[F128; 256]; 16];

/// The weights of one group's claims on the words, in the form of eq tables of at most a chunk.
pub(super) struct GroupWeights {
    width: Width,
    pieces: Vec<Piece>,
    /// Tables of the first `n` variables, `n` up to that of a chunk, where a piece needs them.
    low: Vec<Vec<F128>>,
    /// Tables of the variables from a chunk's to the first `n`.
    high: Vec<Vec<F128>>,
}

/// What one piece adds to the weights in one chunk: `scale * table` from word `start` of the row on.
struct Part<'a> {
    row: usize,
    start: usize,
    table: &'a [F128],
    scale: F128,
}

impl GroupWeights {
    /// The weights that these pieces of `group` stand for.
    pub(super) fn new<E>(group: &ClaimGroup<E>, pieces: Vec<Piece>) -> Self {
        let point = &group.point;
        let longest = pieces.iter().map(|piece| piece.n_vars as usize).max().unwrap_or(0);
        let mut low = vec![Vec::new(); LOG_CHUNK as usize + 1];
        let mut high = vec![Vec::new(); longest + 1];
        for piece in &pieces {
            let n_vars = piece.n_vars as usize;
            let n_low = n_vars.min(LOG_CHUNK as usize);
            if low[n_low].is_empty() {
                low[n_low] = kernels::eq_table(&point[..n_low]);
            }
            if high[n_vars].is_empty() {
                high[n_vars] = kernels::eq_table(&point[n_low..n_vars]);
            }
        }
        Self { width: group.width, pieces, low, high }
    }

    /// Multiplies all weights by `scalar`.
    pub(super) fn scale(&mut self, scalar: F128) {
        self.pieces.iter_mut().for_each(|piece| piece.weight *= scalar);
    }

    fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        self.pieces.iter().flat_map(|piece| {
            let table = &self.low[piece.n_vars.min(LOG_CHUNK) as usize];
            let scales = &self.high[piece.n_vars as usize];
            scales.iter().enumerate().map(move |(chunk, &scale)| Part {
                row: piece.row,
                start: piece.offset + (chunk << LOG_CHUNK),
                table,
                scale: piece.weight * scale,
            })
        })
    }

    /// `s_i`: the sum over all words of the weight of the word times the word's coefficient `i`.
    ///
    /// Coefficients that are no bits take weights added up by the values of bytes first: 16 additions a word and no
    /// product but the one that scales the table.
    pub(super) fn coefficient_sums(&self, rows: &[&[F128]]) -> Vec<F128> {
        let parts: Vec<Part<'_>> = self.parts().collect();
        let words = |part: &Part<'_>| &rows[part.row][part.start..][..part.table.len()];
        if self.width == Width::B128 {
            let products = parts
                .par_iter()
                .map(|part| part.scale * kernels::inner_product(words(part), part.table));
            return vec![products.sum()];
        }
        let weights = |part: &Part<'_>| {
            let mut weights = part.table.to_vec();
            kernels::scale(&mut weights, part.scale);
            weights
        };
        if self.width == Width::Bit {
            let none = || [F128::ZERO; 128];
            let add = |mut sums: [F128; 128], part: &Part<'_>| {
                kernels::bit_sums(&mut sums, words(part), &weights(part));
                sums
            };
            let sums = parts.par_iter().with_min_len(4).fold(none, add);
            let sums = sums.reduce(none, |mut a, b| {
                kernels::add_assign(&mut a, &b);
                a
            });
            return sums.to_vec();
        }
        let add = |mut bins: Box<Bins>, part: &Part<'_>| {
            let mut images = vec![Tower128::ZERO; part.table.len()];
            tower::to_tower(&mut images, words(part));
            accumulate(&mut bins, bytemuck::cast_slice(&images), &weights(part));
            bins
        };
        let bins = parts.par_iter().with_min_len(4).fold(empty_bins, add);
        let bins = bins.reduce(empty_bins, |mut a, b| {
            kernels::add_assign(a.as_flattened_mut(), b.as_flattened());
            a
        });
        subfield_sums(&bins, 16 >> self.width.log_coefficients())
    }
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

/// The sum of weight times coefficient for each coefficient of a word, `n_bytes` bytes of the tower.
fn subfield_sums(bins: &Bins, n_bytes: usize) -> Vec<F128> {
    let elements = |byte: usize| -> Vec<F128> {
        (0..256).map(|value| Tower128::new(value << (8 * byte)).into()).collect()
    };
    let elements: Vec<Vec<F128>> = (0..n_bytes).map(elements).collect();
    bins.chunks_exact(n_bytes)
        .map(|bins| {
            let bytes = bins.iter().zip(&elements);
            bytes.map(|(weights, elements)| kernels::inner_product(weights, elements)).sum()
        })
        .collect()
}

/// `A(row, y)` for all rows, and the first round polynomial of `sum T A` over the variable that tells
/// the upper rows from the lower ones.
pub(super) fn batched_weights(
    groups: &[GroupWeights],
    switches: &Switches,
    rows: &[&[F128]],
) -> (Buffer, Round) {
    let length = rows[0].len();
    let chunk = length.min(1 << LOG_CHUNK);
    let per_row = length / chunk;
    let lower = rows.len().next_power_of_two().div_ceil(2);
    let mut a = Buffer::unspecified(rows.len() * length);

    let filler = Filler::new(groups, switches, rows.len(), length);
    let (a_lo, a_hi) = a.split_at_mut(lower * length);
    let mut upper = a_hi.chunks_exact_mut(chunk);
    let chunks: Vec<_> = a_lo.chunks_exact_mut(chunk).map(|lo| (lo, upper.next())).collect();
    let rounds = chunks.into_par_iter().enumerate().map(|(i, (a_lo, a_hi))| {
        let words = |row: usize| &rows[row][i % per_row * chunk..][..chunk];
        filler.fill(i, a_lo);
        let t_lo = words(i / per_row);
        match a_hi {
            Some(a_hi) => {
                filler.fill(i + lower * per_row, a_hi);
                round_of_halves((t_lo, words(i / per_row + lower)), (a_lo, a_hi))
            }
            None => round_of_lower_half(t_lo, a_lo),
        }
    });
    let round = rounds.reduce(Round::default, sumcheck::add);
    (a, round)
}

/// Computes `A` in any chunk.
struct Filler<'a> {
    /// The parts of each width in each chunk, and the width's map unless that is the identity.
    widths: Vec<(Vec<Vec<Part<'a>>>, Option<LinearMap>)>,
}

impl<'a> Filler<'a> {
    fn new(groups: &'a [GroupWeights], switches: &Switches, n_rows: usize, length: usize) -> Self {
        let chunk = length.min(1 << LOG_CHUNK);
        let of_width = |width: Width| {
            let mut chunks: Vec<Vec<Part<'a>>> = Vec::new();
            chunks.resize_with(n_rows * length / chunk, Vec::new);
            for part in groups.iter().filter(|g| g.width == width).flat_map(GroupWeights::parts) {
                chunks[(part.row * length + part.start) / chunk].push(part);
            }
            let map = (width != Width::B128).then(|| LinearMap::new(&switches.of(width).images));
            (chunks, map)
        };
        let used = |width: &Width| groups.iter().any(|group| group.width == *width);
        Self { widths: Width::ALL.into_iter().filter(used).map(of_width).collect() }
    }

    /// Writes the weights in chunk `i` to `a`.
    fn fill(&self, i: usize, a: &mut [F128]) {
        let mut widths = self.widths.iter().filter(|(chunks, _)| !chunks[i].is_empty());
        match widths.next() {
            Some((chunks, map)) => weigh(&chunks[i], map.as_ref(), a),
            None => a.fill(F128::ZERO),
        }
        for (chunks, map) in widths {
            let mut weights = F128::zeros(a.len());
            weigh(&chunks[i], map.as_ref(), &mut weights);
            kernels::add_assign(a, &weights);
        }
    }
}

/// Writes the sum of parts of a chunk, mapped, to `a`.
fn weigh(parts: &[Part<'_>], map: Option<&LinearMap>, a: &mut [F128]) {
    let add = |weights: &mut [F128]| {
        for part in parts {
            let start = part.start % weights.len();
            let weights = &mut weights[start..][..part.table.len()];
            kernels::add_scaled(weights, part.table, part.scale);
        }
    };
    match map {
        Some(map) => {
            let mut weights = F128::zeros(a.len());
            add(&mut weights);
            map.apply_slice(a, &weights);
        }
        None => {
            a.fill(F128::ZERO);
            add(a);
        }
    }
}
