//! Products on cosets by nibble lanes: the 32 points of a coset in a register.
//!
//! Extensions are summed of tables, in the basis of the tower. A product of two is Karatsuba's three in `Tower4`, made
//! of logarithms. A product by a weight is Karatsuba's three as well, of two coordinates at a time: one look-up yields
//! the products of a nibble by a nibble of each.

use core::array;

use super::super::NibbleLanes;
use crate::aligned::Aligned;
use crate::coset::{self, Extension, Group, NibbleRows, ProductSums};
use crate::tower::{FROM_AES, NIBBLE_LOG, PAIR_MULTIPLES, POWERS, TO_AES};

/// Blocks whose products are held at once: with their sums they fit the first-level cache.
const TILE: usize = 8;

/// Pairs of a weight's coordinates.
const PAIRS: usize = 8;

/// Karatsuba's three factors of elements of `Tower8`: the low nibbles, the high ones and the sums of both.
type Split<T> = [T; 3];

/// Of 32 elements, or points.
type Row = [u8; 32];

/// The products of a block, in the order of [`coset::sums`].
type Products<const PLACES: usize> = [Split<Row>; PLACES];

/// By pair of coordinates the sums of Karatsuba's products for each product of a block; the nibbles of the pair in a byte.
type Totals<const PLACES: usize> = [Split<[Row; PLACES]>; PAIRS];

/// Of 64 blocks' weights, by pair of coordinates Karatsuba's factors, those of the pair in a byte.
type PairedWeights = [Split<[[u8; TILE]; 64 / TILE]>; PAIRS];

#[inline(always)]
pub(super) fn add_products<B: NibbleLanes>(
    lanes: B,
    sums: &mut ProductSums,
    planes: &[&[u32]],
    weights: &[Group],
    extension: &Extension,
) {
    match *planes {
        [a, b] => {
            let planes = [a, b];
            add_on_coset::<_, 2, 0, 1>(lanes, sums, planes, weights, extension);
        }
        [a, b, c] => {
            let planes = [a, b, c];
            add_on_coset::<_, 3, 0, 4>(lanes, sums, planes, weights, extension);
            add_on_coset::<_, 3, 1, 1>(lanes, sums, planes, weights, extension);
        }
        [a, b, c, d] => {
            let planes = [a, b, c, d];
            add_on_coset::<_, 4, 0, 11>(lanes, sums, planes, weights, extension);
            add_on_coset::<_, 4, 1, 5>(lanes, sums, planes, weights, extension);
            add_on_coset::<_, 4, 2, 1>(lanes, sums, planes, weights, extension);
        }
        _ => unreachable!("two to four planes"),
    }
}

/// The sums of `P` planes on one coset, where a block has as many products as `PLACES`; by coset, as the tables, products
/// and sums of one fit the first-level cache.
#[inline(always)]
fn add_on_coset<B: NibbleLanes, const P: usize, const COSET: usize, const PLACES: usize>(
    lanes: B,
    sums: &mut ProductSums,
    planes: [&[u32]; P],
    weights: &[Group],
    extension: &Extension,
) {
    let rows = &extension.nibbles.0[COSET];
    let mut totals: Aligned<Totals<PLACES>> = Aligned([[[[0; 32]; PLACES]; 3]; PAIRS]);
    let mut products = Aligned([[[[0; 32]; 3]; PLACES]; TILE]);
    for (group, weights) in weights.iter().enumerate() {
        let weights = Aligned(pair_weights(lanes, weights));
        let end = planes[0].len().min(64 * (group + 1));
        for (tile, start) in (64 * group..end).step_by(TILE).enumerate() {
            for (b, products) in (start..end).zip(&mut products.0) {
                let mut words = [0; P];
                for (word, plane) in words.iter_mut().zip(planes) {
                    *word = plane[b];
                }
                multiply_block::<_, P, COSET, PLACES>(lanes, products, words, rows);
            }
            // Blocks beyond the last weigh nothing.
            let pairs = totals.0.as_chunks_mut().0.iter_mut().zip(weights.0.as_chunks().0);
            for ([totals_0, totals_1], [weights_0, weights_1]) in pairs {
                let kinds = totals_0.iter_mut().zip(totals_1).zip(weights_0.iter().zip(weights_1));
                for (kind, ((totals_0, totals_1), (weights_0, weights_1))) in kinds.enumerate() {
                    let weights = [&weights_0[tile], &weights_1[tile]];
                    add_multiples(lanes, [totals_0, totals_1], &products.0, kind, weights);
                }
            }
        }
    }
    let mut bytes = [[[0; 32]; PLACES]; 2 * PAIRS];
    for (bytes, totals) in bytes.as_chunks_mut::<2>().0.iter_mut().zip(&totals.0) {
        for place in 0..PLACES {
            let pair = to_coordinates(lanes, totals.each_ref().map(|totals| &totals[place]));
            for (bytes, coordinate) in bytes.iter_mut().zip(pair) {
                lanes.store_bytes(&mut bytes[place], coordinate);
            }
        }
    }
    let subsets = coset::sums(P).filter(|&(_, coset)| coset == COSET);
    for (place, (subset, _)) in subsets.enumerate() {
        let sums = &mut sums.0[subset][32 * COSET..][..32];
        for (u, sum) in sums.iter_mut().enumerate() {
            *sum ^= u128::from_le_bytes(array::from_fn(|c| bytes[c][place][u]));
        }
    }
}

