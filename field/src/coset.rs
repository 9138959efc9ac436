//! The subfield GF(2^8) at work on bits: extensions from a domain of 32 points to three cosets of it, and
//! weighted sums of products of extensions.
//!
//! The subfield is written in the basis of the AES field, GF(2) adjoined a root of `x^8 + x^4 + x^3 + x + 1`, and
//! GF(2^128) as vectors of sixteen such bytes, its coordinates over the subfield.

use core::array;
use std::sync::LazyLock;

use crate::aligned::Aligned;
use crate::arch::dispatch::{self, Backend};
use crate::{F128, LinearMap, Tower8, Tower128, count};

/// Sixteen bytes of each of 64 blocks, the first bytes of all blocks first; a register each, none across two lines of
/// the cache.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Group(pub(crate) [[u8; 64]; 16]);

impl Group {
    pub(crate) const ZERO: Self = Self([[0; 64]; 16]);
}

/// The sets of at least two of four planes, small ones first.
pub(crate) const SUBSETS: [&[u8]; 11] = [
    &[0, 1],
    &[0, 2],
    &[1, 2],
    &[0, 3],
    &[1, 3],
    &[2, 3],
    &[0, 1, 2],
    &[0, 1, 3],
    &[0, 2, 3],
    &[1, 2, 3],
    &[0, 1, 2, 3],
];

/// The first subset that is summed on each coset: those of more than one, two and three planes.
pub(crate) const FIRST_SUBSET: [usize; 3] = [0, 6, 10];

/// The image of a byte of the AES field in GF(2^128).
pub fn embed(byte: u8) -> F128 {
    F128::from(Tower128::from(Tower8::from_aes(byte)))
}

/// GF(2^128) to its sixteen coordinates over the AES field: those in the tower, byte by byte.
static TO_COORDINATES: LazyLock<LinearMap> = LazyLock::new(|| {
    let image = |i: usize| {
        let bytes = Tower128::from(F128::new(1 << i)).to_bits().to_le_bytes();
        F128::new(u128::from_le_bytes(bytes.map(|byte| Tower8::new(byte).to_aes())))
    };
    LinearMap::new(&array::from_fn(image))
});

static FROM_COORDINATES: LazyLock<LinearMap> =
    LazyLock::new(|| TO_COORDINATES.inverse().expect("coordinates determine an element"));

/// The weights of at most [`Extension::BLOCKS`] blocks, as coordinates over the subfield.
pub struct BlockWeights {
    n_blocks: usize,
    groups: Vec<Group>,
}

impl BlockWeights {
    /// Takes the weights apart.
    ///
    /// # Panics
    /// If there are more than [`Extension::BLOCKS`].
    pub fn new(weights: &[F128]) -> Self {
        Self::new_on(Backend::current(), weights)
    }

    /// [`Self::new`] on a backend of choice.
    pub(crate) fn new_on(backend: Backend, weights: &[F128]) -> Self {
        assert!(weights.len() <= Extension::BLOCKS);
        let mut groups = vec![Group::ZERO; weights.len().div_ceil(64)];
        TO_COORDINATES.apply_slices_on(backend, &mut groups, weights);
        Self { n_blocks: weights.len(), groups }
    }
}

/// Running sums, by subset of planes and point; see [`Extension::add_products`].
#[derive(Clone)]
pub struct ProductSums(pub(crate) [[u128; 96]; 11]);

impl ProductSums {
    /// No sums yet.
    pub const ZERO: Self = Self([[0; 96]; 11]);

    /// Adds other sums.
    pub fn add(&mut self, other: &Self) {
        for (a, b) in self.0.as_flattened_mut().iter_mut().zip(other.0.as_flattened()) {
            *a ^= b;
        }
    }

