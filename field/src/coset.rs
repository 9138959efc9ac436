//! The subfield GF(2^8) at work on bits: extensions from GF(2^4) to three of its cosets, and weighted sums of products of
//! extensions.
//!
//! Points are elements of [`Tower8`] and go by their bits: the first sixteen are the subfield GF(2^4), each sixteen more a coset of
//! it. The polynomial of degree below 16 that has bits on the subfield has its coefficients there, so that it has
//! conjugate values at conjugate points `x` and `x^16`, and so have products of such polynomials. A coset is eight pairs of these:
//! with `a + c X` the value at one of a pair, `X` the root that [`Tower8`] adjoins and `a` and `c` in the subfield, the other has
//! `a + c X^16`, and sums with weights at both follow from those of `a` and of `c`.
//!
//! A weight has 32 coordinates in the subfield, its nibbles in [`Tower128`]. Each is multiplied by `a` as Karatsuba does: the tower goes from bits
//! to the subfield in two steps, so that a product there is a combination of nine products of bits, which are sums of some bits of either
//! factor. What is summed over blocks are these.

use core::array;
use std::sync::LazyLock;

use crate::aligned::Aligned;
use crate::arch::dispatch::{self, Backend};
use crate::{F128, Field, Tower8, Tower128, count};

/// Points of the subfield, and of a coset.
pub const SIZE: usize = 16;

/// Blocks that are worked on together: what is made of so many stays in the first cache.
pub const BLOCKS: usize = 1024;

/// Pairs of conjugate points of a coset.
pub(crate) const PAIRS: usize = SIZE / 2;

/// Cosets.
pub(crate) const COSETS: usize = 3;

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
pub(crate) const FIRST_SUBSET: [usize; COSETS] = [0, 6, 10];

/// Where each subset's sums begin, a coset of pairs for each plane but one.
pub(crate) const FIRST_SUM: [usize; SUBSETS.len()] = {
    let mut first = [0; SUBSETS.len()];
    let mut j = 1;
    while j < first.len() {
        first[j] = first[j - 1] + PAIRS * (SUBSETS[j - 1].len() - 1);
        j += 1;
    }
    first
};

/// Sums of all subsets.
pub(crate) const SUMS: usize = FIRST_SUM[SUBSETS.len() - 1] + PAIRS * COSETS;

/// The image of an element of the subfield.
pub fn embed(x: Tower8) -> F128 {
    F128::from(Tower128::from(x))
}

/// The Lagrange basis of the subfield at `x`, its element that is one at `d`: `(x - d)^15 + 1`.
pub fn lagrange(d: Tower8, x: Tower8) -> Tower8 {
    (x + d).pow(15) + Tower8::ONE
}

/// What Karatsuba's nine products of bits are multiplied by in a product of two elements of the subfield: of the lower halves, the upper
/// ones and the sums of both those of the lower bits, of the upper ones and of the sums of both.
fn karatsuba_weights() -> [[Tower8; 3]; 3] {
    // (l + u R) (m + v R) = (1 + R) l m + (R^2 + R) u v + R (l + u) (m + v)
    let of_root = |root: Tower8| [Tower8::ONE + root, root.square() + root, root];
    let bits = of_root(Tower8::new(1 << 1));
    of_root(Tower8::new(1 << 2)).map(|half| bits.map(|bit| half * bit))
}

/// The bits of a byte, each as the lowest of a nibble: times a nibble, that nibble for each bit.
const LOW_BITS: [u32; 256] = {
    let mut nibbles = [0; 256];
    let mut byte = 1;
    while byte < 256 {
        nibbles[byte] = (nibbles[byte / 2] << 4) | (byte as u32 % 2);
        byte += 1;
    }
    nibbles
};

/// Pairs of points whose sums are together.
pub(crate) const QUAD: usize = 4;

/// Running sums at four pairs of points, of products of bits. Of the halves, lower, upper and both, and half the coordinates, word
/// `2 i + m` is of bits with number `i`, lower, upper and both: byte `2 p + h` of those of the value at pair `p`, `h` zero for `a` and
/// one for `c`, its bit `t` with those of coordinate `8 m + t`. What is beyond counts nothing.
pub(crate) type BitSums = [[[u8; 64]; 2]; 3];

