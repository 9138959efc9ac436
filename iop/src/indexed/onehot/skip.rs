//! The prover's univariate round of stage 2.
//!
//! A nibble's polynomial is a sum over the subsets `S` of its bits, of the product of their extensions with the
//! coefficient `prod_{s not in S} (1 + sigma_s)`. Products of `k` bits have degree at most `15 k` in `X`, so they are
//! summed on `D` and on `k - 1` of its cosets, and their sum is extended to the others once for all tiles.

use core::ops::Range;
use std::sync::LazyLock;

use binfer_field::coset::{self, BLOCKS, ProductSums, embed};
use binfer_field::{F128, Field, Tower8, kernels};
use rayon::prelude::*;

use super::NIBBLE;
use super::domain::{POINTS, SIZE};
use crate::multilinear::eq_tables;

/// Blocks that are summed at a time.
const TASK: usize = 2 * BLOCKS;

/// Blocks of which values of bytes are told apart before those of nibbles.
const BYTE_BINS: usize = 256;

/// For `n` of 16, 32 and 48, the Lagrange basis of the first `n` points at each of the others.
static WEIGHTS: LazyLock<[Vec<Vec<Tower8>>; NIBBLE - 1]> = LazyLock::new(|| {
    core::array::from_fn(|k| {
        let nodes = || (0..((k + 1) * SIZE) as u8).map(Tower8::new);
        let product = |factors: &mut dyn Iterator<Item = Tower8>| {
            factors.fold(Tower8::ONE, |product, factor| product * factor)
        };
        let others = |d: Tower8| nodes().filter(move |&e| e != d);
        let denominator = |d: Tower8| product(&mut others(d).map(|e| d + e));
        let weights: Vec<Tower8> = nodes().map(|d| denominator(d).invert()).collect();
        let basis = |x: Tower8| {
            let vanishing = product(&mut nodes().map(|e| x + e));
            nodes().zip(&weights).map(|(d, &w)| vanishing * (x + d).invert() * w).collect()
        };
        (((k + 1) * SIZE) as u8..POINTS as u8).map(|x| basis(Tower8::new(x))).collect()
    })
});

/// Sums of products of `k` bits by `k - 1` (of at most one for `k = 1`), on the points of which they are a
/// polynomial's values: 16, 32, 48 and 64.
pub(super) struct Round([Vec<F128>; NIBBLE]);

impl Round {
    pub(super) fn new() -> Self {
        Self(core::array::from_fn(|k| vec![F128::ZERO; (k + 1) * SIZE]))
    }

    /// Adds the sums of other tiles.
    pub(super) fn join(mut self, other: &Self) -> Self {
        for (sums, others) in self.0.iter_mut().zip(&other.0) {
            kernels::add_assign(sums, others);
        }
        self
    }

