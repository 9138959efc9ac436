//! The prover's univariate round of stage 2.
//!
//! A nibble's polynomial is a sum over the subsets `S` of its bits, of the product of their extensions with the
//! coefficient `prod_{s not in S} (1 + sigma_s)`. Products of `k` bits have degree at most `31 k` in `X`, so they are
//! summed on `D` and on `k - 1` of its cosets, and their sum is extended to the others once for all tiles.

use core::ops::Range;
use std::sync::LazyLock;

use binfer_field::coset::{BlockWeights, Extension, ProductSums, embed};
use binfer_field::{F128, WordMap, kernels};
use rayon::prelude::*;

use super::NIBBLE;
use super::domain::{self, POINTS, SIZE};

/// Blocks that are summed at a time.
const TASK: usize = 2 * Extension::BLOCKS;

/// Points of the domain whose histograms are made together.
const POINTS_AT_A_TIME: usize = 8;

/// Blocks of which values of bytes are told apart before those of nibbles.
const BYTE_BINS: usize = 256;

/// For `n` of 32, 64 and 96, the Lagrange basis of the first `n` points at each of the others, as bytes of the AES
/// field: points are numbered by their coordinates, so products of numbers are products of points.
static WEIGHTS: LazyLock<[Vec<Vec<u8>>; NIBBLE - 1]> = LazyLock::new(|| {
    let mut inverse = [0u8; 256];
    for a in 1..=u8::MAX {
        // The power of 254: twice the product with the square so far, and a last square.
        let power = (0..6).fold(a, |power, _| multiply(multiply(power, power), a));
        inverse[usize::from(a)] = multiply(power, power);
    }
    let inverse = |a: u8| inverse[usize::from(a)];
    core::array::from_fn(|k| {
        let nodes = 0..((k + 1) * SIZE) as u8;
        let others = |d: u8| nodes.clone().filter(move |&e| e != d);
        let denominator = |d: u8| inverse(others(d).fold(1, |product, e| multiply(product, d ^ e)));
        let denominators: Vec<u8> = nodes.clone().map(denominator).collect();
        let basis = |x: u8| {
            let vanishing = nodes.clone().fold(1, |product, e| multiply(product, x ^ e));
            let value = |(d, &w): (u8, &u8)| multiply(multiply(vanishing, inverse(x ^ d)), w);
            nodes.clone().zip(&denominators).map(value).collect()
        };
        (nodes.end..POINTS as u8).map(basis).collect()
    })
});

/// The extension of bits from the domain to its cosets. As the domain is a subspace, its Lagrange basis at a point
/// depends on sums of points only: that of zero tells all.
static EXTENSION: LazyLock<Extension> =
    LazyLock::new(|| Extension::new(&core::array::from_fn(|u| WEIGHTS[0][u][0])));

/// The product in the AES field.
fn multiply(a: u8, b: u8) -> u8 {
    let (mut a, mut product) = (a, 0);
    for k in 0..8 {
        product ^= a * (b >> k & 1);
        a = (a << 1) ^ ((a >> 7) * 0x1b);
    }
    product
}

/// Sums of products of `k` bits by `k - 1` (of at most one for `k = 1`), on the points of which they are a
/// polynomial's values: 32, 64, 96 and 128.
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
        for (sigma, sums) in sigma.chunks(NIBBLE).zip(&sums(tiles, sigma.len())) {
            self.add_nibble(sigma, sums, power);
            power *= mu;
        }
    }

    fn add_nibble(&mut self, sigma: &[F128], of: &NibbleSums, scale: F128) {
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
            for (sum, values) in sums.iter_mut().zip(&of.values) {
                *sum += kernels::inner_product(&table, values);
            }
        }
        for (subset, products) in of.products.finish() {
            let subset = usize::from(subset);
            let outside = &mut self.0[degree(subset)][SIZE..];
            kernels::add_scaled(outside, &products, coefficients[subset]);
        }
    }

    /// `Q` on all points.
    pub(super) fn finish(self) -> Vec<F128> {
        let images: Vec<F128> = (0..=u8::MAX).map(embed).collect();
        let mut total = vec![F128::ZERO; POINTS];
        for (k, sums) in self.0.into_iter().enumerate() {
            let (known, others) = total.split_at_mut(sums.len());
            kernels::add_assign(known, &sums);
            for (value, weights) in others.iter_mut().zip(WEIGHTS.get(k).into_iter().flatten()) {
                let terms = weights.iter().zip(&sums);
                *value += terms.map(|(&w, &sum)| images[usize::from(w)] * sum).sum();
            }
        }
        total
    }
}

