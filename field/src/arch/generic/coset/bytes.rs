//! Products on cosets by byte lanes: 64 blocks in a register.
//!
//! The sums of weights by the bits of a product are a product of two matrices of bits. Bits of eight blocks' products and a
//! byte of their weights are eight by eight each.

use super::super::ByteLanes;
use crate::F128;
use crate::coset::{
    self, BLOCKS, BitSums, COSETS, Extension, FIRST_SUM, PAIRS, ProductSums, SUBSETS,
};

/// Groups of 64 blocks at most.
const GROUPS: usize = BLOCKS / 64;

/// Selects the bits of a byte, the highest first.
const DESCENDING: u64 = 0x0102_0408_1020_4080;

/// Sixteen bytes of each of 64 blocks; a register each, none across two lines of the cache.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Group([[u8; 64]; 16]);

#[inline(always)]
pub(super) fn add_products<B: ByteLanes>(
    lanes: B,
    sums: &mut [ProductSums],
    planes: &[&[u16]],
    weights: &[F128],
    extension: &Extension,
) {
    let mut groups = [Group([[0; 64]; 16]); GROUPS];
    for (group, weights) in groups.iter_mut().zip(weights.chunks(64)) {
        *group = bits_of_weights(lanes, weights);
    }
    let groups = &groups[..weights.len().div_ceil(64)];
    for (sums, planes) in sums.iter_mut().zip(planes.chunks(4)) {
        if planes.len() > 1 {
            add_of_four(lanes, sums, planes, groups, extension);
        }
    }
}

/// The sums of two to four planes.
#[inline(always)]
fn add_of_four<B: ByteLanes>(
    lanes: B,
    sums: &mut ProductSums,
    planes: &[&[u16]],
    weights: &[Group],
    extension: &Extension,
) {
    let (n_planes, bits) = (planes.len(), byte_slices(planes));
    let zero = lanes.load_bytes(&[0; 64]);
    let mut products = [[zero; GROUPS]; SUBSETS.len()];
    for coset in 0..COSETS {
        for pair in coset * PAIRS..(coset + 1) * PAIRS {
            let [low, high] = extension.matrices[pair];
            for (g, bits) in bits[..weights.len()].iter().enumerate() {
                let mut values = [zero; 4];
                for (value, [b0, b1]) in values.iter_mut().zip(bits).take(n_planes) {
                    let (b0, b1) = (lanes.load_bytes(b0), lanes.load_bytes(b1));
                    *value = lanes.xor_bytes(lanes.affine(b0, low), lanes.affine(b1, high));
                }
                multiply_subsets(lanes, &mut products, g, values, coset);
            }
            for j in coset::sets(n_planes, coset) {
                let products = &products[j][..weights.len()];
                let sums = &mut sums.0.0[FIRST_SUM[j] + pair];
                add_weighted(lanes, sums, products, weights, extension.to_tower);
            }
        }
    }
}

/// Of group `g`, the products of the subsets that are summed on a coset.
#[inline(always)]
fn multiply_subsets<B: ByteLanes>(
    lanes: B,
    products: &mut [[B::Register; GROUPS]; SUBSETS.len()],
    g: usize,
    [a, b, c, d]: [B::Register; 4],
    coset: usize,
) {
    let mul = |x, y| lanes.mul_bytes(x, y);
    let (ab, cd) = (mul(a, b), mul(c, d));
    products[10][g] = mul(ab, cd);
    if coset < 2 {
        products[6][g] = mul(ab, c);
        products[7][g] = mul(ab, d);
        products[8][g] = mul(a, cd);
        products[9][g] = mul(b, cd);
    }
    if coset == 0 {
        products[0][g] = ab;
        products[1][g] = mul(a, c);
        products[2][g] = mul(b, c);
        products[3][g] = mul(a, d);
        products[4][g] = mul(b, d);
        products[5][g] = cd;
    }
}

/// For each bit that `rows` selects of the products, adds the weights of the blocks whose product has it; two groups
/// of 64 blocks at a time.
#[inline(always)]
fn add_weighted<B: ByteLanes>(
    lanes: B,
    sums: &mut BitSums,
    products: &[B::Register],
    weights: &[Group],
    rows: u64,
) {
    let mut totals = [lanes.load_bytes(&[0; 64]); 16];
    let (pairs, last) = weights.as_chunks::<2>();
    for ([w0, w1], product) in pairs.iter().zip(products.chunks_exact(2)) {
        let bits = [lanes.functionals(product[0], rows), lanes.functionals(product[1], rows)];
        for ((total, w0), w1) in totals.iter_mut().zip(&w0.0).zip(&w1.0) {
            let terms = (
                lanes.affine_each(bits[0], lanes.load_bytes(w0)),
                lanes.affine_each(bits[1], lanes.load_bytes(w1)),
            );
            *total = lanes.xor_bytes(*total, lanes.xor_bytes(terms.0, terms.1));
        }
    }
    for (weights, &product) in last.iter().zip(&products[2 * pairs.len()..]) {
        let bits = lanes.functionals(product, rows);
        for (total, weights) in totals.iter_mut().zip(&weights.0) {
            let term = lanes.affine_each(bits, lanes.load_bytes(weights));
            *total = lanes.xor_bytes(*total, term);
        }
    }
    let halves = bytemuck::cast_mut::<_, [[u8; 64]; 2]>(sums);
    for (sums, more) in halves.iter_mut().zip(lanes.sum_words(totals)) {
        lanes.store_bytes(sums, lanes.xor_bytes(lanes.load_bytes(sums), more));
    }
}

/// For each byte of the weights of 64 blocks, zeros beyond the last, the bits of each eight blocks as a matrix that
/// [`ByteLanes::affine_each`] takes.
#[inline(always)]
fn bits_of_weights<B: ByteLanes>(lanes: B, weights: &[F128]) -> Group {
    // Word `16 l + p` in lane `l` of register `p` is taken to place `p` of lane `l` by a transposition.
    let mut words = [F128::ZERO; 64];
    for (l, run) in weights.chunks(16).enumerate() {
        for (lanes, &word) in words.as_chunks_mut::<4>().0.iter_mut().zip(run) {
            lanes[l] = word;
        }
    }
    let bytes = lanes.transpose(lanes.load_block(bytemuck::cast_ref(&words)));
    let mut group = Group([[0; 64]; 16]);
    for (bits, bytes) in group.0.iter_mut().zip(bytes) {
        lanes.store_bytes(bits, lanes.functionals(bytes, DESCENDING));
    }
    group
}

/// Of each group and plane both bytes of the bits of its blocks; blocks beyond the last are zero.
#[inline(always)]
fn byte_slices(planes: &[&[u16]]) -> [[[[u8; 64]; 2]; 4]; GROUPS] {
    let mut groups = [[[[0; 64]; 2]; 4]; GROUPS];
    for (s, plane) in planes.iter().enumerate() {
        for (group, words) in groups.iter_mut().zip(plane.chunks(64)) {
            let [low, high] = &mut group[s];
            for ((low, high), word) in low.iter_mut().zip(high).zip(words) {
                [*low, *high] = word.to_le_bytes();
            }
        }
    }
    groups
}
