//! GF(2)-linear maps on slices, by byte slices or by tables.

use super::{ByteLanes, Lanes};
use crate::F128;
use crate::arch::prefetch_behind;

/// Below this many elements a block of 64 costs more than they do one by one.
const WORTH_A_BLOCK: usize = 12;

/// `dst[i]` is the image of `src[i]` under a GF(2)-linear map, given by tables for each byte of the
/// argument and by matrices for each byte of argument and image.
#[inline(always)]
pub(crate) fn linear_map<const N: usize, L: Lanes<N>>(
    isa: L,
    dst: &mut [F128],
    src: &[F128],
    tables: &[[F128; 256]],
    blocks: &[[u64; 16]; 16],
) {
    let mut done = 0;
    if let Some(lanes) = isa.byte_lanes() {
        let (d, d_tail) = dst.as_chunks_mut::<64>();
        let (s, s_tail) = src.as_chunks::<64>();
        for (d, s) in d.iter_mut().zip(s) {
            map_block(lanes, d, s, blocks);
        }
        done = 64 * d.len();
        if s_tail.len() >= WORTH_A_BLOCK {
            let mut block = [F128::ZERO; 64];
            block[..s_tail.len()].copy_from_slice(s_tail);
            let copy = block;
            map_block(lanes, &mut block, &copy, blocks);
            d_tail.copy_from_slice(&block[..s_tail.len()]);
            done = dst.len();
        }
    }
    for (d, s) in dst[done..].iter_mut().zip(&src[done..]) {
        *d = image_by_tables(tables, s);
    }
}

#[inline(always)]
fn map_block<B: ByteLanes>(
    lanes: B,
    dst: &mut [F128; 64],
    src: &[F128; 64],
    blocks: &[[u64; 16]; 16],
) {
    let src = lanes.transpose(lanes.load_block(bytemuck::cast_ref(src)));
    let image = map_bytes(lanes, src, blocks);
    lanes.store_block(bytemuck::cast_mut(dst), lanes.transpose(image));
}

#[inline(always)]
fn map_bytes<B: ByteLanes>(
    lanes: B,
    src: [B::Register; 16],
    blocks: &[[u64; 16]; 16],
) -> [B::Register; 16] {
    let mut image = src;
    for (image, row) in image.iter_mut().zip(blocks) {
        *image = lanes.affine(src[0], row[0]);
        for i in 1..16 {
            *image = lanes.xor_bytes(*image, lanes.affine(src[i], row[i]));
        }
    }
    image
}

#[inline(always)]
fn image_by_tables(tables: &[[F128; 256]], x: &F128) -> F128 {
    let mut image = F128::ZERO;
    for (table, byte) in tables.iter().zip(x.to_le_bytes()) {
        image += table[usize::from(byte)];
    }
    image
}

/// `dst[i]` is `constant` and the image of the bytes of word `i` of each slice of `src`, of which there are one or two, under a GF(2)-linear
/// map, given as in [`linear_map`].
#[inline(always)]
pub(crate) fn word_map<const N: usize, L: Lanes<N>>(
    isa: L,
    dst: &mut [F128],
    src: &[&[[u8; 2]]],
    constant: F128,
    tables: &[[F128; 256]],
    blocks: &[[[u64; 8]; 4]; 16],
) {
    let tables = tables.as_chunks().0;
    match *src {
        [words] => map_words(isa, dst, [words], constant, tables, blocks),
        [low, high] => map_words(isa, dst, [low, high], constant, tables, blocks),
        _ => {}
    }
}

#[inline(always)]
fn map_words<const WORDS: usize, const N: usize, L: Lanes<N>>(
    isa: L,
    dst: &mut [F128],
    src: [&[[u8; 2]]; WORDS],
    constant: F128,
    tables: &[[[F128; 256]; 2]],
    blocks: &[[[u64; 8]; 4]; 16],
) {
    let mut done = 0;
    if let Some(lanes) = isa.byte_lanes() {
        let constants = bytemuck::cast([constant; 4]);
        for block in dst.as_chunks_mut().0 {
            let words = src.map(|words| {
                let words: &[[[u8; 2]; 64]] = words[done..].as_chunks().0;
                &words[0]
            });
            for words in src {
                prefetch_behind(bytemuck::cast_slice(words), 2 * done, 128);
            }
            map_block_of_words(lanes, block, words, &constants, blocks);
            done += block.len();
        }
        let tail = &mut dst[done..];
        if tail.len() >= WORTH_A_BLOCK {
            let (mut image, mut words) = ([F128::ZERO; 64], [[[0; 2]; 64]; WORDS]);
            for (words, src) in words.iter_mut().zip(src) {
                words[..tail.len()].copy_from_slice(&src[done..]);
            }
            map_block_of_words(lanes, &mut image, words.each_ref(), &constants, blocks);
            tail.copy_from_slice(&image[..tail.len()]);
            done = dst.len();
        }
    }
    let rest = &mut dst[done..];
    let src = src.map(|words| &words[done..][..rest.len()]);
    for (i, dst) in rest.iter_mut().enumerate() {
        let mut image = constant;
        for ([low, high], words) in tables.iter().zip(src) {
            let word = words[i].map(usize::from);
            image += low[word[0]] + high[word[1]];
        }
        *dst = image;
    }
}

#[inline(always)]
fn map_block_of_words<B: ByteLanes, const WORDS: usize>(
    lanes: B,
    dst: &mut [F128; 64],
    src: [&[[u8; 2]; 64]; WORDS],
    constants: &[u8; 64],
    blocks: &[[[u64; 8]; 4]; 16],
) {
    let zero = lanes.load_bytes(&[0; 64]);
    let mut bytes = [[zero; 2]; WORDS];
    for (bytes, words) in bytes.iter_mut().zip(src) {
        *bytes = lanes.deal(words);
    }
    let mut image = [zero; 16];
    for (image, row) in image.iter_mut().zip(blocks) {
        for ([low, high], matrices) in bytes.iter().zip(row.as_chunks::<2>().0) {
            let of_byte = |byte, matrix| {
                lanes.affine_each(byte, lanes.load_bytes(bytemuck::cast_ref(matrix)))
            };
            let (low, high) = (of_byte(*low, &matrices[0]), of_byte(*high, &matrices[1]));
            *image = lanes.xor_bytes(*image, lanes.xor_bytes(low, high));
        }
    }
    let mut image = lanes.transpose(image);
    for image in &mut image {
        *image = lanes.xor_bytes(*image, lanes.load_bytes(constants));
    }
    lanes.store_block(bytemuck::cast_mut(dst), image);
}