/// By point and value: sums over the blocks in which a nibble has that value there.
type Values<const N: usize> = [[F128; 1 << NIBBLE]; N];

/// Weighted sums over blocks for one nibble.
#[derive(Clone)]
struct NibbleSums {
    /// Of products of its bits, on the cosets.
    products: ProductSums,
    /// Of its values on the domain.
    values: Values<SIZE>,
}

impl NibbleSums {
    const ZERO: Self =
        Self { products: ProductSums::ZERO, values: [[F128::ZERO; 1 << NIBBLE]; SIZE] };

    fn add(&mut self, other: &Self) {
        self.products.add(&other.products);
        let others = other.values.as_flattened();
        kernels::add_assign(self.values.as_flattened_mut(), others);
    }
}

/// A tile's indices and their bit planes.
pub(super) struct TileBits<'a> {
    pub(super) bytes: &'a [u8],
    /// For each bit the 32 bits of each block.
    pub(super) planes: Vec<&'a [u32]>,
}

impl<'a> TileBits<'a> {
    /// Block `y` weighs `weight eq(high, y)`.
    pub(super) fn weighted(self, high: &[F128], weight: F128) -> Weighted<'a> {
        let mut weights = kernels::eq_table(high);
        kernels::scale(&mut weights, weight);
        Weighted { tile: self, weights }
    }
}

/// A tile and the weight of each of its blocks.
pub(super) struct Weighted<'a> {
    tile: TileBits<'a>,
    weights: Vec<F128>,
}

impl Weighted<'_> {
    /// The blocks `range`.
    fn blocks(&self, range: Range<usize>) -> Blocks<'_> {
        let bytes = self.tile.bytes.as_chunks().0;
        Blocks {
            bytes: &bytes[range.clone()],
            planes: self.tile.planes.iter().map(|plane| &plane[range.clone()]).collect(),
            weights: &self.weights[range],
        }
    }
}

