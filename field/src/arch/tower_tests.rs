//! Squares and inverses of the tower's fields, and all that computes in slices, on every backend
//! against the definitions.

use proptest::collection::vec;
use proptest::prelude::*;

use super::dispatch::{self, Backend};
use super::{Form, TowerMap};
use crate::tower::Sliced;
use crate::{Field, Tower8, Tower16, Tower32, Tower64, Tower128};

/// A byte, often one that makes an element zero or one.
fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![2 => any::<u8>(), 1 => Just(0), 1 => Just(1)]
}

fn element<T: Field>(bytes: &[u8]) -> T {
    let mut wide = [0; 16];
    wide[..bytes.len()].copy_from_slice(bytes);
    T::from_bits(u128::from_le_bytes(wide))
}

/// Both maps of the whole elements in `bytes`.
fn maps<T: Field>(bytes: &[u8]) -> Result<(), TestCaseError> {
    let n = T::BITS as usize / 8;
    let bytes = &bytes[..bytes.len() / n * n];
    for (map, of) in [(TowerMap::Square, T::square as fn(T) -> T), (TowerMap::Invert, T::invert)] {
        let expected: Vec<T> = bytes.chunks(n).map(|x| of(element(x))).collect();
        for backend in Backend::available() {
            let mut images = bytes.to_vec();
            dispatch::tower_map(backend, &mut images, n, Form::Whole, map);
            let images: Vec<T> = images.chunks(n).map(element).collect();
            prop_assert_eq!(&images, &expected, "{:?} {:?}", backend, map);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn squares_and_inverses(bytes in vec(byte(), 0..3000)) {
        maps::<Tower8>(&bytes)?;
        maps::<Tower16>(&bytes)?;
        maps::<Tower32>(&bytes)?;
        maps::<Tower64>(&bytes)?;
        maps::<Tower128>(&bytes)?;
    }
}

macro_rules! in_slices {
    ($($test:ident: [$field:ident; $len:literal]),+) => {$(
        #[test]
        fn $test() {
            let element = |i: usize| {
                let i = i as u128;
                let x = i.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
                <$field as Field>::from_bits(if i < 3 { i } else { x >> 64 ^ x })
            };
            let a: [$field; $len] = core::array::from_fn(element);
            let b: [$field; $len] = core::array::from_fn(|i| element(i + 100));
            assert_eq!(<[$field; $len]>::from(Sliced::from(a)), a);
            let products: [$field; $len] = core::array::from_fn(|i| a[i] * b[i]);
            let n = size_of::<$field>();
            for backend in Backend::available() {
                let (x, y) = ([Sliced::from(a)], [Sliced::from(b)]);
                let mut dst = x;
                let bytes = bytemuck::cast_slice_mut(&mut dst);
                let (x, y) = (bytemuck::cast_slice(&x), bytemuck::cast_slice(&y));
                dispatch::tower_mul(backend, bytes, x, y, n, Form::Sliced);
                assert_eq!(<[$field; $len]>::from(dst[0]), products, "{backend:?}");
                let maps = [(TowerMap::Square, a.map(Field::square)), (TowerMap::Invert, a.map(Field::invert))];
                for (map, expected) in maps {
                    let mut dst = [Sliced::from(a)];
                    let bytes = bytemuck::cast_slice_mut(&mut dst);
                    dispatch::tower_map(backend, bytes, n, Form::Sliced, map);
                    assert_eq!(<[$field; $len]>::from(dst[0]), expected, "{backend:?} {map:?}");
                }
            }
        }
    )+};
}

in_slices! {
    bytes_in_slices: [Tower8; 1024],
    elements_of_two_bytes_in_slices: [Tower16; 512],
    elements_of_four_bytes_in_slices: [Tower32; 256],
    elements_of_eight_bytes_in_slices: [Tower64; 128],
    elements_of_sixteen_bytes_in_slices: [Tower128; 64]
}