    /// Adds the blocks of tiles whose claims are for the index point `sigma`; second nibbles count `mu` times.
    pub(super) fn add(&mut self, sigma: &[F128], tiles: &[Weighted<'_>], mu: F128) {
        let mut power = F128::ONE;
        let sums = sums(tiles, sigma.len());
        let of_nibbles = sums.values.iter().zip(&sums.products);
        for (sigma, (values, products)) in sigma.chunks(NIBBLE).zip(of_nibbles) {
            self.add_nibble(sigma, values, products, power);
            power *= mu;
        }
    }

    fn add_nibble(&mut self, sigma: &[F128], values: &Values, products: &ProductSums, scale: F128) {
        // Of each subset of bits, the coefficient of its product.
        let mut coefficients = [F128::ZERO; 1 << NIBBLE];
        coefficients[0] = scale;
        for (s, &sigma) in sigma.iter().enumerate() {
            for subset in 0..1 << s {
                coefficients[subset | 1 << s] = coefficients[subset];
                coefficients[subset] *= F128::ONE + sigma;
            }
        }
        let degree = |subset: usize| (subset.count_ones() as usize).saturating_sub(1);
        // On the domain bits are bits: what counts is the nibble's value.
        for (k, sums) in self.0.iter_mut().enumerate() {
            let mut table = [F128::ZERO; 1 << NIBBLE];
            for (subset, &c) in coefficients.iter().enumerate().filter(|(s, _)| degree(*s) == k) {
                for (value, entry) in table.iter_mut().enumerate() {
                    if value & subset == subset {
                        *entry += c;
                    }
                }
            }
            for (sum, values) in sums.iter_mut().zip(values) {
                *sum += kernels::inner_product(&table, values);
            }
        }
        for (subset, products) in products.finish() {
            let subset = usize::from(subset);
            let outside = &mut self.0[degree(subset)][SIZE..];
            kernels::add_scaled(outside, &products, coefficients[subset]);
        }
    }

    /// `Q` on all points.
    pub(super) fn finish(self) -> Vec<F128> {
        let images: Vec<F128> = (0..=u8::MAX).map(|x| embed(Tower8::new(x))).collect();
        let mut total = vec![F128::ZERO; POINTS];
        for (k, sums) in self.0.into_iter().enumerate() {
            let (known, others) = total.split_at_mut(sums.len());
            kernels::add_assign(known, &sums);
            for (value, weights) in others.iter_mut().zip(WEIGHTS.get(k).into_iter().flatten()) {
                let terms = weights.iter().zip(&sums);
                *value += terms.map(|(&w, &sum)| images[usize::from(w.to_bits())] * sum).sum();
            }
        }
        total
    }
}

/// By point and value: sums over the blocks in which a nibble has that value there.
type Values = [[F128; 1 << NIBBLE]; SIZE];

/// Weighted sums over blocks, nibble by nibble.
#[derive(Clone)]
struct Sums {
    /// Of products of its bits, on the cosets.
    products: Vec<ProductSums>,
    /// Of its values on the domain.
    values: Vec<Values>,
    /// By point and index, what is still to be added to the values of its nibbles; empty or one for each point.
    bins: Vec<[F128; 256]>,
}

impl Sums {
    fn zero(n_nibbles: usize) -> Self {
        Self {
            products: vec![ProductSums::ZERO; n_nibbles],
            values: vec![[[F128::ZERO; 1 << NIBBLE]; SIZE]; n_nibbles],
            bins: Vec::new(),
        }
    }

    /// Adds the sums by indices to those by nibbles.
    fn settled(mut self) -> Self {
        for (d, bins) in self.bins.drain(..).enumerate() {
            for (sums, values) in self.values.iter_mut().zip(marginals(&bins)) {
                add(&mut sums[d], &values);
            }
        }
        self
    }

    /// Adds other sums; both are settled.
    fn add(&mut self, other: &Self) {
        self.products.iter_mut().zip(&other.products).for_each(|(sums, more)| sums.add(more));
        let others = other.values.as_flattened().as_flattened();
        kernels::add_assign(self.values.as_flattened_mut().as_flattened_mut(), others);
    }
}

/// A tile's indices and their bit planes.
pub(super) struct TileBits<'a> {
    pub(super) bytes: &'a [u8],
    /// For each bit the sixteen bits of each block.
    pub(super) planes: Vec<&'a [u16]>,
}

impl<'a> TileBits<'a> {
    /// Block `y` weighs `weight eq(high, y)`.
    pub(super) fn weighted(self, high: &[F128], weight: F128) -> Weighted<'a> {
        let [inner, mut outer] = eq_tables(high, TASK.ilog2() as usize);
        kernels::scale(&mut outer, weight);
        Weighted { tile: self, inner, outer }
    }
}

/// A tile whose block `y` weighs the product of one of `inner` and one of `outer`, of which `y` is the number, inner ones first.
pub(super) struct Weighted<'a> {
    tile: TileBits<'a>,
    inner: Vec<F128>,
    outer: Vec<F128>,
}

