//! Squares and inverses of tower fields of whole bytes on slices.
//!
//! Byte by byte as products are: the square of a `Tower8` is a GF(2)-linear map, its inverse one
//! instruction, and each level takes both from the level below.

use super::tower::{
    FROM_AES, TO_AES, WORTH_A_BLOCK, affine_each, element, generator_1, generator_2, generator_4,
    generator_8, halves, join, matrix, mul_1, mul_2, mul_4, mul_8, xor_each,
};
use super::{ByteLanes, Lanes};
use crate::Field;
use crate::tower::{Slices, Tower8, Tower16, Tower32, Tower64, Tower128, in_slices, one_by_one};

/// A map from a field of the tower to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TowerMap {
    /// The square.
    Square,
    /// The inverse, that of zero being zero.
    Invert,
}

impl TowerMap {
    fn apply<T: Field>(self, x: T) -> T {
        match self {
            Self::Square => x.square(),
            Self::Invert => x.invert(),
        }
    }
}

/// Maps each of the elements of fields of `n_bytes` bytes, stored one after the other in
/// little-endian order. `n_bytes` is 1, 2, 4, 8 or 16 and divides the length.
#[inline(always)]
pub(crate) fn tower_map<const N: usize>(
    isa: impl Lanes<N>,
    elements: &mut [u8],
    n_bytes: usize,
    map: TowerMap,
) {
    let Some(lanes) = isa.byte_lanes() else {
        return map_each(elements, n_bytes, map);
    };
    let (blocks, tail) = elements.as_chunks_mut::<1024>();
    for block in blocks {
        map_block(lanes, block, n_bytes, map);
    }
    if tail.len() <= WORTH_A_BLOCK {
        return map_each(tail, n_bytes, map);
    }
    let mut block = [0; 1024];
    block[..tail.len()].copy_from_slice(tail);
    map_block(lanes, &mut block, n_bytes, map);
    tail.copy_from_slice(&block[..tail.len()]);
}

/// Maps each of the elements of `n_bytes` bytes of blocks that are in slices and in the AES basis
/// already.
#[inline(always)]
pub(crate) fn sliced_map<const N: usize>(
    isa: impl Lanes<N>,
    blocks: &mut [Slices],
    n_bytes: usize,
    map: TowerMap,
) {
    for block in blocks {
        match isa.byte_lanes() {
            Some(lanes) => {
                let image = map_registers(lanes, lanes.load_block(block), n_bytes, map);
                lanes.store_block(block, image);
            }
            None => {
                let mut elements = one_by_one(block, n_bytes);
                map_each(&mut elements, n_bytes, map);
                *block = in_slices(&elements, n_bytes);
            }
        }
    }
}

fn map_each(elements: &mut [u8], n_bytes: usize, map: TowerMap) {
    match n_bytes {
        1 => map_each_in::<Tower8>(elements, map),
        2 => map_each_in::<Tower16>(elements, map),
        4 => map_each_in::<Tower32>(elements, map),
        8 => map_each_in::<Tower64>(elements, map),
        16 => map_each_in::<Tower128>(elements, map),
        _ => unreachable!("no tower field has {n_bytes} bytes"),
    }
}

fn map_each_in<T: Field>(elements: &mut [u8], map: TowerMap) {
    let n = T::BITS as usize / 8;
    for bytes in elements.chunks_exact_mut(n) {
        let image = map.apply(element::<T>(bytes));
        bytes.copy_from_slice(&image.to_bits().to_le_bytes()[..n]);
    }
}

#[inline(always)]
fn map_block<B: ByteLanes>(lanes: B, block: &mut [u8; 1024], n_bytes: usize, map: TowerMap) {
    let mut v = lanes.load_block(bytemuck::cast_ref(block));
    if n_bytes > 1 {
        v = lanes.transpose(v);
    }
    v = affine_each(lanes, v, TO_AES);
    v = affine_each(lanes, map_registers(lanes, v, n_bytes, map), FROM_AES);
    if n_bytes > 1 {
        v = lanes.transpose(v);
    }
    lanes.store_block(bytemuck::cast_mut(block), v);
}

