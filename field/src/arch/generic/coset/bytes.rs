//! Products on cosets by byte lanes: 64 blocks in a register.
//!
//! For each of Karatsuba's products of bits, the sums over blocks are a product of two matrices of bits: of values at pairs of points, and of
//! coordinates of weights. Bits of four pairs, `a` and `c` each, in eight blocks are eight by eight, and so are those of eight coordinates.

use core::ops::Range;

use super::super::ByteLanes;
use crate::F128;
use crate::coset::{
    self, BitSums, COSETS, Extension, FIRST_SUM, PAIRS, ProductSums, QUAD, SUBSETS,
};

/// Groups of 64 blocks that are worked on together: what is made of them stays in the first cache.
const GROUPS: usize = 6;

/// Selects the bits of a byte, the highest first.
const DESCENDING: u64 = 0x0102_0408_1020_4080;

/// The bits of 64 blocks' weights, by halves, lower, upper and both, their bits, lower, upper and both, and eight coordinates: those of each eight
/// blocks as a matrix that [`ByteLanes::affine_each`] takes. A register each, none across two lines of the cache.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Group([[[[u8; 64]; 4]; 3]; 3]);

/// Values at four pairs of points of the planes, of the product of the first two, and of that of the last two.
type Values<R> = [[[R; GROUPS]; QUAD]; 6];

/// The values whose product is that of each of [`SUBSETS`], or the one that is it.
const FACTORS: [(usize, Option<usize>); SUBSETS.len()] = [
    (4, None),
    (0, Some(2)),
    (1, Some(2)),
    (0, Some(3)),
    (1, Some(3)),
    (5, None),
    (4, Some(2)),
    (4, Some(3)),
    (0, Some(5)),
    (1, Some(5)),
    (4, Some(5)),
];

#[inline(always)]
pub(super) fn add_products<B: ByteLanes>(
    lanes: B,
    sums: &mut [ProductSums],
    planes: &[&[u16]],
    weights: &[F128],
    extension: &Extension,
) {
    let mut groups = [Group([[[[0; 64]; 4]; 3]; 3]); GROUPS];
    let mut bits = [[[[0; 64]; 2]; 4]; GROUPS];
    for (run, weights) in weights.chunks(64 * GROUPS).enumerate() {
        for (group, weights) in groups.iter_mut().zip(weights.chunks(64)) {
            bits_of_weights(lanes, group, weights, extension);
        }
        let groups = &groups[..weights.len().div_ceil(64)];
        for (sums, planes) in sums.iter_mut().zip(planes.chunks(4)) {
            if planes.len() > 1 {
                let first = 64 * GROUPS * run;
                byte_slices(&mut bits, planes, first..first + weights.len());
                let bits = &bits[..groups.len()];
                add_of_four(lanes, sums, planes.len(), bits, groups, extension);
            }
        }
    }
}

/// The sums of two to four planes.
#[inline(always)]
fn add_of_four<B: ByteLanes>(
    lanes: B,
    sums: &mut ProductSums,
    n_planes: usize,
    bits: &[[[[u8; 64]; 2]; 4]],
    weights: &[Group],
    extension: &Extension,
) {
    let zero = lanes.load_bytes(&[0; 64]);
    let mut values: Values<B::Register> = [[[zero; GROUPS]; QUAD]; 6];
    let mut rows = [[[zero; 2]; 3]; GROUPS];
    for coset in 0..COSETS {
        for first in (coset * PAIRS..(coset + 1) * PAIRS).step_by(QUAD) {
            for p in 0..QUAD {
                let matrices = extension.matrices[first + p];
                fill_values(lanes, &mut values, p, n_planes, bits, matrices);
            }
            for j in coset::sets(n_planes, coset) {
                for (g, rows) in rows[..bits.len()].iter_mut().enumerate() {
                    let (x, y) = FACTORS[j];
                    let product = |p: usize| {
                        let x = values[x][p][g];
                        let product = y.map_or(x, |y| lanes.mul_bytes(x, values[y][p][g]));
                        lanes.functionals(product, extension.to_tower)
                    };
                    let bits = [product(0), product(1), product(2), product(3)];
                    *rows = halves(lanes, lanes.transpose_pairs(bits));
                }
                let sums = &mut sums.bits.0[(FIRST_SUM[j] + first) / QUAD];
                add_weighted(lanes, sums, &rows[..bits.len()], weights);
            }
        }
    }
}

/// The values at pair `p` of those that have a place.
#[inline(always)]
fn fill_values<B: ByteLanes>(
    lanes: B,
    values: &mut Values<B::Register>,
    p: usize,
    n_planes: usize,
    bits: &[[[[u8; 64]; 2]; 4]],
    [low, high]: [u64; 2],
) {
    for (g, bits) in bits.iter().enumerate() {
        for (s, [b0, b1]) in bits.iter().take(n_planes).enumerate() {
            let (b0, b1) = (lanes.load_bytes(b0), lanes.load_bytes(b1));
            values[s][p][g] = lanes.xor_bytes(lanes.affine(b0, low), lanes.affine(b1, high));
        }
        values[4][p][g] = lanes.mul_bytes(values[0][p][g], values[1][p][g]);
        values[5][p][g] = lanes.mul_bytes(values[2][p][g], values[3][p][g]);
    }
}

