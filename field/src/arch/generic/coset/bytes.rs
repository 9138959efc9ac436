//! Products on cosets by byte lanes: 64 blocks in a register.

use super::super::ByteLanes;
use super::super::byte_lanes::split_words;
use crate::coset::{Circulant, Extension, FIRST_SUBSET, Group, ProductSums, SUBSETS};

/// Groups of 64 blocks in a chunk at most.
const GROUPS: usize = Extension::BLOCKS / 64;

#[inline(always)]
pub(super) fn add_products<B: ByteLanes>(
    lanes: B,
    sums: &mut ProductSums,
    planes: &[&[u32]],
    weights: &[Group],
    extension: &Extension,
) {
    let (n_planes, bits) = (planes.len(), byte_slices(planes, weights.len()));
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
