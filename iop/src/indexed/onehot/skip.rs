//! The prover's univariate round of stage 2.
//!
//! A nibble's polynomial is a sum over the subsets `S` of its bits, of the product of their extensions with the
//! coefficient `prod_{s not in S} (1 + sigma_s)`. Products of `k` bits have degree at most `31 k` in `X`, so they are
//! summed on `D` and on `k - 1` of its cosets, and their sum is extended to the others once for all tiles.

use std::sync::LazyLock;

use binfer_field::coset::{BlockWeights, Extension, ProductSums, embed};
use binfer_field::{F128, WordMap, kernels};
use rayon::prelude::*;

use super::NIBBLE;
use super::domain::{self, POINTS, SIZE};

/// Blocks whose histograms are joined once.
const TASK: usize = 4096;

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

    /// Adds a tile: its indices, their planes, the point and the weight of its first nibble, `mu` times which is
    /// that of its second.
    pub(super) fn add(
        &mut self,
        tile: &TileBits<'_>,
        sigma: &[F128],
        high: &[F128],
        weight: F128,
        mu: F128,
    ) {
        let mut weights = kernels::eq_table(high);
        kernels::scale(&mut weights, weight);
        let n_nibbles = sigma.len().div_ceil(NIBBLE);
        let sums = tile.sums(&weights, n_nibbles);
        let mut power = F128::ONE;
        for (sigma, sums) in sigma.chunks(NIBBLE).zip(&sums) {
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

/// Weighted sums over the blocks of a tile for one nibble.
struct NibbleSums {
    /// Of products of its bits, on the cosets.
    products: ProductSums,
    /// Of its values on the domain.
    values: Values<SIZE>,
}

/// A tile's indices and their bit planes.
pub(super) struct TileBits<'a> {
    pub(super) bytes: &'a [u8],
    /// For each bit the 32 bits of each block.
    pub(super) planes: Vec<&'a [u32]>,
}

impl TileBits<'_> {
    /// The sums of each nibble: of products run by run, of values a few points at a time, so that work of either kind
    /// is cut evenly.
    fn sums(&self, weights: &[F128], n_nibbles: usize) -> Vec<NibbleSums> {
        let (products, values) =
            rayon::join(|| self.products(weights, n_nibbles), || self.values(weights, n_nibbles));
        products
            .into_iter()
            .zip(values)
            .map(|(products, values)| NibbleSums { products, values })
            .collect()
    }

    fn products(&self, weights: &[F128], n_nibbles: usize) -> Vec<ProductSums> {
        let zero = || vec![ProductSums::default(); n_nibbles];
        let runs = weights.par_chunks(Extension::BLOCKS).enumerate();
        let sums = runs.fold(zero, |mut sums, (run, weights)| {
            self.add_products(&mut sums, weights, run * Extension::BLOCKS);
            sums
        });
        let sums = sums.reduce_with(|mut a, b| {
            a.iter_mut().zip(&b).for_each(|(a, b)| a.add(b));
            a
        });
        sums.unwrap_or_else(zero)
    }

    fn add_products(&self, sums: &mut [ProductSums], weights: &[F128], start: usize) {
        let n_blocks = weights.len();
        let weights = BlockWeights::new(weights);
        for (sums, planes) in sums.iter_mut().zip(self.planes.chunks(NIBBLE)) {
            if planes.len() > 1 {
                let planes: Vec<&[u32]> =
                    planes.iter().map(|plane| &plane[start..][..n_blocks]).collect();
                EXTENSION.add_products(sums, &planes, &weights);
            }
        }
    }

    fn values(&self, weights: &[F128], n_nibbles: usize) -> Vec<Values<SIZE>> {
        let of_points = |first: usize| {
            let zero = || vec![[[F128::ZERO; 1 << NIBBLE]; POINTS_AT_A_TIME]; n_nibbles];
            let tasks = weights.par_chunks(TASK).enumerate();
            let sums = tasks.fold(zero, |mut sums, (task, weights)| {
                self.add_values(&mut sums, weights, task * TASK, first);
                sums
            });
            let sums = sums.reduce_with(|mut a, b| {
                let b = b.as_flattened().as_flattened();
                kernels::add_assign(a.as_flattened_mut().as_flattened_mut(), b);
                a
            });
            (first, sums.unwrap_or_else(zero))
        };
        let points = (0..SIZE / POINTS_AT_A_TIME).into_par_iter();
        let points = points.with_min_len(if weights.len() < BYTE_BINS { SIZE } else { 1 });
        let mut values = vec![[[F128::ZERO; 1 << NIBBLE]; SIZE]; n_nibbles];
        let sums: Vec<_> = points.map(|i| of_points(i * POINTS_AT_A_TIME)).collect();
        for (first, sums) in sums {
            for (values, sums) in values.iter_mut().zip(sums) {
                values[first..][..POINTS_AT_A_TIME].copy_from_slice(&sums);
            }
        }
        values
    }

    /// Adds the values at the points from `first` on.
    fn add_values(
        &self,
        sums: &mut [Values<POINTS_AT_A_TIME>],
        weights: &[F128],
        start: usize,
        first: usize,
    ) {
        let blocks = &self.bytes[start * SIZE..(start + weights.len()) * SIZE];
        let blocks = blocks.as_chunks::<SIZE>().0;
        if weights.len() < BYTE_BINS {
            for (block, &weight) in blocks.iter().zip(weights) {
                for (d, &byte) in block[first..][..POINTS_AT_A_TIME].iter().enumerate() {
                    for (t, sums) in sums.iter_mut().enumerate() {
                        sums[d][usize::from(byte >> (NIBBLE * t) & 0xf)] += weight;
                    }
                }
            }
            return;
        }
        let mut bins = [[F128::ZERO; 256]; POINTS_AT_A_TIME];
        kernels::block_histograms(&mut bins, blocks, first, weights);
        for (d, bins) in bins.iter().enumerate() {
            for (byte, &bin) in bins.iter().enumerate() {
                for (t, sums) in sums.iter_mut().enumerate() {
                    sums[d][byte >> (NIBBLE * t) & 0xf] += bin;
                }
            }
        }
    }
}

/// Takes a block's bits to the value at `z` of the polynomial that has them on the domain.
pub(super) fn extension_to(z: F128) -> WordMap {
    let basis = domain::lagrange(SIZE, z);
    WordMap::new(&core::array::from_fn(|d| basis[d]))
}

#[cfg(test)]
mod tests {
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
}
