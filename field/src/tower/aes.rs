//! `Tower8` in the basis of the AES field, in which processors multiply bytes.

use super::byte::image;
use super::{AES_TO_TOWER, TOWER_TO_AES, Tower8};

impl Tower8 {
    /// The image under an isomorphism to `GF(2)[x] / (x^8 + x^4 + x^3 + x + 1)`: the one that takes the
    /// generators of `Tower2`, `Tower4` and `Tower8` to `0xbc`, `0xb0` and `0xd3`.
    pub fn to_aes(self) -> u8 {
        image(&TOWER_TO_AES, self.to_bits())
    }

    /// Inverse of [`Self::to_aes`].
    pub fn from_aes(byte: u8) -> Self {
        Self::new(image(&AES_TO_TOWER, byte))
    }
}
