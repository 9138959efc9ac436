//! Squares and inverses of tower fields of whole bytes on slices.
//!
//! Byte by byte as products are: the square of a `Tower8` is a GF(2)-linear map, its inverse one
//! instruction, and each level takes both from the level below.

use super::tower::{
    Form, element, generator_1, generator_2, generator_4, generator_8, halves, join, last_blocks,
    load, matrix, mul_1, mul_2, mul_4, mul_8, store, without_lanes, xor_each,
};
use super::{ByteLanes, Lanes};
use crate::Field;
use crate::tower::{Tower8, Tower16, Tower32, Tower64, Tower128};

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

/// Maps each element of the field of `n_bytes` bytes, which is 1, 2, 4, 8 or 16 and divides the
/// length, as 1024 does where elements are sliced.
#[inline(always)]
pub(crate) fn tower_map<const N: usize>(
    isa: impl Lanes<N>,
    elements: &mut [u8],
    n_bytes: usize,
    form: Form,
    map: TowerMap,
) {
    let Some(lanes) = isa.byte_lanes() else {
        return without_lanes(elements, n_bytes, form, [], |elements, []| {
            map_each(elements, n_bytes, map);
        });
    };
    let (blocks, tail) = elements.as_chunks_mut::<1024>();
    let mut last = last_blocks([tail]);
    for block in blocks.iter_mut().chain(last.iter_mut().flatten()) {
        let image = map_registers(lanes, load(lanes, block, n_bytes, form), n_bytes, map);
        store(lanes, block, image, n_bytes, form);
    }
    match last {
        Some([last]) => tail.copy_from_slice(&last[..tail.len()]),
        None => map_each(tail, n_bytes, map),
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

/// The square of a level of the tower from the one below: `(a0^2 + a1^2) + Y a1^2 X`.
macro_rules! square {
    ($square:ident: $width:literal, $square_half:ident, $generator_half:ident: $half:literal) => {
        #[inline(always)]
        fn $square<B: ByteLanes>(lanes: B, a: [B::Register; $width]) -> [B::Register; $width] {
            let [a0, a1] = halves::<_, $width, $half>(a);
            let (low, high) = ($square_half(lanes, a0), $square_half(lanes, a1));
            join([xor_each(lanes, low, high), $generator_half(lanes, high)])
        }
    };
}

square!(square_2: 2, square_1, generator_1: 1);
square!(square_4: 4, square_2, generator_2: 2);
square!(square_8: 8, square_4, generator_4: 4);
square!(square_16: 16, square_8, generator_8: 8);

/// The inverse of a level of the tower from the one below: the conjugate `(a0 + Y a1) + a1 X` over
/// the norm `a0 (a0 + Y a1) + a1^2`.
///
/// The three products share one copy of their code, which is large on the upper levels: the
/// compiler does not know their number.
macro_rules! invert {
    (
        $invert:ident: $width:literal,
        $invert_half:ident, $square_half:ident, $mul_half:ident, $generator_half:ident: $half:literal
    ) => {
        #[inline(always)]
        fn $invert<B: ByteLanes>(lanes: B, a: [B::Register; $width]) -> [B::Register; $width] {
            let [a0, a1] = halves::<_, $width, $half>(a);
            let constant = xor_each(lanes, a0, $generator_half(lanes, a1));
            let factors = [a0, constant, a1];
            let (mut products, mut factor) = (factors, constant);
            for i in 0..core::hint::black_box(3) {
                let product = $mul_half(lanes, factors[i], factor);
                products[i] = product;
                if i == 0 {
                    let norm = xor_each(lanes, product, $square_half(lanes, a1));
                    factor = $invert_half(lanes, norm);
                }
            }
            join([products[1], products[2]])
        }
    };
}

invert!(invert_2: 2, invert_1, square_1, mul_1, generator_1: 1);
invert!(invert_4: 4, invert_2, square_2, mul_2, generator_2: 2);
invert!(invert_8: 8, invert_4, square_4, mul_4, generator_4: 4);
invert!(invert_16: 16, invert_8, square_8, mul_8, generator_8: 8);
