//! Products on cosets by nibble lanes: the representatives of all three cosets in a register.
//!
//! Extensions are summed of tables, in the basis of the tower. A product of two is Karatsuba's three in `Tower4`, made
//! of logarithms. Its nibbles are elements of the subfield, over which a byte of a weight is a pair: one look-up among sixteen
//! entries multiplies both.

use super::super::NibbleLanes;
use crate::aligned::Aligned;
use crate::coset::{self, COSETS, Extension, FIRST_SUM, PAIRS, ProductSums};
use crate::tower::{NIBBLE_LOG, PAIR_MULTIPLES, POWERS};
use crate::{F128, Tower128};

/// Blocks whose products are held at once: with their sums they fit the first-level cache.
const TILE: usize = 8;

/// Bytes of a weight.
const BYTES: usize = 16;

/// Karatsuba's three factors of elements of `Tower8`: the low nibbles, the high ones and the sums of both.
type Split<T> = [T; 3];

/// A register in memory.
type Row = [u8; 32];

/// For each nibble of the bits and its value, its part of the values.
type NibbleRows = [[Row; 16]; 4];

/// The nibbles of a block's products in `ROWS` rows: set by set the low ones of the pairs on which it is summed, then the high ones.
/// What is stored last may reach a row beyond.
type Products<const ROWS: usize> = [Row; ROWS];

#[inline(always)]
pub(super) fn add_products<B: NibbleLanes>(
    lanes: B,
    sums: &mut [ProductSums],
    planes: &[&[u16]],
    weights: &[F128],
    extension: &Extension,
) {
    let mut bytes = vec![[0; BYTES]; weights.len().next_multiple_of(TILE)];
    for (bytes, &weight) in bytes.iter_mut().zip(weights) {
        *bytes = Tower128::from(weight).to_bits().to_le_bytes();
    }
    let (weights, rows) = (bytes.as_chunks().0, &extension.nibbles.0);
    for (sums, planes) in sums.iter_mut().zip(planes.chunks(4)) {
        match *planes {
            [_] => {}
            [a, b] => add_of_some::<_, 2, 1, 2>(lanes, sums, [a, b], weights, rows),
            [a, b, c] => add_of_some::<_, 3, 3, 4>(lanes, sums, [a, b, c], weights, rows),
            [a, b, c, d] => add_of_some::<_, 4, 9, 10>(lanes, sums, [a, b, c, d], weights, rows),
            _ => unreachable!("one to four planes"),
        }
    }
}

/// The sums of `P` planes, whose products fill `ROWS` rows, one less than `ROOM`.
#[inline(always)]
fn add_of_some<B: NibbleLanes, const P: usize, const ROWS: usize, const ROOM: usize>(
    lanes: B,
    sums: &mut ProductSums,
    planes: [&[u16]; P],
    weights: &[[[u8; BYTES]; TILE]],
    rows: &NibbleRows,
) {
    let mut totals = Aligned([[[0; 32]; ROWS]; BYTES]);
    let mut products = Aligned([[[0; 32]; ROOM]; TILE]);
    for (tile, weights) in weights.iter().enumerate() {
        for (b, products) in products.0.iter_mut().enumerate() {
            // Blocks beyond the last weigh nothing.
            let mut words = [0; P];
            for (word, plane) in words.iter_mut().zip(planes) {
                *word = plane.get(tile * TILE + b).copied().unwrap_or_default();
            }
            multiply_block(lanes, products.as_flattened_mut(), words, rows);
        }
        for (i, totals) in totals.0.as_chunks_mut().0.iter_mut().enumerate() {
            let of_byte = |i: usize| weights.map(|weight| weight[i]);
            let weights = [of_byte(2 * i), of_byte(2 * i + 1)];
            add_multiples(lanes, totals, &products.0, &weights);
        }
    }
    let byte = |i: usize, at: usize| totals.0[i].as_flattened()[at];
    let element = |at: usize| {
        let bytes = core::array::from_fn(|i| byte(i, at));
        F128::from(Tower128::new(u128::from_le_bytes(bytes)))
    };
    let mut first = 0;
    for j in coset::sets(P, 0) {
        let n = PAIRS * (coset::SUBSETS[j].len() - 1);
        for pair in 0..n {
            let [a, c] = &mut sums.elements[FIRST_SUM[j] + pair];
            *a += element(first + pair);
            *c += element(first + n + pair);
        }
        first += 2 * n;
    }
}

