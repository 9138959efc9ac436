//! Sums over blocks of products of bits that are extended from a domain of 32 points to cosets.

use super::byte_lanes::split_words;
use super::{ByteLanes, Lanes};
use crate::coset::{Circulant, Extension, FIRST_SUBSET, Group, ProductSums, SUBSETS};

/// Groups of 64 blocks in a chunk at most.
const GROUPS: usize = Extension::BLOCKS / 64;

/// Adds to `sums` what [`Extension::add_products`] says.
///
/// In each group of 64 blocks `weights[i]` holds coordinate `i` of the weights. There are at most as many groups as
/// [`Extension::BLOCKS`] fill.
#[inline(always)]
pub(crate) fn coset_products<const N: usize>(
    isa: impl Lanes<N>,
    sums: &mut ProductSums,
    planes: &[&[u32]],
    weights: &[Group],
    extension: &Extension,
) {
    let (n_planes, bits) = (planes.len(), &byte_slices(planes, weights.len())[..]);
    match isa.byte_lanes() {
        Some(lanes) => by_lanes(lanes, sums, n_planes, bits, weights, extension),
        None => by_tables(sums, n_planes, bits, weights, extension),
    }
}

/// Bytes `4 s` to `4 s + 3` are those of plane `s`; blocks beyond the last are zero.
#[inline(always)]
fn byte_slices(planes: &[&[u32]], n_groups: usize) -> Vec<Group> {
    let mut bits = vec![Group::ZERO; n_groups];
    for (s, plane) in planes.iter().enumerate() {
        for (group, words) in bits.iter_mut().zip(plane.chunks(64)) {
            split_words(&mut group.0[4 * s..][..4], words);
        }
    }
    bits
}

#[inline(always)]
fn by_lanes<B: ByteLanes>(
    lanes: B,
    sums: &mut ProductSums,
    n_planes: usize,
    bits: &[Group],
    weights: &[Group],
    extension: &Extension,
) {
    let zero = lanes.load_bytes(&[0; 64]);
    let mut products = [[zero; GROUPS]; SUBSETS.len()];
    // Of four points, the values of each plane.
    let mut extended = [[[zero; 4]; GROUPS]; 4];
    for (k, circulant) in extension.matrices.iter().enumerate() {
        let first = FIRST_SUBSET[k / 8];
        for (g, bits) in bits.iter().enumerate() {
            for (s, bits) in bits.0.as_chunks::<4>().0.iter().take(n_planes).enumerate() {
                let [v0, v1, v2, v3] = extend(lanes, bits, *circulant);
                extended[0][g][s] = v0;
                extended[1][g][s] = v1;
                extended[2][g][s] = v2;
                extended[3][g][s] = v3;
            }
        }
        for (j, extended) in extended.iter().enumerate() {
            let u = k / 8 * 32 + 8 * j + k % 8;
            for (g, extended) in extended.iter().enumerate().take(weights.len()) {
                multiply_subsets(lanes, &mut products, g, *extended, first);
            }
            for (j, products) in products.iter().enumerate().skip(first) {
                if usize::from(SUBSETS[j][SUBSETS[j].len() - 1]) < n_planes {
                    sums.0[j][u] ^= weighted_sum(lanes, products, weights);
                }
            }
        }
    }
}

/// A plane's values at the four points that differ in the fourth and fifth bit of their numbers.
///
/// The value at point `p` is the sum of the images of byte `i` under `M_(p ^ i)`: Karatsuba's three products in place of
/// four, twice over.
#[inline(always)]
fn extend<B: ByteLanes>(
    lanes: B,
    [b0, b1, b2, b3]: &[[u8; 64]; 4],
    [m0, m1, m2, m3]: Circulant,
) -> [B::Register; 4] {
    let add = |x, y| lanes.xor_bytes(x, y);
    let (b0, b1) = (lanes.load_bytes(b0), lanes.load_bytes(b1));
    let (b2, b3) = (lanes.load_bytes(b2), lanes.load_bytes(b3));
    let (low, high) = (add(b0, b1), add(b2, b3));
    let all = lanes.affine(add(low, high), m0);
    let (even, odd) = (lanes.affine(add(b0, b2), m1), lanes.affine(add(b1, b3), m1));
    let (low, high) = (add(all, lanes.affine(low, m2)), add(all, lanes.affine(high, m2)));
    let (b0, b1) = (lanes.affine(b0, m3), lanes.affine(b1, m3));
    let (b2, b3) = (lanes.affine(b2, m3), lanes.affine(b3, m3));
    [
        add(high, add(odd, b3)),
        add(high, add(even, b2)),
        add(low, add(odd, b1)),
        add(low, add(even, b0)),
    ]
}

