//! What the prover holds of a plan: every matrix's entries, its index bytes, its committed words.

use core::ops::Range;
use std::borrow::Cow;

use binfer_field::{F128, kernels::pack_planes, transpose_bits};
use binfer_iop::indexed::{Tile, TileBytes, tiles};
use rayon::prelude::*;

use super::bits::DIFFERENCE_BITS;
use super::choice::Choice;
use super::layout::Layout;
use super::plan::{Chunk, Matrix, Origin, Outputs, Plan, Source, of_tap};
use super::public;
use super::requantize::{Distance, Thresholds};
use super::wiring::{Gathered, batched};
use crate::graph::{Model, Op, Values, WeightMatrix};

/// Logarithm of the entries of a block that is packed at once.
const LOG_BLOCK: usize = 16;
/// Blocks that are held until they are in their places.
const BATCH: usize = 64;

/// A matrix's unsigned entries, `[column][row]`.
pub(crate) enum Entries<'a> {
    /// Of at most 8 bits.
    Bytes(Cow<'a, [u8]>),
    /// Of at most 32.
    Short(Vec<u32>),
    /// Of more.
    Wide(Vec<u64>),
    /// Of more than 64.
    Widest(Vec<u128>),
}

impl<'a> Entries<'a> {
    /// Those of a matrix that belongs to the model.
    fn of_model(matrix: &Matrix, weights: &'a [WeightMatrix]) -> Option<Self> {
        match matrix.source {
            Source::Weights(w) => Some(Self::Bytes(Cow::Borrowed(&weights[w].index))),
            Source::Bias(w) => {
                let entry = |&b: &i64| (i128::from(b) + matrix.offset) as u64;
                Some(Self::Wide(weights[w].bias.iter().map(entry).collect()))
            }
            _ => None,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Short(words) => words.len(),
            Self::Wide(words) => words.len(),
            Self::Widest(words) => words.len(),
        }
    }

    /// Eight bits of some entries from bit `first`.
    fn byte_plane(&self, first: u32, entries: Range<usize>) -> Cow<'_, [u8]> {
        match self {
            Self::Bytes(bytes) if first == 0 => Cow::Borrowed(&bytes[entries]),
            Self::Bytes(bytes) => bytes[entries].iter().map(|b| b >> first).collect(),
            Self::Short(words) => words[entries].iter().map(|w| (w >> first) as u8).collect(),
            Self::Wide(words) => words[entries].iter().map(|w| (w >> first) as u8).collect(),
            Self::Widest(words) => words[entries].iter().map(|w| (w >> first) as u8).collect(),
        }
    }

    /// The indices of a chunk, given the other matrix that it has bits of and the first of them, if it has.
    pub(crate) fn indices(&self, chunk: &Chunk, other: Option<(&Self, u32)>) -> Cow<'_, [u8]> {
        let mask = (1u32 << chunk.bits) - 1;
        if let (Self::Bytes(_), 0, 8) = (self, chunk.first, chunk.bits) {
            return self.byte_plane(0, 0..self.len());
        }
        let mut indices = self.byte_plane(chunk.first, 0..self.len()).into_owned();
        indices.iter_mut().for_each(|i| *i &= mask as u8);
        if let Some((other, first)) = other {
            let bits = other.byte_plane(first, 0..other.len());
            for (i, bits) in indices.iter_mut().zip(bits.iter()) {
                *i |= (bits & mask as u8) << chunk.bits;
            }
        }
        Cow::Owned(indices)
    }

    /// Bit planes of one tile, packed.
    pub(crate) fn planes(&self, matrix: &Matrix, tile: Tile) -> Vec<Vec<F128>> {
        let columns = tile.col..tile.col + (1 << tile.log_cols);
        let entries = columns.start * matrix.rows..columns.end * matrix.rows;
        let tile = Tile { col: 0, ..tile };
        let mut planes = Vec::with_capacity(matrix.bits as usize);
        for first in (0..matrix.bits).step_by(8) {
            let plane = self.byte_plane(first, entries.clone());
            let bytes = TileBytes::new(&tile, &plane, matrix.rows);
            let mut eight: [Vec<F128>; 8] = core::array::from_fn(|_| F128::zeros(tile.words()));
            pack_planes(eight.each_mut().map(|plane| &mut plane[..]), &bytes);
            planes.extend(eight.into_iter().take((matrix.bits - first) as usize));
        }
        planes
    }
}

