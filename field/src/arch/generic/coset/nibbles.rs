//! Products on cosets by nibble lanes: the 32 points of a coset in a register.
//!
//! Extensions are summed of tables, in the basis of the tower; products of two are made of logarithms in `Tower4`; a
//! product by a coordinate of a block's weight is two look-ups, in tables of that coordinate.

use super::super::NibbleLanes;
use crate::coset::{self, Extension, Group, NibbleRows, ProductSums};
use crate::tower::{KARATSUBA, MULTIPLES, NIBBLE_LOG};

/// Blocks whose products are held at once: with their sums they fit the first-level cache.
const TILE: usize = 8;

/// Products of a block at most, of each set of planes on its cosets.
const PRODUCTS: usize = 11 + 5 + 1;

/// On a coset, the low and the high nibbles of a product.
type Split = [[u8; 32]; 2];

#[inline(always)]
pub(super) fn add_products<B: NibbleLanes>(
    lanes: B,
    sums: &mut ProductSums,
    planes: &[&[u32]],
    weights: &[Group],
    extension: &Extension,
) {
    let places: Vec<_> = coset::sums(planes.len()).collect();
    // By coordinate of the weights and product.
    let mut totals = [[[0; 32]; PRODUCTS]; 16];
    let mut products = [[[[0; 32]; 2]; PRODUCTS]; TILE];
    let n_blocks = planes[0].len();
    for start in (0..n_blocks).step_by(TILE) {
        let n_blocks = TILE.min(n_blocks - start);
        for (b, products) in (start..).zip(&mut products[..n_blocks]) {
            multiply_block(lanes, products, planes, b, extension);
        }
        let (products, group) = (&products[..n_blocks], &weights[start / 64]);
        let coordinates = totals.as_chunks_mut().0.iter_mut().zip(group.0.as_chunks().0);
        for (totals, weights) in coordinates {
            let mut first = 0;
            while first + 4 <= places.len() {
                add_multiples::<_, 4>(lanes, totals, products, first, weights, start % 64);
                first += 4;
            }
            while first < places.len() {
                add_multiples::<_, 1>(lanes, totals, products, first, weights, start % 64);
                first += 1;
            }
        }
    }
    for (i, &(subset, coset)) in places.iter().enumerate() {
        let sums = &mut sums.0[subset][32 * coset..][..32];
        for (u, sum) in sums.iter_mut().enumerate() {
            *sum ^= u128::from_le_bytes(core::array::from_fn(|c| totals[c][i][u]));
        }
    }
}

/// The products of block `b`, in the order of [`coset::sums`].
#[inline(always)]
fn multiply_block<B: NibbleLanes>(
    lanes: B,
    products: &mut [Split; PRODUCTS],
    planes: &[&[u32]],
    block: usize,
    extension: &Extension,
) {
    let mut products = Places { lanes, left: products };
    for coset in 0..planes.len() - 1 {
        let rows = &extension.nibbles[coset];
        let a = Factor::of_bits(lanes, planes[0][block], rows);
        let b = Factor::of_bits(lanes, planes[1][block], rows);
        let ab = a.times(lanes, b);
        if coset == 0 {
            products.push(ab);
        }
        let Some(&c) = planes.get(2) else { continue };
        let c = Factor::of_bits(lanes, c[block], rows);
        if coset == 0 {
            products.push(a.times(lanes, c));
            products.push(b.times(lanes, c));
        }
        let ab = Factor::new(lanes, ab);
        let Some(&d) = planes.get(3) else {
            products.push(ab.times(lanes, c));
            continue;
        };
        let d = Factor::of_bits(lanes, d[block], rows);
        let cd = c.times(lanes, d);
        if coset == 0 {
            products.push(a.times(lanes, d));
            products.push(b.times(lanes, d));
            products.push(cd);
        }
        let cd = Factor::new(lanes, cd);
        if coset < 2 {
            products.push(ab.times(lanes, c));
            products.push(ab.times(lanes, d));
            products.push(a.times(lanes, cd));
            products.push(b.times(lanes, cd));
        }
        products.push(ab.times(lanes, cd));
    }
}

/// Places for products that are not filled yet.
struct Places<'a, B> {
    lanes: B,
    left: &'a mut [Split],
}