/// The factors of two coordinates are joined.
#[inline(always)]
fn pair_weights<B: NibbleLanes>(lanes: B, weights: &Group) -> PairedWeights {
    let mut paired: PairedWeights = [[[[0; TILE]; 64 / TILE]; 3]; PAIRS];
    for (paired, coordinates) in paired.iter_mut().zip(weights.0.as_chunks::<2>().0) {
        for half in 0..2 {
            let mut factors = [lanes.load_bytes(&[0; 32]); 2];
            for (bytes, tables) in coordinates.iter().zip(&FROM_AES) {
                let parts = lanes.nibbles(lanes.load_bytes(&bytes.as_chunks().0[half]));
                for (factor, tables) in factors.iter_mut().zip(tables) {
                    for (table, part) in tables.iter().zip(parts) {
                        let image = lanes.entries(lanes.table(table), part);
                        *factor = lanes.xor_bytes(*factor, image);
                    }
                }
            }
            let [low, high] = factors;
            for (row, v) in paired.iter_mut().zip([low, high, lanes.xor_bytes(low, high)]) {
                lanes.store_bytes(&mut row.as_flattened_mut().as_chunks_mut().0[half], v);
            }
        }
    }
    paired
}

/// The two coordinates, in the AES field, of which Karatsuba's products are known.
#[inline(always)]
fn to_coordinates<B: NibbleLanes>(lanes: B, totals: Split<&Row>) -> [B::Register; 2] {
    let (low, high) = (lanes.load_bytes(totals[0]), lanes.load_bytes(totals[1]));
    let both = lanes.load_bytes(totals[2]);
    let plain = lanes.xor_bytes(low, high);
    let zero = lanes.load_bytes(&[0; 32]);
    let mut coordinates = [zero; 2];
    for (v, table) in [plain, lanes.xor_bytes(plain, both), high].into_iter().zip(&TO_AES) {
        for (coordinate, nibble) in coordinates.iter_mut().zip(lanes.nibbles(v)) {
            *coordinate = lanes.xor_bytes(*coordinate, lanes.entries(lanes.table(table), nibble));
        }
    }
    coordinates
}

/// The products on a coset of a block of which each plane has the bits `words`.
#[inline(always)]
fn multiply_block<B: NibbleLanes, const P: usize, const COSET: usize, const PLACES: usize>(
    lanes: B,
    products: &mut Products<PLACES>,
    words: [u32; P],
    rows: &NibbleRows,
) {
    let mut products = Places { lanes, left: products };
    let a = Logarithms::of_bits(lanes, words[0], rows);
    let b = Logarithms::of_bits(lanes, words[1], rows);
    let ab = a.times(lanes, b);
    if COSET == 0 {
        products.push(ab);
    }
    let Some(&c) = words.get(2) else { return };
    let c = Logarithms::of_bits(lanes, c, rows);
    if COSET == 0 {
        products.push(a.times(lanes, c));
        products.push(b.times(lanes, c));
    }
    let ab = Logarithms::new(lanes, ab);
    let Some(&d) = words.get(3) else {
        products.push(ab.times(lanes, c));
        return;
    };
    let d = Logarithms::of_bits(lanes, d, rows);
    let cd = c.times(lanes, d);
    if COSET == 0 {
        products.push(a.times(lanes, d));
        products.push(b.times(lanes, d));
        products.push(cd);
    }
    let cd = Logarithms::new(lanes, cd);
    if COSET < 2 {
        products.push(ab.times(lanes, c));
        products.push(ab.times(lanes, d));
        products.push(a.times(lanes, cd));
        products.push(b.times(lanes, cd));
    }
    products.push(ab.times(lanes, cd));
}

/// Places for products that are not filled yet.
struct Places<'a, B> {
    lanes: B,
    left: &'a mut [Split<Row>],
}