/// The images of the elements in the AES basis that registers `i` and `i + 1`, and so on hold, as
/// many registers together as `$map` takes.
macro_rules! map_groups {
    ($lanes:ident, $v:ident, $map:ident) => {{
        let mut image = $v;
        for group in image.as_chunks_mut().0 {
            *group = $map($lanes, *group);
        }
        image
    }};
}

#[inline(always)]
fn map_registers<B: ByteLanes>(
    lanes: B,
    v: [B::Register; 16],
    n_bytes: usize,
    map: TowerMap,
) -> [B::Register; 16] {
    match (map, n_bytes) {
        (TowerMap::Square, 1) => map_groups!(lanes, v, square_1),
        (TowerMap::Square, 2) => map_groups!(lanes, v, square_2),
        (TowerMap::Square, 4) => map_groups!(lanes, v, square_4),
        (TowerMap::Square, 8) => map_groups!(lanes, v, square_8),
        (TowerMap::Square, _) => square_16(lanes, v),
        (TowerMap::Invert, 1) => map_groups!(lanes, v, invert_1),
        (TowerMap::Invert, 2) => map_groups!(lanes, v, invert_2),
        (TowerMap::Invert, 4) => map_groups!(lanes, v, invert_4),
        (TowerMap::Invert, 8) => map_groups!(lanes, v, invert_8),
        (TowerMap::Invert, _) => invert_16(lanes, v),
    }
}

/// The square in the AES field: bit `i` goes to `x^(2 i)` modulo `x^8 + x^4 + x^3 + x + 1`.
const SQUARE: u64 = matrix([0x01, 0x04, 0x10, 0x40, 0x1b, 0x6c, 0xab, 0x9a]);

#[inline(always)]
fn square_1<B: ByteLanes>(lanes: B, [a]: [B::Register; 1]) -> [B::Register; 1] {
    [lanes.affine(a, SQUARE)]
}

#[inline(always)]
fn invert_1<B: ByteLanes>(lanes: B, [a]: [B::Register; 1]) -> [B::Register; 1] {
    [lanes.invert_bytes(a)]
}

/// A level of the tower from the one below: the square `(a0^2 + a1^2) + Y a1^2 X`, and the inverse,
/// which is the conjugate `(a0 + Y a1) + a1 X` over the norm `a0 (a0 + Y a1) + a1^2`.
macro_rules! level {
    (
        $square:ident, $invert:ident: $width:literal,
        $square_half:ident, $invert_half:ident, $mul_half:ident, $generator_half:ident: $half:literal
    ) => {
        #[inline(always)]
        fn $square<B: ByteLanes>(lanes: B, a: [B::Register; $width]) -> [B::Register; $width] {
            let [a0, a1] = halves::<_, $width, $half>(a);
            let (low, high) = ($square_half(lanes, a0), $square_half(lanes, a1));
            join([xor_each(lanes, low, high), $generator_half(lanes, high)])
        }

        #[inline(always)]
        fn $invert<B: ByteLanes>(lanes: B, a: [B::Register; $width]) -> [B::Register; $width] {
            let [a0, a1] = halves::<_, $width, $half>(a);
            let constant = xor_each(lanes, a0, $generator_half(lanes, a1));
            let norm = xor_each(lanes, $mul_half(lanes, a0, constant), $square_half(lanes, a1));
            let inverse = $invert_half(lanes, norm);
            join([$mul_half(lanes, constant, inverse), $mul_half(lanes, a1, inverse)])
        }
    };
}

level!(square_2, invert_2: 2, square_1, invert_1, mul_1, generator_1: 1);
level!(square_4, invert_4: 4, square_2, invert_2, mul_2, generator_2: 2);
level!(square_8, invert_8: 8, square_4, invert_4, mul_4, generator_4: 4);
level!(square_16, invert_16: 16, square_8, invert_8, mul_8, generator_8: 8);
