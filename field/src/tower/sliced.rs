//! `Sliced`: elements of a field of the tower by their bytes, as processors with byte products want them.

use core::marker::PhantomData;

use bytemuck::{Pod, Zeroable};

use super::{Tower8, Tower16, Tower32, Tower64, Tower128, WholeBytes};

/// Sixteen slices of 64 bytes, where the widest registers load them from one line of a cache each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(64))]
pub(crate) struct Slices([[u8; 64]; 16]);

/// 1024 bytes of elements of `T`, on which [`kernels::sliced_mul`](crate::kernels::sliced_mul),
/// [`sliced_square`](crate::kernels::sliced_square) and
/// [`sliced_invert`](crate::kernels::sliced_invert) compute without moving a byte.
///
/// Elements come in groups of 64. Of each group all lowest bytes come first, then the next ones, up
/// to the highest; each byte is taken from the basis of `Tower8` to that of the AES field. It
/// converts from and into an array of as many elements as have 1024 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub struct Sliced<T>(Slices, PhantomData<T>)
where
    T: WholeBytes;

/// 64 elements of [`Tower128`].
pub type Sliced128 = Sliced<Tower128>;

macro_rules! conversions {
    ($($name:ident: $len:literal),+) => {$(
        impl From<[$name; $len]> for Sliced<$name> {
            fn from(elements: [$name; $len]) -> Self {
                Self(in_slices(&bytemuck::cast(elements), size_of::<$name>()), PhantomData)
            }
        }

        impl From<Sliced<$name>> for [$name; $len] {
            fn from(Sliced(slices, _): Sliced<$name>) -> Self {
                bytemuck::cast(one_by_one(&slices, size_of::<$name>()))
            }
        }
    )+};
}

conversions!(Tower8: 1024, Tower16: 512, Tower32: 256, Tower64: 128, Tower128: 64);

/// Slices of elements of `n_bytes` bytes that follow one another.
pub(crate) fn in_slices(elements: &[u8; 1024], n_bytes: usize) -> Slices {
    let mut slices = [[0; 64]; 16];
    for (i, element) in elements.chunks_exact(n_bytes).enumerate() {
        for (b, &byte) in element.iter().enumerate() {
            slices[i / 64 * n_bytes + b][i % 64] = Tower8::new(byte).to_aes();
        }
    }
    Slices(slices)
}

/// Inverse of [`in_slices`].
pub(crate) fn one_by_one(slices: &Slices, n_bytes: usize) -> [u8; 1024] {
    let mut elements = [0; 1024];
    for (i, element) in elements.chunks_exact_mut(n_bytes).enumerate() {
        for (b, byte) in element.iter_mut().enumerate() {
            *byte = Tower8::from_aes(slices.0[i / 64 * n_bytes + b][i % 64]).to_bits();
        }
    }
    elements
}