/// The products of a block of which each plane has the bits `words`.
#[inline(always)]
fn multiply_block<B: NibbleLanes, const P: usize>(
    lanes: B,
    products: &mut [u8],
    words: [u16; P],
    rows: &NibbleRows,
) {
    let mut places = Places { lanes, left: products };
    let a = Logarithms::of_bits(lanes, words[0], rows);
    let b = Logarithms::of_bits(lanes, words[1], rows);
    let ab = a.times(lanes, b);
    places.push(ab, 1);
    let Some(&c) = words.get(2) else { return };
    let c = Logarithms::of_bits(lanes, c, rows);
    places.push(a.times(lanes, c), 1);
    places.push(b.times(lanes, c), 1);
    let ab = Logarithms::new(lanes, ab);
    let Some(&d) = words.get(3) else {
        places.push(ab.times(lanes, c), 2);
        return;
    };
    let d = Logarithms::of_bits(lanes, d, rows);
    let cd = c.times(lanes, d);
    places.push(a.times(lanes, d), 1);
    places.push(b.times(lanes, d), 1);
    places.push(cd, 1);
    let cd = Logarithms::new(lanes, cd);
    places.push(ab.times(lanes, c), 2);
    places.push(ab.times(lanes, d), 2);
    places.push(a.times(lanes, cd), 2);
    places.push(b.times(lanes, cd), 2);
    places.push(ab.times(lanes, cd), COSETS);
}

/// Places for products that are not filled yet.
struct Places<'a, B> {
    lanes: B,
    left: &'a mut [u8],
}

impl<B: NibbleLanes> Places<'_, B> {
    /// Adds the nibbles of a product on so many cosets; what is stored beyond them is stored over.
    #[inline(always)]
    fn push(&mut self, [low, high, _]: Split<B::Register>, n_cosets: usize) {
        for nibbles in [low, high] {
            let left = core::mem::take(&mut self.left);
            if let Some(row) = left.first_chunk_mut() {
                self.lanes.store_bytes(row, nibbles);
            }
            self.left = &mut left[PAIRS * n_cosets..];
        }
    }
}

/// Logarithms of Karatsuba's factors of elements of `Tower8`.
#[derive(Clone, Copy)]
struct Logarithms<R>(Split<R>);

impl<R: Copy> Logarithms<R> {
    /// Those of the values of a block's bits on a coset.
    #[inline(always)]
    fn of_bits<B: NibbleLanes<Register = R>>(lanes: B, word: u16, rows: &NibbleRows) -> Self {
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

/// Adds to each total the multiples of its nibbles by a byte of each block's weight, for two bytes, so that nibbles are loaded
/// once for both.
#[inline(always)]
fn add_multiples<B: NibbleLanes, const ROWS: usize, const ROOM: usize>(
    lanes: B,
    totals: &mut [[Row; ROWS]; 2],
    products: &[Products<ROOM>; TILE],
    weights: &[[u8; TILE]; 2],
) {
    let mut first = 0;
    let mut left = ROWS;
    while left > 0 {
        let n = left.min(B::SUMS / 2);
        match n {
            6.. => add_run::<_, 6, _, _>(lanes, totals, products, first, weights),
            5 => add_run::<_, 5, _, _>(lanes, totals, products, first, weights),
            4 => add_run::<_, 4, _, _>(lanes, totals, products, first, weights),
            3 => add_run::<_, 3, _, _>(lanes, totals, products, first, weights),
            2 => add_run::<_, 2, _, _>(lanes, totals, products, first, weights),
            _ => add_run::<_, 1, _, _>(lanes, totals, products, first, weights),
        }
        (first, left) = (first + n, left - n);
    }
}

/// The totals of `J` rows from number `first` on.
#[inline(always)]
fn add_run<B: NibbleLanes, const J: usize, const ROWS: usize, const ROOM: usize>(
    lanes: B,
    totals: &mut [[Row; ROWS]; 2],
    products: &[Products<ROOM>; TILE],
    first: usize,
    weights: &[[u8; TILE]; 2],
) {
    let mut sums = [[lanes.load_bytes(&[0; 32]); J]; 2];
    let weights = weights[0].iter().zip(weights[1]);
    for (products, (&w0, w1)) in products.iter().zip(weights) {
        let m0 = lanes.table(&PAIR_MULTIPLES.0[usize::from(w0)]);
        let m1 = lanes.table(&PAIR_MULTIPLES.0[usize::from(w1)]);
        for j in 0..J {
            let factor = lanes.load_bytes(&products[first + j]);
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