impl<B: NibbleLanes> Places<'_, B> {
    #[inline(always)]
    fn push(&mut self, product: B::Register) {
        let left = core::mem::take(&mut self.left);
        if let Some(([low, high], left)) = left.split_first_mut() {
            let nibbles = self.lanes.nibbles(product);
            self.lanes.store_bytes(low, nibbles[0]);
            self.lanes.store_bytes(high, nibbles[1]);
            self.left = left;
        }
    }
}

/// Elements of `Tower8` as Karatsuba's factors: the logarithms of their low nibbles, of their high ones and of the
/// sums of both.
#[derive(Clone, Copy)]
struct Factor<R>([R; 3]);

impl<R: Copy> Factor<R> {
    /// The values of a block's bits on a coset.
    #[inline(always)]
    fn of_bits<B: NibbleLanes<Register = R>>(lanes: B, word: u32, rows: &NibbleRows) -> Self {
        let mut sum = lanes.load_bytes(&rows[0][(word & 0xf) as usize]);
        for (i, rows) in rows.iter().enumerate().skip(1) {
            sum = lanes.xor_bytes(sum, lanes.load_bytes(&rows[(word >> (4 * i) & 0xf) as usize]));
        }
        Self::new(lanes, sum)
    }

    #[inline(always)]
    fn new<B: NibbleLanes<Register = R>>(lanes: B, v: R) -> Self {
        let table = lanes.table(&NIBBLE_LOG);
        let [low, high] = lanes.nibbles(v);
        let sum = lanes.xor_bytes(low, high);
        Self([lanes.entries(table, low), lanes.entries(table, high), lanes.entries(table, sum)])
    }

    #[inline(always)]
    fn times<B: NibbleLanes<Register = R>>(self, lanes: B, other: Self) -> R {
        let mut product = self.term(lanes, other, 0);
        for i in 1..3 {
            product = lanes.xor_bytes(product, self.term(lanes, other, i));
        }
        product
    }

    #[inline(always)]
    fn term<B: NibbleLanes<Register = R>>(self, lanes: B, other: Self, i: usize) -> R {
        let logarithms = lanes.add_logarithms(self.0[i], other.0[i]);
        lanes.entries(lanes.table(&KARATSUBA[i]), logarithms)
    }
}

/// Adds to each of `J` totals its product, from the one numbered `first`, times the weight, of each block; of two
/// coordinates at a time, so that a product is loaded once for both.
#[inline(always)]
fn add_multiples<B: NibbleLanes, const J: usize>(
    lanes: B,
    totals: &mut [[[u8; 32]; PRODUCTS]; 2],
    products: &[[Split; PRODUCTS]],
    first: usize,
    [weights_0, weights_1]: &[[u8; 64]; 2],
    start: usize,
) {
    let zero = lanes.load_bytes(&[0; 32]);
    let mut sums = [[zero; J]; 2];
    let weights = weights_0[start..].iter().zip(&weights_1[start..]);
    for (products, (&w0, &w1)) in products.iter().zip(weights) {
        let (m0, m1) = (&MULTIPLES[usize::from(w0)], &MULTIPLES[usize::from(w1)]);
        let (low_0, high_0) = (lanes.table(&m0.low), lanes.table(&m0.high));
        let (low_1, high_1) = (lanes.table(&m1.low), lanes.table(&m1.high));
        let products: &[Split; J] = products[first..].first_chunk().expect("J products from there");
        for (j, [l, h]) in products.iter().enumerate() {
            let (l, h) = (lanes.load_bytes(l), lanes.load_bytes(h));
            let term = lanes.xor_bytes(lanes.entries(low_0, l), lanes.entries(high_0, h));
            sums[0][j] = lanes.xor_bytes(sums[0][j], term);
            let term = lanes.xor_bytes(lanes.entries(low_1, l), lanes.entries(high_1, h));
            sums[1][j] = lanes.xor_bytes(sums[1][j], term);
        }
    }
    for (totals, sums) in totals.iter_mut().zip(sums) {
        for (total, sum) in totals[first..].iter_mut().zip(sums) {
            lanes.store_bytes(total, lanes.xor_bytes(lanes.load_bytes(total), sum));
        }
    }
}