impl Weighted<'_> {
    /// The number of blocks.
    fn len(&self) -> usize {
        self.inner.len() * self.outer.len()
    }

    /// The blocks `range`, at most [`TASK`], of which `weights` gets the weights.
    fn blocks<'b>(&'b self, range: Range<usize>, weights: &'b mut [F128; TASK]) -> Blocks<'b> {
        let weights = &mut weights[..range.len()];
        let n = self.inner.len();
        let mut start = range.start;
        let mut rest = &mut *weights;
        while !rest.is_empty() {
            let inner = &self.inner[start % n..];
            let (part, after) = rest.split_at_mut(inner.len().min(rest.len()));
            kernels::scale_into(part, &inner[..part.len()], self.outer[start / n]);
            start += part.len();
            rest = after;
        }
        let bytes = self.tile.bytes.as_chunks().0;
        Blocks {
            bytes: &bytes[range.clone()],
            planes: self.tile.planes.iter().map(|plane| &plane[range.clone()]).collect(),
            weights,
        }
    }
}

/// The sums of all blocks for each nibble of indices of `width` bits: of as many blocks at a time as are worth it, of several
/// tiles where those are small.
fn sums(tiles: &[Weighted<'_>], width: usize) -> Sums {
    let zero = || Sums::zero(width.div_ceil(NIBBLE));
    let tasks = tasks(tiles.iter().map(Weighted::len));
    let sums = tasks.par_iter().fold(zero, |mut sums, parts| {
        let mut weights = [F128::ZERO; TASK];
        if let [(tile, range)] = &parts[..] {
            tiles[*tile].blocks(range.clone(), &mut weights).add_to(&mut sums);
            return sums;
        }
        let mut all = Gathered::new(width);
        for (tile, range) in parts {
            all.extend(&tiles[*tile].blocks(range.clone(), &mut weights));
        }
        all.blocks().add_to(&mut sums);
        sums
    });
    let sums = sums.map(Sums::settled).reduce_with(|mut a, b| {
        a.add(&b);
        a
    });
    sums.unwrap_or_else(zero)
}

/// Cuts tiles of so many blocks into tasks: the tiles and ranges of blocks of each.
fn tasks(lens: impl Iterator<Item = usize>) -> Vec<Vec<(usize, Range<usize>)>> {
    let mut tasks = Vec::new();
    let (mut task, mut room) = (Vec::new(), TASK);
    for (tile, len) in lens.enumerate() {
        let mut start = 0;
        while start < len {
            let n = room.min(len - start);
            task.push((tile, start..start + n));
            (start, room) = (start + n, room - n);
            if room == 0 {
                tasks.push(core::mem::take(&mut task));
                room = TASK;
            }
        }
    }
    tasks.extend(Some(task).filter(|task| !task.is_empty()));
    tasks
}

/// Blocks, by block: the indices, the bits of each of their planes, the weight.
struct Blocks<'a> {
    bytes: &'a [[u8; SIZE]],
    planes: Vec<&'a [u16]>,
    weights: &'a [F128],
}

/// Blocks of several tiles.
struct Gathered {
    bytes: Vec<[u8; SIZE]>,
    planes: Vec<Vec<u16>>,
    weights: Vec<F128>,
}

impl Gathered {
    fn new(width: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(TASK),
            planes: vec![Vec::with_capacity(TASK); width],
            weights: Vec::with_capacity(TASK),
        }
    }

    fn extend(&mut self, part: &Blocks<'_>) {
        self.bytes.extend_from_slice(part.bytes);
        self.weights.extend_from_slice(part.weights);
        for (all, plane) in self.planes.iter_mut().zip(&part.planes) {
            all.extend_from_slice(plane);
        }
    }

    fn blocks(&self) -> Blocks<'_> {
        let planes = self.planes.iter().map(Vec::as_slice).collect();
        Blocks { bytes: &self.bytes, planes, weights: &self.weights }
    }
}

