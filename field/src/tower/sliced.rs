//! `Sliced128`: elements of `Tower128` by their bytes, as processors with byte products want them.

use bytemuck::{Pod, Zeroable};

use super::{AES_TO_TOWER, TOWER_TO_AES, Tower128};

/// 64 elements of [`Tower128`] that [`kernels::sliced_mul`](crate::kernels::sliced_mul) multiplies
/// without moving a byte.
///
/// All their lowest bytes come first, then the next ones, up to the highest; each byte is taken from
/// the basis of `Tower8` to that of the AES field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub struct Sliced128(pub(crate) [[u8; 64]; 16]);

impl From<[Tower128; 64]> for Sliced128 {
    fn from(elements: [Tower128; 64]) -> Self {
        let mut slices = [[0; 64]; 16];
        for (j, element) in elements.iter().enumerate() {
            for (slice, byte) in slices.iter_mut().zip(element.to_bits().to_le_bytes()) {
                slice[j] = image(&TOWER_TO_AES, byte);
            }
        }
        Self(slices)
    }
}

impl From<Sliced128> for [Tower128; 64] {
    fn from(Sliced128(slices): Sliced128) -> Self {
        core::array::from_fn(|j| {
            let bytes = slices.map(|slice| image(&AES_TO_TOWER, slice[j]));
            Tower128::new(u128::from_le_bytes(bytes))
        })
    }
}

/// The sum of the images of the bits of `byte`.
fn image(images: &[u8; 8], byte: u8) -> u8 {
    (0..8).filter(|bit| byte >> bit & 1 == 1).fold(0, |sum, bit| sum ^ images[bit])
}