/// Of the four bits of elements, the two of the lower halves, of the upper ones and of the sums of both.
#[inline(always)]
fn halves<B: ByteLanes>(lanes: B, [b0, b1, b2, b3]: [B::Register; 4]) -> [[B::Register; 2]; 3] {
    [[b0, b1], [b2, b3], [lanes.xor_bytes(b0, b2), lanes.xor_bytes(b1, b3)]]
}

/// The lower bits, the upper ones and the sums of both.
#[inline(always)]
fn with_sum<B: ByteLanes>(lanes: B, [low, high]: [B::Register; 2]) -> [B::Register; 3] {
    [low, high, lanes.xor_bytes(low, high)]
}

/// Adds the products of all groups' bits, `rows` those of the values: by halves, lower, upper and both, the lower and the upper one.
#[inline(always)]
fn add_weighted<B: ByteLanes>(
    lanes: B,
    sums: &mut BitSums,
    rows: &[[[B::Register; 2]; 3]],
    weights: &[Group],
) {
    let zero = lanes.load_bytes(&[0; 64]);
    for (half, sums) in sums.iter_mut().enumerate() {
        let mut totals = [[zero; 8]; 2];
        let (pairs, last) = weights.as_chunks::<2>();
        for ([w0, w1], rows) in pairs.iter().zip(rows.chunks_exact(2)) {
            let bits = [with_sum(lanes, rows[0][half]), with_sum(lanes, rows[1][half])];
            for i in 0..3 {
                for m in 0..4 {
                    let terms = (
                        lanes.affine_each(bits[0][i], lanes.load_bytes(&w0.0[half][i][m])),
                        lanes.affine_each(bits[1][i], lanes.load_bytes(&w1.0[half][i][m])),
                    );
                    let total = &mut totals[m / 2][2 * i + m % 2];
                    *total = lanes.xor_bytes(*total, lanes.xor_bytes(terms.0, terms.1));
                }
            }
        }
        for (weights, rows) in last.iter().zip(&rows[2 * pairs.len()..]) {
            let bits = with_sum(lanes, rows[half]);
            for i in 0..3 {
                for m in 0..4 {
                    let term = lanes.affine_each(bits[i], lanes.load_bytes(&weights.0[half][i][m]));
                    let total = &mut totals[m / 2][2 * i + m % 2];
                    *total = lanes.xor_bytes(*total, term);
                }
            }
        }
        for (sums, totals) in sums.iter_mut().zip(totals) {
            let more = lanes.sum_words(totals);
            lanes.store_bytes(sums, lanes.xor_bytes(lanes.load_bytes(sums), more));
        }
    }
}

/// The bits of the coordinates of 64 blocks' weights, zeros beyond the last.
#[inline(always)]
fn bits_of_weights<B: ByteLanes>(
    lanes: B,
    group: &mut Group,
    weights: &[F128],
    extension: &Extension,
) {
    // Word `16 l + p` in lane `l` of register `p` is taken to place `p` of lane `l` by a transposition.
    let mut words = [F128::ZERO; 64];
    for (l, run) in weights.chunks(16).enumerate() {
        for (lanes, &word) in words.as_chunks_mut::<4>().0.iter_mut().zip(run) {
            lanes[l] = word;
        }
    }
    let bytes = lanes.transpose(lanes.load_block(bytemuck::cast_ref(&words)));
    let mut bits = [[lanes.load_bytes(&[0; 64]); 4]; 4];
    for (bits, matrices) in bits.as_flattened_mut().iter_mut().zip(&extension.coordinates.0) {
        let mut total = *bits;
        for (&byte, matrix) in bytes.iter().zip(matrices) {
            let matrix = lanes.load_bytes(bytemuck::cast_ref(matrix));
            total = lanes.xor_bytes(total, lanes.affine_each(byte, matrix));
        }
        *bits = lanes.functionals(total, DESCENDING);
    }
    for m in 0..4 {
        let halves = halves(lanes, [bits[0][m], bits[1][m], bits[2][m], bits[3][m]]);
        for (half, bits) in group.0.iter_mut().zip(halves) {
            for (words, bits) in half.iter_mut().zip(with_sum(lanes, bits)) {
                lanes.store_bytes(&mut words[m], bits);
            }
        }
    }
}

/// Of each group and plane both bytes of the bits of its blocks; what is there of blocks beyond the last, whose weights are zero, stays.
#[inline(always)]
fn byte_slices(groups: &mut [[[[u8; 64]; 2]; 4]; GROUPS], planes: &[&[u16]], blocks: Range<usize>) {
    for (s, plane) in planes.iter().enumerate() {
        for (group, words) in groups.iter_mut().zip(plane[blocks.clone()].chunks(64)) {
            let [low, high] = &mut group[s];
            for ((low, high), word) in low.iter_mut().zip(high).zip(words) {
                [*low, *high] = word.to_le_bytes();
            }
        }
    }
}
