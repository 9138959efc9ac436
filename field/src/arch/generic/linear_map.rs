//! GF(2)-linear maps on slices, by byte slices or by tables.

use super::{ByteLanes, Lanes};
use crate::F128;

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

/// `dst[i]` is `constant` and the image of word `i` of `src` under a GF(2)-linear map, given as in [`linear_map`] for the
/// bytes of a word, of which there are two or four.
#[inline(always)]
pub(crate) fn word_map<const N: usize, L: Lanes<N>>(
    isa: L,
    dst: &mut [F128],
    src: &[u8],
    constant: F128,
    tables: &[[F128; 256]],
    blocks: &[[u64; 4]; 16],
) {
    if let Ok(tables) = tables.try_into() {
        map_slice::<2, _, _>(isa, dst, src.as_chunks().0, constant, tables, blocks);
    } else if let Ok(tables) = tables.try_into() {
        map_slice::<4, _, _>(isa, dst, src.as_chunks().0, constant, tables, blocks);
    }
}

#[inline(always)]
fn map_slice<const BYTES: usize, const N: usize, L: Lanes<N>>(
    isa: L,
    dst: &mut [F128],
    src: &[[u8; BYTES]],
    constant: F128,
    tables: &[[F128; 256]; BYTES],
    blocks: &[[u64; 4]; 16],
) {
    let mut done = 0;
    if let Some(lanes) = isa.byte_lanes() {
        let constants = constant.to_le_bytes().map(|byte| [byte; 64]);
        let (d, d_tail) = dst.as_chunks_mut::<64>();
        let (s, s_tail) = src.as_chunks::<64>();
        for (d, s) in d.iter_mut().zip(s) {
            map_words(lanes, d, s, &constants, blocks);
        }
        done = 64 * d.len();
        if s_tail.len() >= WORTH_A_BLOCK {
            let (mut image, mut words) = ([F128::ZERO; 64], [[0; BYTES]; 64]);
            words[..s_tail.len()].copy_from_slice(s_tail);
            map_words(lanes, &mut image, &words, &constants, blocks);
            d_tail.copy_from_slice(&image[..s_tail.len()]);
            done = dst.len();
        }
    }
    for (d, s) in dst[done..].iter_mut().zip(&src[done..]) {
        let mut image = constant;
        for (table, &byte) in tables.iter().zip(s) {
            image += table[usize::from(byte)];
        }
        *d = image;
    }
}

#[inline(always)]
fn map_words<B: ByteLanes, const BYTES: usize>(
    lanes: B,
    dst: &mut [F128; 64],
    src: &[[u8; BYTES]; 64],
    constants: &[[u8; 64]; 16],
    blocks: &[[u64; 4]; 16],
) {
    let bytes = lanes.deal(src);
    let mut image = lanes.load_block(constants);
    for (image, row) in image.iter_mut().zip(blocks) {
        for i in 0..BYTES {
            *image = lanes.xor_bytes(*image, lanes.affine(bytes[i], row[i]));
        }
    }
    lanes.store_block(bytemuck::cast_mut(dst), lanes.transpose(image));
}