/// Running sums; see [`add_products`].
#[derive(Clone)]
pub struct ProductSums {
    /// Those that are kept as elements, of `a` and `c` of each pair.
    pub(crate) elements: [[F128; 2]; SUMS],
    /// Those that are kept by bits; both count.
    pub(crate) bits: Aligned<[BitSums; SUMS / QUAD]>,
}

impl ProductSums {
    /// No sums yet.
    pub const ZERO: Self =
        Self { elements: [[F128::ZERO; 2]; SUMS], bits: Aligned([[[[0; 64]; 2]; 3]; SUMS / QUAD]) };

    /// Adds other sums.
    pub fn add(&mut self, other: &Self) {
        let elements = self.elements.as_flattened_mut().iter_mut();
        elements.zip(other.elements.as_flattened()).for_each(|(a, &b)| *a += b);
        let bits: &mut [u64] = bytemuck::cast_slice_mut(&mut self.bits.0);
        bits.iter_mut()
            .zip(bytemuck::cast_slice::<_, u64>(&other.bits.0))
            .for_each(|(a, b)| *a ^= b);
    }

    /// The sum of `a`'s, for `half` zero, or of `c`'s.
    fn element(&self, sum: usize, half: usize, weights: &[[Tower8; 3]; 3]) -> F128 {
        let row = 2 * (sum % QUAD) + half;
        let mut coordinates = [0; 4];
        for (sums, weights) in self.bits.0[sum / QUAD].iter().zip(weights) {
            for (words, coordinates) in sums.iter().zip(coordinates.as_chunks_mut::<2>().0) {
                let words = words.as_chunks::<8>().0.as_chunks::<2>().0;
                for (words, weight) in words.iter().zip(weights) {
                    for (word, coordinates) in words.iter().zip(&mut *coordinates) {
                        *coordinates ^=
                            LOW_BITS[usize::from(word[row])] * u32::from(weight.to_bits());
                    }
                }
            }
        }
        let total = coordinates.iter().rev().fold(0, |total, &next| total << 32 | u128::from(next));
        self.elements[sum][half] + F128::from(Tower128::new(total))
    }

    /// For each set of at least two planes, as a bit mask, its sums: on the first coset, on the first two for
    /// three planes, on all three for four.
    pub fn finish(&self) -> impl Iterator<Item = (u8, Vec<F128>)> + '_ {
        let root = Tower8::new(1 << 4);
        let (trace, root) = (embed(root + conjugate(root)), embed(root));
        let weights = karatsuba_weights();
        let place = |x: Tower8| usize::from(x.to_bits()) - SIZE;
        let places: Vec<_> = representatives().map(|x| [x, conjugate(x)].map(place)).collect();
        SUBSETS.into_iter().zip(FIRST_SUM).map(move |(subset, first)| {
            let n_cosets = subset.len() - 1;
            let mut values = vec![F128::ZERO; SIZE * n_cosets];
            for (places, sum) in places.iter().zip(first..first + PAIRS * n_cosets) {
                let [a, c] = [0, 1].map(|half| self.element(sum, half, &weights));
                values[places[0]] = a + root * c;
                values[places[1]] = a + (root + trace) * c;
            }
            (subset.iter().map(|s| 1 << s).sum(), values)
        })
    }
}

/// The conjugate over the subfield.
fn conjugate(x: Tower8) -> Tower8 {
    x.frobenius(SIZE.ilog2())
}

/// Of each pair of conjugates outside the subfield, coset by coset, the first.
fn representatives() -> impl Iterator<Item = Tower8> {
    let outside = SIZE as u8..((COSETS + 1) * SIZE) as u8;
    outside.map(Tower8::new).filter(|&x| x.to_bits() < conjugate(x).to_bits())
}