/// Of group `g`, the products of the subsets from `first` on.
#[inline(always)]
fn multiply_subsets<B: ByteLanes>(
    lanes: B,
    products: &mut [[B::Register; GROUPS]; SUBSETS.len()],
    g: usize,
    [a, b, c, d]: [B::Register; 4],
    first: usize,
) {
    let mul = |x, y| lanes.mul_bytes(x, y);
    let (ab, cd) = (mul(a, b), mul(c, d));
    products[10][g] = mul(ab, cd);
    if first <= FIRST_SUBSET[1] {
        products[6][g] = mul(ab, c);
        products[7][g] = mul(ab, d);
        products[8][g] = mul(a, cd);
        products[9][g] = mul(b, cd);
    }
    if first == FIRST_SUBSET[0] {
        products[0][g] = ab;
        products[1][g] = mul(a, c);
        products[2][g] = mul(b, c);
        products[3][g] = mul(a, d);
        products[4][g] = mul(b, d);
        products[5][g] = cd;
    }
}

/// `sum_b weights[b] products[b]`, two groups of 64 blocks at a time.
#[inline(always)]
fn weighted_sum<B: ByteLanes>(lanes: B, products: &[B::Register], weights: &[Group]) -> u128 {
    let mut totals = [lanes.load_bytes(&[0; 64]); 16];
    let (pairs, last) = weights.as_chunks::<2>();
    for ([w0, w1], product) in pairs.iter().zip(products.chunks_exact(2)) {
        for ((total, w0), w1) in totals.iter_mut().zip(&w0.0).zip(&w1.0) {
            let terms = (
                lanes.mul_bytes(product[0], lanes.load_bytes(w0)),
                lanes.mul_bytes(product[1], lanes.load_bytes(w1)),
            );
            *total = lanes.xor_bytes(*total, lanes.xor_bytes(terms.0, terms.1));
        }
    }
    for (weights, &product) in last.iter().zip(&products[2 * pairs.len()..]) {
        for (total, weights) in totals.iter_mut().zip(&weights.0) {
            let term = lanes.mul_bytes(product, lanes.load_bytes(weights));
            *total = lanes.xor_bytes(*total, term);
        }
    }
    u128::from_le_bytes(lanes.sum_each(totals))
}

/// Values at the points of the first `G` cosets.
type Values<const G: usize> = [[u8; 32]; G];

/// Without byte lanes: every product of a block's weight is looked up among all 256 of them.
#[inline(always)]
fn by_tables(
    sums: &mut ProductSums,
    n_planes: usize,
    bits: &[Group],
    weights: &[Group],
    extension: &Extension,
) {
    let groups = bits.iter().zip(weights);
    for ((bits, weights), b) in groups.flat_map(|g| (0..64).step_by(2).map(move |b| (g, b))) {
        let mut products = [Products::default(); 2];
        let mut tables = [[0; 256]; 2];
        for (i, (products, table)) in products.iter_mut().zip(&mut tables).enumerate() {
            *table = multiples(u128::from_le_bytes(core::array::from_fn(|j| weights.0[j][b + i])));
            let mut extended = [Values::<3>::default(); 4];
            let planes = bits.0.as_chunks::<4>().0.iter().take(n_planes);
            for (extended, bits) in extended.iter_mut().zip(planes) {
                for (table, bits) in extension.tables.iter().zip(bits) {
                    add(extended.as_flattened_mut(), &table[usize::from(bits[b + i])]);
                }
            }
            *products = Products::of(&extended, n_planes);
        }
        let [first, second] = &products;
        let (pairs, rest) = sums.0.split_at_mut(FIRST_SUBSET[1]);
        let (triples, all) = rest.split_at_mut(FIRST_SUBSET[2] - FIRST_SUBSET[1]);
        for (j, sums) in pairs.iter_mut().enumerate().take(n_planes * (n_planes - 1) / 2) {
            add_multiples(sums, &tables, [&first.pairs[j], &second.pairs[j]]);
        }
        let n_triples = [0, 0, 0, 1, 4][n_planes];
        for (j, sums) in triples.iter_mut().enumerate().take(n_triples) {
            add_multiples(sums, &tables, [&first.triples[j], &second.triples[j]]);
        }
        if n_planes == 4 {
            add_multiples(&mut all[0], &tables, [&first.all, &second.all]);
        }
    }
}