    /// For each set of at least two planes, as a bit mask, its sums: on the first coset, on the first two for
    /// three planes, on all three for four.
    pub fn finish(&self) -> impl Iterator<Item = (u8, Vec<F128>)> + '_ {
        self.0.iter().enumerate().map(|(j, sums)| {
            let groups = FIRST_SUBSET.iter().filter(|&&first| j >= first).count();
            let mut values = vec![F128::ZERO; 32 * groups];
            FROM_COORDINATES.apply_slice(&mut values, bytemuck::cast_slice(&sums[..32 * groups]));
            (SUBSETS[j].iter().map(|s| 1 << s).sum(), values)
        })
    }
}

/// The extension of 32 bits on a domain to 96 points outside it, in three groups of 32.
///
/// The domain is a group under addition, of which the groups of points are cosets: a bit's weight at a point depends on the
/// difference of the two.
pub struct Extension {
    /// For each eight points of a group that differ in the lower three bits of their number, by these bits.
    pub(crate) matrices: Vec<Circulant>,
    /// For each byte of the bits and its value, the parts of the values at all points.
    pub(crate) tables: Vec<[[u8; 96]; 256]>,
    /// For each coset, the parts of its values in the basis of the tower.
    pub(crate) nibbles: Box<Aligned<[NibbleRows; 3]>>,
}

/// For each nibble of the bits and its value, its part of the values on a coset.
pub(crate) type NibbleRows = [[[u8; 32]; 16]; 8];

/// How bytes of bits act on points whose numbers differ in the fourth and fifth bit: with `M_j` the matrix of byte `i` at
/// point `i ^ j`, the matrices `M_0`, `M_0 + M_1`, `M_0 + M_2` and `M_0 + M_1 + M_2 + M_3`.
pub(crate) type Circulant = [u64; 4];

impl Extension {
    /// Blocks that are worked on together: what is made of so many stays in the first cache.
    pub const BLOCKS: usize = 768;

    /// The extension whose value at point `u` is `sum_d weights[u ^ d] bit_d`, the weights in the AES field.
    pub fn new(weights: &[u8; 96]) -> Self {
        let circulant = |k: usize| {
            let first = k / 8 * 32 + k % 8;
            let matrix = |j: usize| {
                crate::arch::byte_matrix(array::from_fn(|d| weights[(first + 8 * j) ^ d]))
            };
            let [m0, m1, m2, m3] = [0, 1, 2, 3].map(matrix);
            [m0, m0 ^ m1, m0 ^ m2, m0 ^ m1 ^ m2 ^ m3]
        };
        let in_tower = weights.map(|weight| Tower8::from_aes(weight).to_bits());
        let (of_cosets, _) = in_tower.as_chunks();
        let rows = |coset: usize| array::from_fn(|i| parts(&of_cosets[coset], 4 * i));
        Self {
            matrices: (0..24).map(circulant).collect(),
            tables: (0..4).map(|i| parts(weights, 8 * i)).collect(),
            nibbles: Box::new(Aligned(array::from_fn(rows))),
        }
    }

    /// `sums[S][u] += sum_b weight_b prod_{s in S} p_s(u, b)` for each set `S` of at least two planes and each
    /// point `u` of the first `|S| - 1` groups, where `p_s(u, b)` extends the 32 bits `planes[s][b]`.
    ///
    /// # Panics
    /// Unless there are two to four planes of as many blocks as there are weights.
    pub fn add_products(&self, sums: &mut ProductSums, planes: &[&[u32]], weights: &BlockWeights) {
        self.add_products_on(Backend::current(), sums, planes, weights);
    }

    /// [`Self::add_products`] on a backend of choice.
    pub(crate) fn add_products_on(
        &self,
        backend: Backend,
        sums: &mut ProductSums,
        planes: &[&[u32]],
        weights: &BlockWeights,
    ) {
        assert!((2..=4).contains(&planes.len()));
        assert!(planes.iter().all(|plane| plane.len() == weights.n_blocks));
        let _counted = count::kernel_of(operations(planes.len(), weights.n_blocks));
        dispatch::coset_products(backend, sums, planes, &weights.groups, self);
    }
}