/// The entries of every matrix of `plan` from a trace's tensors and accumulators, or `None` where an integer exceeds its width.
pub(crate) fn entries<'a>(
    model: &'a Model,
    plan: &Plan,
    tensors: &'a [Values],
    accumulators: &[Vec<i64>],
) -> Option<Vec<Entries<'a>>> {
    let is_constrained = |t: usize| plan.bit_checks.iter().any(|check| check.matrices.contains(&t));
    let entries_of = |matrix: &Matrix| -> Option<Entries<'a>> {
        Some(match matrix.source {
            Source::Weights(_) | Source::Bias(_) => Entries::of_model(matrix, &model.weights)?,
            Source::Tensor(t) => match &tensors[t] {
                Values::Codes(codes) => Entries::Bytes(Cow::Borrowed(codes)),
                // What no index and no constraint reads.
                values if matrix.first_plane.is_none() && !is_constrained(t) => {
                    public::are_in_range(values, matrix).then(|| Entries::Wide(Vec::new()))?
                }
                values => Entries::Wide(public::entries(values, matrix)?),
            },
            Source::Differences { node, tap } => {
                Entries::Wide(differences(model, tensors, node, tap, matrix.rows)?)
            }
            Source::Known(_) => match plan.known_values(matrix)? {
                Values::Codes(codes) => Entries::Bytes(Cow::Owned(codes.clone())),
                values => Entries::Wide(public::entries(values, matrix)?),
            },
            Source::Largest(node) => {
                Entries::Wide(Choice::new(model, plan, tensors, node)?.largest(matrix.offset))
            }
            Source::Behind(node) => {
                Entries::Wide(Choice::new(model, plan, tensors, node)?.behind())
            }
            Source::Selectors(node) => {
                Entries::Bytes(Cow::Owned(Choice::new(model, plan, tensors, node)?.selectors()))
            }
            Source::Distances(node) => {
                let codes = tensors[model.graph.nodes[node].op.output()].as_codes()?;
                let of_matmuls = plan.matmuls.iter().map(|matmul| &matmul.output);
                let mut outputs = of_matmuls.chain(plan.sums.iter().map(|sum| &sum.output));
                let output = outputs.find(|output| output.node == node)?;
                let Outputs::Codes { thresholds } = &output.outputs else {
                    return None;
                };
                let columns = (&accumulators[node][..], codes, matrix.rows);
                match matrix.bits {
                    0..=32 => Entries::Short(distances(thresholds, columns)),
                    33..=64 => Entries::Wide(distances(thresholds, columns)),
                    _ => Entries::Widest(distances(thresholds, columns)),
                }
            }
        })
    };
    plan.matrices.par_iter().map(entries_of).collect()
}

/// The distances of accumulators and codes `[column][row]`, given as many rows as their third says.
fn distances<T: Distance>(
    thresholds: &Thresholds,
    (accumulators, codes, rows): (&[i64], &[u8], usize),
) -> Vec<T> {
    let mut distances = vec![T::default(); codes.len()];
    let columns = accumulators.par_chunks(rows).zip(codes.par_chunks(rows));
    distances.par_chunks_mut(rows).zip(columns).enumerate().for_each(
        |(column, (distances, (accumulators, codes)))| {
            thresholds.distances(column).fill(accumulators, codes, distances);
        },
    );
    distances
}

/// By how much the outputs of a maximum exceed what a tap reads, and selectors: of the first tap without
/// difference.
fn differences(
    model: &Model,
    tensors: &[Values],
    node: usize,
    tap: usize,
    rows: usize,
) -> Option<Vec<u64>> {
    let Op::Max { x, gather, taps, y } = &model.graph.nodes[node].op else { return None };
    let (x, y) = (tensors[*x].as_codes()?, tensors[*y].as_codes()?);
    let gather = batched(gather, rows / gather.n_rows());
    let read = |tap: usize| {
        let gather = of_tap(&gather, *taps, tap)?;
        Some(Gathered::new(&gather, x, Some(0)).bytes)
    };
    let mut is_left = vec![true; y.len()];
    for tap in 0..tap {
        let earlier = read(tap)?;
        is_left.iter_mut().zip(y.iter().zip(earlier)).for_each(|(left, (&y, x))| *left &= y != x);
    }
    let entry = |((&y, x), left): ((&u8, u8), bool)| {
        let is_selected = left && x == y;
        let stored = if tap == 0 { !is_selected } else { is_selected };
        u64::from(y.wrapping_sub(x)) | u64::from(stored) << DIFFERENCE_BITS
    };
    Some(y.iter().zip(read(tap)?).zip(is_left).map(entry).collect())
}

/// The words of a model's oracle.
pub(crate) fn model_words(plan: &Plan, weights: &[WeightMatrix]) -> Vec<F128> {
    let none = || Entries::Wide(Vec::new());
    let matrices = plan.matrices.iter();
    let entries: Vec<_> =
        matrices.map(|m| Entries::of_model(m, weights).unwrap_or_else(none)).collect();
    words(plan, Origin::Model, &entries)
}