/// How sixteen bits on the subfield act on values at [`representatives`].
pub(crate) struct Extension {
    /// For each point, of each byte of the bits the matrix to its part of the value in the AES field.
    pub(crate) matrices: [[u64; 2]; COSETS * PAIRS],
    /// For each byte of the bits and its value, the parts of the values in the AES field.
    pub(crate) bytes: Box<[[[u8; COSETS * PAIRS]; 256]; 2]>,
    /// For each nibble of the bits and its value, the parts of the values in [`Tower8`], zeros after the last.
    pub(crate) nibbles: Box<Aligned<[[[u8; 32]; 16]; 4]>>,
    /// What takes a byte of the AES field to `a` and `c`: byte `2 k` selects the bits that make bit `k` of `a`, the next those of `c`'s.
    pub(crate) to_tower: u64,
    /// What takes weights to their coordinates: at `4 k + m`, of each byte of the weight the matrix to its part of bits `k` of the eight
    /// coordinates from `8 m` on, as often as a register of 64 bytes has it.
    pub(crate) coordinates: Box<Aligned<[[[u64; 8]; 16]; 16]>>,
}

/// The only one.
pub(crate) static EXTENSION: LazyLock<Extension> = LazyLock::new(|| {
    let mut points = [Tower8::ZERO; COSETS * PAIRS];
    points.iter_mut().zip(representatives()).for_each(|(point, x)| *point = x);
    let weight = |d: usize, u: usize| lagrange(Tower8::new(d as u8), points[u]);
    let in_aes = |d: usize, u: usize| weight(d, u).to_aes();
    let in_tower = |d: usize, u: usize| points.get(u).map_or(0, |_| weight(d, u).to_bits());
    let matrix = |u: usize, byte: usize| {
        crate::arch::byte_matrix(array::from_fn(|bit| in_aes(8 * byte + bit, u)))
    };
    let to_tower = |k: usize| {
        let image = |bit: usize| Tower8::from_aes(1 << bit).to_bits() >> k & 1;
        (0..8).fold(0, |row, bit| row | image(bit) << bit)
    };
    let coordinate_bits = |place: usize, bit: usize| {
        let nibbles = Tower128::from(F128::new(1 << bit)).to_bits() >> (32 * (place % 4));
        (0..8).fold(0, |byte, t| byte | ((nibbles >> (4 * t + place / 4) & 1) as u8) << t)
    };
    let to_coordinates = |place: usize, byte: usize| {
        crate::arch::byte_matrix(array::from_fn(|bit| coordinate_bits(place, 8 * byte + bit)))
    };
    Extension {
        matrices: array::from_fn(|u| [matrix(u, 0), matrix(u, 1)]),
        bytes: Box::new(array::from_fn(|i| parts(|bit, u| in_aes(8 * i + bit, u)))),
        nibbles: Box::new(Aligned(array::from_fn(|i| parts(|bit, u| in_tower(4 * i + bit, u))))),
        to_tower: u64::from_le_bytes(array::from_fn(|i| to_tower(i / 2 + 4 * (i % 2)))),
        coordinates: Box::new(Aligned(array::from_fn(|place| {
            array::from_fn(|byte| [to_coordinates(place, byte); 8])
        }))),
    }
});

/// For each value of the bits that `N` values have, its part of the values at `POINTS` points; `weight` is that of a bit at a
/// point.
fn parts<const N: usize, const POINTS: usize>(
    weight: impl Fn(usize, usize) -> u8,
) -> [[u8; POINTS]; N] {
    let mut table = [[0; POINTS]; N];
    for bit in 0..N.ilog2() as usize {
        for v in 0..1 << bit {
            table[v | 1 << bit] = array::from_fn(|u| table[v][u] ^ weight(bit, u));
        }
    }
    table
}

/// Of each four planes, of which there may be less at the end, and each set `S` of at least two of them:
/// `sums[S][x] += sum_b weights[b] prod_{s in S} p_s(x, b)` at each point `x` of the first `|S| - 1` cosets, where `p_s(X, b)` extends the
/// sixteen bits `planes[s][b]`.
///
/// # Panics
/// Where there are more weights than [`BLOCKS`], planes of other lengths, or not as many sums as fours.
pub fn add_products(sums: &mut [ProductSums], planes: &[&[u16]], weights: &[F128]) {
    add_products_on(Backend::current(), sums, planes, weights);
}