/// For each value of the bits from number `first` on that `N` values have, its part of the values at all points.
fn parts<const N: usize, const POINTS: usize>(
    weights: &[u8; POINTS],
    first: usize,
) -> [[u8; POINTS]; N] {
    let mut table = [[0; POINTS]; N];
    for bit in 0..N.ilog2() as usize {
        for v in 0..1 << bit {
            table[v | 1 << bit] = array::from_fn(|u| table[v][u] ^ weights[u ^ (first + bit)]);
        }
    }
    table
}

/// The sums over blocks of `n_planes` planes, coset by coset: the number of each set that is summed there, and the coset's.
pub(crate) fn sums(n_planes: usize) -> impl Iterator<Item = (usize, usize)> {
    let has = move |set: &[u8]| set.iter().all(|&s| usize::from(s) < n_planes);
    let of_coset = move |(coset, first)| {
        let sets = SUBSETS.iter().enumerate().skip(first).filter(move |(_, set)| has(set));
        sets.map(move |(j, _)| (j, coset))
    };
    FIRST_SUBSET.into_iter().enumerate().flat_map(of_coset)
}

/// What [`Extension::add_products`] counts for `n_blocks` blocks of `n_planes` planes.
fn operations(n_planes: usize, n_blocks: usize) -> count::Counts {
    let mut counts = count::Counts::default();
    for (j, _) in sums(n_planes) {
        let sums = 32 * n_blocks as u64;
        counts.byte_products += sums * (SUBSETS[j].len() as u64 - 1 + 16);
        counts.additions += sums;
    }
    counts
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_subfield_is_the_aes_field() {
        let x = embed(2);
        assert_eq!(x.pow(8) + x.pow(4) + x.pow(3) + x + F128::ONE, F128::ZERO);
        assert_eq!(embed(0x57) * embed(0x83), embed(0xc1));
    }

    #[test]
    fn coordinates_are_linear_over_the_subfield() {
        let x = F128::new(0x0123_4567_89ab_cdef_0011_2233_4455_6677);
        let coordinates = TO_COORDINATES.apply(x).to_le_bytes();
        assert_eq!(FROM_COORDINATES.apply(TO_COORDINATES.apply(x)), x);
        let product = TO_COORDINATES.apply(x * embed(0x83)).to_le_bytes();
        for (&c, p) in coordinates.iter().zip(product) {
            assert_eq!(embed(c) * embed(0x83), embed(p));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn sums_of_products_follow_their_definition(
            seed in vec(any::<u8>(), 96),
            words in (2usize..5, prop_oneof![1usize..5, 60usize..70, Extension::BLOCKS - 70..=Extension::BLOCKS]).prop_flat_map(|(p, n)| vec(vec(any::<u32>(), n), p)),
            weight in any::<u128>(),
        ) {
            let extension = Extension::new(&array::from_fn(|u| seed[u]));
            let n = words[0].len();
            let weights: Vec<F128> = (1..=n).map(|b| F128::new(weight).pow(b as u128)).collect();
            let planes: Vec<&[u32]> = words.iter().map(Vec::as_slice).collect();
            let value = |u: usize, word: u32| {
                let set = (0..32).filter(|d| word >> d & 1 == 1);
                embed(set.fold(0, |sum, d| sum ^ seed[u ^ d]))
            };
            for backend in Backend::available() {
                let mut sums = ProductSums::ZERO;
                let block_weights = BlockWeights::new_on(backend, &weights);
                extension.add_products_on(backend, &mut sums, &planes, &block_weights);
                for (subset, sums) in sums.finish() {
                    prop_assert_eq!(sums.len(), 32 * (subset.count_ones() as usize - 1));
                    for (u, &sum) in sums.iter().enumerate().step_by(7) {
                        let mut expected = F128::ZERO;
                        for (b, &weight) in weights.iter().enumerate() {
                            let product = |s: usize| planes.get(s).map_or(F128::ZERO, |p| value(u, p[b]));
                            let chosen = (0..4).filter(|s| subset >> s & 1 == 1);
                            expected += chosen.map(product).fold(weight, |p, x| p * x);
                        }
                        prop_assert_eq!(sum, expected, "{:?} {:#b} {}", backend, subset, u);
                    }
                }
            }
        }
    }
}