/// The words of the oracle that holds the matrices of `origin`.
pub(crate) fn words(plan: &Plan, origin: Origin, entries: &[Entries<'_>]) -> Vec<F128> {
    let layout = Layout::new(plan, origin);
    let mut words = F128::zeros(layout.n_words);
    let matrices = plan.matrices.iter().enumerate().filter(|(_, x)| x.origin == origin);
    let blocks: Vec<(usize, usize, usize, Tile)> = matrices
        .flat_map(|(m, matrix)| {
            let tiles = tiles(matrix.rows, matrix.cols).into_iter().enumerate();
            tiles.flat_map(move |(t, tile)| {
                blocks(tile).map(move |(offset, block)| (m, t, offset, block))
            })
        })
        .collect();
    for blocks in blocks.chunks(BATCH) {
        let planes = |&(m, .., block): &(usize, usize, usize, Tile)| {
            entries[m].planes(&plan.matrices[m], block)
        };
        let packed: Vec<_> = blocks.par_iter().map(planes).collect();
        for (&(m, t, offset, _), planes) in blocks.iter().zip(packed) {
            for (bit, plane) in planes.into_iter().enumerate() {
                let start = layout.offsets[m][bit][t] + offset;
                words[start..start + plane.len()].copy_from_slice(&plane);
            }
        }
    }
    words
}

/// The `n` weight matrices of a plan's model, from the words of its oracle: those of [`model_words`], from words that are.
pub(crate) fn model_weights(plan: &Plan, n: usize, words: &[F128]) -> Vec<WeightMatrix> {
    let layout = Layout::new(plan, Origin::Model);
    let mut weights = vec![WeightMatrix::default(); n];
    for (matrix, offsets) in plan.matrices.iter().zip(&layout.offsets) {
        match matrix.source {
            Source::Weights(w) => weights[w].index = unpacked(matrix, offsets, words),
            Source::Bias(w) => {
                let mut entries = vec![0u64; matrix.rows * matrix.cols];
                for (first, offsets) in (0..).step_by(8).zip(offsets.chunks(8)) {
                    let bits = unpacked(matrix, offsets, words);
                    entries
                        .iter_mut()
                        .zip(bits)
                        .for_each(|(x, bits)| *x |= u64::from(bits) << first);
                }
                let bias = |entry| (i128::from(entry) - matrix.offset) as i64;
                weights[w].bias = entries.into_iter().map(bias).collect();
            }
            _ => {}
        }
    }
    weights
}

/// Of each entry of a matrix the bits of at most eight planes, whose tiles' words begin at `offsets`: what
/// [`Entries::planes`] packs.
fn unpacked(matrix: &Matrix, offsets: &[Vec<usize>], words: &[F128]) -> Vec<u8> {
    let tiles = tiles(matrix.rows, matrix.cols).into_iter().enumerate();
    let tiles: Vec<(Tile, Vec<&[u8]>)> = tiles
        .map(|(t, tile)| {
            let planes = offsets.iter().map(|of_tiles| &words[of_tiles[t]..][..tile.words()]);
            (tile, planes.map(bytemuck::cast_slice).collect())
        })
        .collect();
    let mut entries = vec![0; matrix.rows * matrix.cols];
    entries.par_chunks_mut(matrix.rows).enumerate().for_each(|(c, column)| {
        for (tile, planes) in &tiles {
            if (tile.col..tile.col + (1 << tile.log_cols)).contains(&c) {
                let entries = &mut column[tile.row..][..1 << tile.log_rows];
                unpack(entries, planes, (c - tile.col) << tile.log_rows);
            }
        }
    });
    entries
}

/// A power of two of entries from `first`, a multiple of it, on, of at most eight planes of bits.
fn unpack(entries: &mut [u8], planes: &[&[u8]], first: usize) {
    if entries.len() < 8 {
        for (i, entry) in (first..).zip(entries) {
            let bits = (0..).zip(planes).map(|(s, plane)| (plane[i / 8] >> (i % 8) & 1) << s);
            *entry = bits.fold(0, |entry, bit| entry | bit);
        }
        return;
    }
    for (i, entries) in (first / 8..).zip(entries.as_chunks_mut().0) {
        let mut bits = [0; 8];
        bits.iter_mut().zip(planes).for_each(|(bits, plane)| *bits = plane[i]);
        *entries = transpose_bits(u64::from_le_bytes(bits)).to_le_bytes();
    }
}

/// A tile cut into blocks of whole columns, each with the offset of its words among the tile's.
fn blocks(tile: Tile) -> impl Iterator<Item = (usize, Tile)> {
    let log_cols = LOG_BLOCK.saturating_sub(tile.log_rows).min(tile.log_cols);
    (0..1 << (tile.log_cols - log_cols)).map(move |i| {
        let block = Tile { col: tile.col + (i << log_cols), log_cols, ..tile };
        (i * block.words(), block)
    })
}