/// The sums of all blocks for each nibble of indices of `width` bits: of as many blocks at a time as are worth it, of several
/// tiles where those are small.
fn sums(tiles: &[Weighted<'_>], width: usize) -> Vec<NibbleSums> {
    let zero = || vec![NibbleSums::ZERO; width.div_ceil(NIBBLE)];
    let tasks = tasks(tiles.iter().map(|tile| tile.weights.len()));
    let sums = tasks.par_iter().fold(zero, |mut sums, parts| {
        let mut parts = parts.iter().map(|(tile, range)| tiles[*tile].blocks(range.clone()));
        match (parts.next(), parts.len()) {
            (Some(part), 0) => part.add_to(&mut sums),
            (first, _) => {
                Gathered::new(first.into_iter().chain(parts), width).blocks().add_to(&mut sums)
            }
        }
        sums
    });
    let sums = sums.reduce_with(|mut a, b| {
        a.iter_mut().zip(&b).for_each(|(a, b)| a.add(b));
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
    planes: Vec<&'a [u32]>,
    weights: &'a [F128],
}

/// Blocks of several tiles.
struct Gathered {
    bytes: Vec<[u8; SIZE]>,
    planes: Vec<Vec<u32>>,
    weights: Vec<F128>,
}

impl Gathered {
    fn new<'a>(parts: impl Iterator<Item = Blocks<'a>>, width: usize) -> Self {
        let mut all = Self {
            bytes: Vec::with_capacity(TASK),
            planes: vec![Vec::with_capacity(TASK); width],
            weights: Vec::with_capacity(TASK),
        };
        for part in parts {
            all.bytes.extend_from_slice(part.bytes);
            all.weights.extend_from_slice(part.weights);
            for (all, plane) in all.planes.iter_mut().zip(part.planes) {
                all.extend_from_slice(plane);
            }
        }
        all
    }

    fn blocks(&self) -> Blocks<'_> {
        let planes = self.planes.iter().map(Vec::as_slice).collect();
        Blocks { bytes: &self.bytes, planes, weights: &self.weights }
    }
}

impl Blocks<'_> {
    fn add_to(&self, sums: &mut [NibbleSums]) {
        for (run, weights) in self.weights.chunks(Extension::BLOCKS).enumerate() {
            self.add_products(sums, run * Extension::BLOCKS, weights);
        }
        if self.weights.len() < BYTE_BINS { self.add_values(sums) } else { self.add_bins(sums) }
    }

    /// The products of the blocks from `start` on that have these weights.
    fn add_products(&self, sums: &mut [NibbleSums], start: usize, weights: &[F128]) {
        let n_blocks = weights.len();
        let weights = BlockWeights::new(weights);
        for (sums, planes) in sums.iter_mut().zip(self.planes.chunks(NIBBLE)) {
            if planes.len() > 1 {
                let planes: Vec<&[u32]> =
                    planes.iter().map(|plane| &plane[start..][..n_blocks]).collect();
                EXTENSION.add_products(&mut sums.products, &planes, &weights);
            }
        }
    }

    fn add_values(&self, sums: &mut [NibbleSums]) {
        for (block, &weight) in self.bytes.iter().zip(self.weights) {
            for (d, &byte) in block.iter().enumerate() {
                for (t, sums) in sums.iter_mut().enumerate() {
                    sums.values[d][usize::from(byte >> (NIBBLE * t) & 0xf)] += weight;
                }
            }
        }
    }

    /// Adds the values, of bytes first.
    fn add_bins(&self, sums: &mut [NibbleSums]) {
        for first in (0..SIZE).step_by(POINTS_AT_A_TIME) {
            let mut bins = [[F128::ZERO; 256]; POINTS_AT_A_TIME];
            kernels::block_histograms(&mut bins, self.bytes, first, self.weights);
            for (d, bins) in (first..).zip(&bins) {
                let [low, high] = marginals(bins);
                for (sums, values) in sums.iter_mut().zip([low, high]) {
                    add(&mut sums.values[d], &values);
                }
            }
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

/// Takes a block's bits to the value at `z` of the polynomial that has them on the domain.
pub(super) fn extension_to(z: F128) -> WordMap {
    let basis = domain::lagrange(SIZE, z);
    WordMap::new(&core::array::from_fn(|d| basis[d]))
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    #[test]
    fn numbers_multiply_as_points() {
        for (a, b) in [(2, 3), (0x57, 0x83), (0x7f, 0x1f)] {
            assert_eq!(embed(multiply(a, b)), embed(a) * embed(b));
        }
    }

    #[test]
    fn a_point_weighs_by_its_difference() {
        for (u, weights) in WEIGHTS[0].iter().enumerate() {
            for (d, &weight) in weights.iter().enumerate() {
                assert_eq!(weight, WEIGHTS[0][u ^ d][0]);
            }
        }
    }

    #[test]
    fn tiles_of_all_sizes_are_summed_together() {
        let mut rng = StdRng::seed_from_u64(7);
        let lens = [4, 2 * TASK + 8, 1, 16, 300, TASK - 100, 2];
        let n = lens.iter().sum();
        for width in [3, 4, 7, 8] {
            let bytes: Vec<u8> = (0..n * SIZE).map(|_| rng.random::<u8>() >> (8 - width)).collect();
            let plane = |s: usize| -> Vec<u32> {
                let blocks = bytes.chunks(SIZE);
                let word =
                    |block: &[u8]| (0..SIZE).map(|d| u32::from(block[d] >> s & 1) << d).sum();
                blocks.map(word).collect()
            };
            let planes: Vec<_> = (0..width).map(plane).collect();
            let weights: Vec<_> = (0..n).map(|_| F128::random(&mut rng)).collect();
            let tile = |blocks: Range<usize>| {
                let bytes = &bytes[blocks.start * SIZE..blocks.end * SIZE];
                let planes = planes.iter().map(|plane| &plane[blocks.clone()]).collect();
                Weighted { tile: TileBits { bytes, planes }, weights: weights[blocks].to_vec() }
            };
            let mut start = 0;
            let tiles = lens.map(|len| {
                start += len;
                tile(start - len..start)
            });
            let mut expected = vec![NibbleSums::ZERO; width.div_ceil(NIBBLE)];
            for b in 0..n {
                let one = sums(&[tile(b..b + 1)], width);
                expected.iter_mut().zip(&one).for_each(|(all, one)| all.add(one));
            }
            for (sums, expected) in sums(&tiles, width).iter().zip(&expected) {
                assert_eq!(sums.values, expected.values);
                assert!(sums.products.finish().eq(expected.products.finish()));
            }
        }
    }
}