impl<B: NibbleLanes> Places<'_, B> {
    #[inline(always)]
    fn push(&mut self, product: Split<B::Register>) {
        let left = core::mem::take(&mut self.left);
        if let Some((place, left)) = left.split_first_mut() {
            for (row, v) in place.iter_mut().zip(product) {
                self.lanes.store_bytes(row, v);
            }
            self.left = left;
        }
    }
}

/// Logarithms of Karatsuba's factors of elements of `Tower8`.
#[derive(Clone, Copy)]
struct Logarithms<R>(Split<R>);

impl<R: Copy> Logarithms<R> {
    /// Those of the values of a block's bits on a coset.
    #[inline(always)]
    fn of_bits<B: NibbleLanes<Register = R>>(lanes: B, word: u32, rows: &NibbleRows) -> Self {
        let mut sum = lanes.load_bytes(&rows[0][(word & 0xf) as usize]);
        for (i, rows) in rows.iter().enumerate().skip(1) {
            sum = lanes.xor_bytes(sum, lanes.load_bytes(&rows[(word >> (4 * i) & 0xf) as usize]));
        }
        let [low, high] = lanes.nibbles(sum);
        Self::new(lanes, [low, high, lanes.xor_bytes(low, high)])
    }

    #[inline(always)]
    fn new<B: NibbleLanes<Register = R>>(lanes: B, [low, high, both]: Split<R>) -> Self {
        let table = lanes.table(&NIBBLE_LOG);
        Self([lanes.entries(table, low), lanes.entries(table, high), lanes.entries(table, both)])
    }

    #[inline(always)]
    fn times<B: NibbleLanes<Register = R>>(self, lanes: B, other: Self) -> Split<R> {
        let (Self([a0, a1, a2]), Self([b0, b1, b2])) = (self, other);
        let (powers, by_generator) = (lanes.table(&POWERS[0]), lanes.table(&POWERS[1]));
        let high = lanes.add_logarithms(a1, b1);
        let low = lanes.entries(powers, lanes.add_logarithms(a0, b0));
        let low = lanes.xor_bytes(low, lanes.entries(powers, high));
        let both = lanes.entries(powers, lanes.add_logarithms(a2, b2));
        let both = lanes.xor_bytes(both, lanes.entries(by_generator, high));
        [low, lanes.xor_bytes(low, both), both]
    }
}

/// Adds to each total its product, that of `kind` among Karatsuba's, with the weight of each block; of two pairs of
/// coordinates, so that a product is loaded once for both.
#[inline(always)]
fn add_multiples<B: NibbleLanes, const PLACES: usize>(
    lanes: B,
    mut totals: [&mut [Row; PLACES]; 2],
    products: &[Products<PLACES>; TILE],
    kind: usize,
    weights: [&[u8; TILE]; 2],
) {
    let mut first = 0;
    let mut left = PLACES;
    while left > 0 {
        let at = (kind, first);
        let n = left.min(B::SUMS / 2);
        match n {
            6.. => add_run::<_, 6, _>(lanes, &mut totals, products, at, weights),
            5 => add_run::<_, 5, _>(lanes, &mut totals, products, at, weights),
            4 => add_run::<_, 4, _>(lanes, &mut totals, products, at, weights),
            3 => add_run::<_, 3, _>(lanes, &mut totals, products, at, weights),
            2 => add_run::<_, 2, _>(lanes, &mut totals, products, at, weights),
            _ => add_run::<_, 1, _>(lanes, &mut totals, products, at, weights),
        }
        (first, left) = (first + n, left - n);
    }
}

/// The totals of `J` products from number `first` on.
#[inline(always)]
fn add_run<B: NibbleLanes, const J: usize, const PLACES: usize>(
    lanes: B,
    totals: &mut [&mut [Row; PLACES]; 2],
    products: &[Products<PLACES>; TILE],
    (kind, first): (usize, usize),
    weights: [&[u8; TILE]; 2],
) {
    let mut sums = [[lanes.load_bytes(&[0; 32]); J]; 2];
    let weights = weights[0].iter().zip(weights[1]);
    for (products, (&w0, &w1)) in products.iter().zip(weights) {
        let m0 = lanes.table(&PAIR_MULTIPLES.0[usize::from(w0)]);
        let m1 = lanes.table(&PAIR_MULTIPLES.0[usize::from(w1)]);
        for j in 0..J {
            let factor = lanes.load_bytes(&products[first + j][kind]);
            sums[0][j] = lanes.xor_bytes(sums[0][j], lanes.entries(m0, factor));
            sums[1][j] = lanes.xor_bytes(sums[1][j], lanes.entries(m1, factor));
        }
    }
    for (totals, sums) in totals.iter_mut().zip(sums) {
        for (total, sum) in totals[first..].iter_mut().zip(sums) {
            lanes.store_bytes(total, lanes.xor_bytes(lanes.load_bytes(total), sum));
        }
    }
}