impl Blocks<'_> {
    fn add_to(&self, sums: &mut Sums) {
        for (run, weights) in self.weights.chunks(BLOCKS).enumerate() {
            let of_run = self.planes.iter().map(|plane| &plane[run * BLOCKS..][..weights.len()]);
            coset::add_products(&mut sums.products, &of_run.collect::<Vec<_>>(), weights);
        }
        if self.weights.len() < BYTE_BINS {
            self.add_values(&mut sums.values);
        } else {
            self.add_bins(&mut sums.bins);
        }
    }

    fn add_values(&self, sums: &mut [Values]) {
        for (block, &weight) in self.bytes.iter().zip(self.weights) {
            for (d, &byte) in block.iter().enumerate() {
                for (t, sums) in sums.iter_mut().enumerate() {
                    sums[d][usize::from(byte >> (NIBBLE * t) & 0xf)] += weight;
                }
            }
        }
    }

    fn add_bins(&self, bins: &mut Vec<[F128; 256]>) {
        bins.resize(SIZE, [F128::ZERO; 256]);
        for (part, bins) in bins.as_chunks_mut().0.iter_mut().enumerate() {
            kernels::block_histograms(bins, self.bytes, part * bins.len(), self.weights);
        }
    }
}

/// The sums of a byte's bins by its lower nibble, and by its higher one.
fn marginals(bins: &[F128; 256]) -> [[F128; 1 << NIBBLE]; 2] {
    let [mut low, mut high] = [[F128::ZERO; 1 << NIBBLE]; 2];
    for (high, row) in high.iter_mut().zip(bins.as_chunks().0) {
        add(&mut low, row);
        *high = row.iter().copied().sum();
    }
    [low, high]
}

/// Adds so few elements that a call of a kernel would take longer.
fn add(sums: &mut [F128; 1 << NIBBLE], values: &[F128; 1 << NIBBLE]) {
    sums.iter_mut().zip(values).for_each(|(sum, &value)| *sum += value);
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;
    use crate::multilinear::eq_vertex;

    #[test]
    fn a_bit_weighs_as_the_field_says() {
        for (x, weights) in (SIZE as u8..).zip(&WEIGHTS[0]) {
            for (d, &weight) in (0..).zip(weights) {
                assert_eq!(weight, coset::lagrange(Tower8::new(d), Tower8::new(x)));
            }
        }
    }

    #[test]
    fn tiles_of_all_sizes_are_summed_together() {
        let mut rng = StdRng::seed_from_u64(7);
        // Tasks do not begin where the weights' tables do.
        let log_lens = [2, 0, 13, 9, 4, 11, 1];
        let n: usize = log_lens.iter().map(|log| 1 << log).sum();
        let point: Vec<_> = (0..13).map(|_| F128::random(&mut rng)).collect();
        for width in [3, 4, 7, 8] {
            let bytes: Vec<u8> = (0..n * SIZE).map(|_| rng.random::<u8>() >> (8 - width)).collect();
            let plane = |s: usize| -> Vec<u16> {
                let blocks = bytes.chunks(SIZE);
                let word =
                    |block: &[u8]| (0..SIZE).map(|d| u16::from(block[d] >> s & 1) << d).sum();
                blocks.map(word).collect()
            };
            let planes: Vec<_> = (0..width).map(plane).collect();
            let tile = |blocks: Range<usize>| TileBits {
                bytes: &bytes[blocks.start * SIZE..blocks.end * SIZE],
                planes: planes.iter().map(|plane| &plane[blocks.clone()]).collect(),
            };
            let mut start = 0;
            let mut expected = Sums::zero(width.div_ceil(NIBBLE));
            let tiles = log_lens.map(|log| {
                let blocks = start..start + (1 << log);
                start = blocks.end;
                let weight = F128::random(&mut rng);
                for (y, b) in blocks.clone().enumerate() {
                    let weight = weight * eq_vertex(&point[..log], y);
                    expected.add(&sums(&[tile(b..b + 1).weighted(&[], weight)], width));
                }
                tile(blocks).weighted(&point[..log], weight)
            });
            let sums = sums(&tiles, width);
            assert_eq!(sums.values, expected.values);
            for (sums, expected) in sums.products.iter().zip(&expected.products) {
                assert!(sums.finish().eq(expected.finish()));
            }
        }
    }
}
