//! Sums of elements by the bits of words: a product of two matrices of bits.

use super::{ByteLanes, Lanes};
use crate::F128;

/// Blocks of 64 words that are held transposed at once: twice as many registers fit the first-level cache.
const BLOCKS: usize = 16;

/// Words from which sums by the values of bytes take less than those by bits.
const WORTH_BINS: usize = 1 << 9;

/// A register for each byte of a word.
type Planes = [[u8; 64]; 16];

/// `sums[i] += ` the sum of the weights of the words that have bit `i`.
#[inline(always)]
pub(crate) fn bit_sums<const N: usize, L: Lanes<N>>(
    isa: L,
    sums: &mut [F128; 128],
    words: &[F128],
    weights: &[F128],
) {
    let mut done = 0;
    if let Some(lanes) = isa.byte_lanes() {
        let (words, weights) = (words.as_chunks::<64>().0, weights.as_chunks::<64>().0);
        let mut products = [[[0; 64]; 16]; 16];
        for (words, weights) in words.chunks(BLOCKS).zip(weights.chunks(BLOCKS)) {
            add_blocks(lanes, &mut products, words, weights);
        }
        let mut of_weights = by_weight_bits(&products);
        super::transpose(isa, &mut of_weights);
        sums.iter_mut().zip(of_weights).for_each(|(sum, more)| *sum += more);
        done = 64 * words.len();
    }
    let (words, weights) = (&words[done..], &weights[done..]);
    if words.len() >= WORTH_BINS {
        add_by_bytes(sums, words, weights);
    } else {
        for (word, &weight) in words.iter().zip(weights) {
            let mut bits = word.to_bits();
            while bits != 0 {
                sums[bits.trailing_zeros() as usize] += weight;
                bits &= bits - 1;
            }
        }
    }
}

/// Adds the products of the bits of words and of weights, byte by byte of both: of each eight words, whatever
/// eight they are, one of 8 x 8 bits.
#[inline(always)]
fn add_blocks<B: ByteLanes>(
    lanes: B,
    products: &mut [Planes; 16],
    words: &[[F128; 64]],
    weights: &[[F128; 64]],
) {
    let mut transposed = [[[[0; 64]; 16]; 2]; BLOCKS];
    let transposed = &mut transposed[..words.len()];
    for (planes, (words, weights)) in transposed.iter_mut().zip(words.iter().zip(weights)) {
        transpose_bits(lanes, &mut planes[0], words);
        transpose_bits(lanes, &mut planes[1], weights);
    }
    // Sixteen products at a time stay in registers.
    for (a, products) in products.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        for b in 0..4 {
            let mut tile = [[lanes.load_bytes(&[0; 64]); 4]; 4];
            for (tile, products) in tile.iter_mut().zip(&*products) {
                for (sum, product) in tile.iter_mut().zip(&products[4 * b..]) {
                    *sum = lanes.load_bytes(product);
                }
            }
            for [words, weights] in &*transposed {
                let w = &weights[4 * b..4 * b + 4];
                let w = [
                    lanes.load_bytes(&w[0]),
                    lanes.load_bytes(&w[1]),
                    lanes.load_bytes(&w[2]),
                    lanes.load_bytes(&w[3]),
                ];
                for (tile, word) in tile.iter_mut().zip(&words[4 * a..]) {
                    let word = lanes.load_bytes(word);
                    for (sum, w) in tile.iter_mut().zip(w) {
                        *sum = lanes.xor_bytes(*sum, lanes.affine_each(w, word));
                    }
                }
            }
            for (tile, products) in tile.into_iter().zip(&mut *products) {
                for (sum, product) in tile.into_iter().zip(&mut products[4 * b..]) {
                    lanes.store_bytes(product, sum);
                }
            }
        }
    }
}

/// Bytes of 64 words, and the bits of each eight of them.
#[inline(always)]
fn transpose_bits<B: ByteLanes>(lanes: B, planes: &mut Planes, block: &[F128; 64]) {
    let block = lanes.transpose(lanes.load_block(bytemuck::cast_ref(block)));
    for (plane, bytes) in planes.iter_mut().zip(block) {
        lanes.store_bytes(plane, lanes.transpose_bits(bytes));
    }
}

/// For each bit of the weights the bits of the words whose sums have it.
#[inline(always)]
fn by_weight_bits(products: &[Planes; 16]) -> [F128; 128] {
    let mut rows = [[0u8; 16]; 128];
    for (a, products) in products.iter().enumerate() {
        for (product, rows) in products.iter().zip(rows.as_chunks_mut::<8>().0) {
            let eights = product.as_chunks::<8>().0.iter();
            let sum = eights.fold(0, |sum, &eight| sum ^ u64::from_le_bytes(eight));
            // A transposed block has the highest bit of words in front.
            for (row, bits) in rows.iter_mut().zip(sum.to_le_bytes()) {
                row[a] = bits.reverse_bits();
            }
        }
    }
    rows.map(F128::from_le_bytes)
}

/// Sums of weights by the values of a word's bytes, then by the bits of values.
#[inline(always)]
fn add_by_bytes(sums: &mut [F128; 128], words: &[F128], weights: &[F128]) {
    let mut bins = [[F128::ZERO; 256]; 16];
    // Half of the bytes at a time, so that the bins fit the first-level cache.
    for (shift, bins) in [0, 64].into_iter().zip(bins.as_chunks_mut::<8>().0) {
        for (word, &weight) in words.iter().zip(weights) {
            let bytes = ((word.to_bits() >> shift) as u64).to_le_bytes();
            for (bins, byte) in bins.iter_mut().zip(bytes) {
                bins[usize::from(byte)] += weight;
            }
        }
    }
    for (bins, sums) in bins.iter_mut().zip(sums.as_chunks_mut::<8>().0) {
        // From the highest bit down, the half of the bins that have it, which then joins the other.
        for (bit, sum) in sums.iter_mut().enumerate().rev() {
            let (lo, hi) = bins[..2 << bit].split_at_mut(1 << bit);
            for (lo, &hi) in lo.iter_mut().zip(&*hi) {
                *sum += hi;
                *lo += hi;
            }
        }
    }
}