/// [`add_products`] on a backend of choice.
pub(crate) fn add_products_on(
    backend: Backend,
    sums: &mut [ProductSums],
    planes: &[&[u16]],
    weights: &[F128],
) {
    assert_eq!(sums.len(), planes.len().div_ceil(4));
    assert!(weights.len() <= BLOCKS);
    assert!(planes.iter().all(|plane| plane.len() == weights.len()));
    let _counted = count::kernel_of(operations(planes.len(), weights.len()));
    dispatch::coset_products(backend, sums, planes, weights, &EXTENSION);
}

/// The sums over blocks of `n_planes` planes at a pair of the coset with this number: the sets.
pub(crate) fn sets(n_planes: usize, coset: usize) -> impl Iterator<Item = usize> {
    let has = move |&j: &usize| SUBSETS[j].iter().all(|&s| usize::from(s) < n_planes);
    (FIRST_SUBSET[coset]..SUBSETS.len()).filter(has)
}

/// What [`add_products`] counts for `n_blocks` blocks of `n_planes` planes.
fn operations(n_planes: usize, n_blocks: usize) -> count::Counts {
    let mut counts = count::Counts::default();
    for four in (0..n_planes).step_by(4) {
        for j in (0..COSETS).flat_map(|coset| sets((n_planes - four).min(4), coset)) {
            let sums = (PAIRS * n_blocks) as u64;
            counts.byte_products += sums * (SUBSETS[j].len() as u64 - 1 + 16);
            counts.additions += sums;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_basis_is_that_of_the_subfield() {
        let subfield = || (0..SIZE as u8).map(Tower8::new);
        for d in subfield() {
            for e in subfield() {
                assert_eq!(lagrange(d, e), if d == e { Tower8::ONE } else { Tower8::ZERO });
            }
        }
        // The interpolation of a power of less than 16.
        let x = Tower8::new(0x9d);
        for exponent in [0, 1, 7, 15] {
            let terms = subfield().map(|d| lagrange(d, x) * d.pow(exponent));
            assert_eq!(terms.fold(Tower8::ZERO, |sum, term| sum + term), x.pow(exponent));
        }
    }

    #[test]
    fn pairs_fill_the_cosets() {
        let mut seen = [false; 64];
        for (i, x) in representatives().enumerate() {
            for x in [x, conjugate(x)] {
                let at = usize::from(x.to_bits());
                assert_eq!(at / SIZE, 1 + i / PAIRS);
                assert!(!core::mem::replace(&mut seen[at], true));
            }
        }
        assert!(seen[SIZE..].iter().all(|&seen| seen));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn sums_of_products_follow_their_definition(
            words in (1usize..9, prop_oneof![1usize..5, 60usize..70, BLOCKS - 70..=BLOCKS]).prop_flat_map(|(p, n)| vec(vec(any::<u16>(), n), p)),
            weight in any::<u128>(),
        ) {
            let n = words[0].len();
            let weights: Vec<F128> = (1..=n).map(|b| F128::new(weight).pow(b as u128)).collect();
            let planes: Vec<&[u16]> = words.iter().map(Vec::as_slice).collect();
            let value = |u: usize, word: u16| {
                let set = (0..SIZE as u8).filter(|d| word >> d & 1 == 1);
                let x = Tower8::new((SIZE + u) as u8);
                embed(set.fold(Tower8::ZERO, |sum, d| sum + lagrange(Tower8::new(d), x)))
            };
            for backend in Backend::available() {
                let mut sums = vec![ProductSums::ZERO; planes.len().div_ceil(4)];
                add_products_on(backend, &mut sums, &planes, &weights);
                for (sums, planes) in sums.iter().zip(planes.chunks(4)) {
                    for (subset, sums) in sums.finish() {
                        prop_assert_eq!(sums.len(), SIZE * (subset.count_ones() as usize - 1));
                        for (u, &sum) in sums.iter().enumerate().step_by(3) {
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
}