/// Of one block, the products that are summed, in the order of [`SUBSETS`].
#[derive(Clone, Copy, Default)]
struct Products {
    pairs: [Values<1>; 6],
    triples: [Values<2>; 4],
    all: Values<3>,
}

impl Products {
    #[inline(always)]
    fn of([a, b, c, d]: &[Values<3>; 4], n_planes: usize) -> Self {
        let mut products = Self::default();
        let ab = multiply::<3>(a, b);
        products.pairs[0] = first(&ab);
        if n_planes > 2 {
            products.pairs[1] = multiply(a, c);
            products.pairs[2] = multiply(b, c);
            products.triples[0] = multiply(&ab, c);
        }
        if n_planes > 3 {
            let cd = multiply::<3>(c, d);
            products.pairs[3] = multiply(a, d);
            products.pairs[4] = multiply(b, d);
            products.pairs[5] = first(&cd);
            products.triples[1] = multiply(&ab, d);
            products.triples[2] = multiply(a, &cd);
            products.triples[3] = multiply(b, &cd);
            products.all = multiply(&ab, &cd);
        }
        products
    }
}

#[inline(always)]
fn first(values: &Values<3>) -> Values<1> {
    [values[0]]
}

#[inline(always)]
fn add(a: &mut [u8], b: &[u8]) {
    for (a, b) in a.iter_mut().zip(b) {
        *a ^= b;
    }
}

/// `sums[u] += tables[0][factors[0][u]] + tables[1][factors[1][u]]`, on `G` cosets.
#[inline(always)]
fn add_multiples<const G: usize>(
    sums: &mut [u128; 96],
    tables: &[[u128; 256]; 2],
    factors: [&Values<G>; 2],
) {
    let factors = factors[0].as_flattened().iter().zip(factors[1].as_flattened());
    for (sum, (&a, &b)) in sums.iter_mut().zip(factors) {
        *sum ^= tables[0][usize::from(a)] ^ tables[1][usize::from(b)];
    }
}

/// `v w` for every byte `v`, for a vector `w` of sixteen bytes.
#[inline(always)]
fn multiples(w: u128) -> [u128; 256] {
    const LOW: u128 = u128::MAX / 0xff;
    let mut table = [0; 256];
    let mut power = w;
    for k in 0..8 {
        let (lower, upper) = table.split_at_mut(1 << k);
        for (upper, lower) in upper.iter_mut().zip(lower) {
            *upper = *lower ^ power;
        }
        power = ((power & (LOW * 0x7f)) << 1) ^ ((power >> 7 & LOW) * 0x1b);
    }
    table
}

/// Products of bytes in the AES field on the first `G` cosets, a bit of the second factor at a time.
#[inline(always)]
fn multiply<const G: usize>(a: &Values<3>, b: &Values<3>) -> Values<G> {
    let mut product = [[0; 32]; G];
    for ((product, a), b) in product.iter_mut().zip(a).zip(b) {
        let mut a = *a;
        for k in 0..8 {
            for ((product, a), b) in product.iter_mut().zip(&mut a).zip(b) {
                *product ^= *a & (b >> k & 1).wrapping_neg();
                *a = (*a << 1) ^ ((*a >> 7) * 0x1b);
            }
        }
    }
    product
}
