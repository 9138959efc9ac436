//! `Tower8` by nibbles: tables of sixteen entries, as processors look them up in registers.
//!
//! The nibbles of an element are its coefficients over `Tower4`.

use super::byte::{AES_TO_TOWER, TOWER_TO_AES, image};
use super::definition::{mul, mul_generator};

/// A generator of the multiplicative group of `Tower4`.
const GENERATOR: u128 = 0b1000;

/// A table of sixteen entries.
pub(crate) type Nibbles = [u8; 16];

/// The bit that the logarithm of zero has, and that a sum with it keeps.
const NONE: u8 = 1 << 7;

/// Powers of the generator of `Tower4`; the group has fifteen elements.
const EXP: [u8; 15] = {
    let mut table = [0; 15];
    let (mut power, mut i) = (1, 0);
    while i < table.len() {
        table[i] = power as u8;
        power = mul(2, power, GENERATOR);
        i += 1;
    }
    table
};

/// Logarithms of the elements of `Tower4`, [`NONE`] that of zero.
pub(crate) static LOG: Nibbles = {
    let mut table = [NONE; 16];
    let mut i = 0;
    while i < EXP.len() {
        table[EXP[i] as usize] = i as u8;
        i += 1;
    }
    table
};

/// By the logarithm of each, what Karatsuba's three products in `Tower4` add to a product in `Tower8`: that of the
/// low nibbles, of the high ones and of their sums.
///
/// `(a0 + a1 X) (b0 + b1 X) = (a0 b0 + a1 b1) + ((a0 + a1) (b0 + b1) + a0 b0 + (1 + Y) a1 b1) X`.
pub(crate) static KARATSUBA: [Nibbles; 3] = {
    let mut tables = [[0; 16]; 3];
    let mut i = 0;
    while i < EXP.len() {
        let product = EXP[i];
        let by_generator = mul_generator(2, product as u128) as u8;
        tables[0][i] = product | product << 4;
        tables[1][i] = product | (product ^ by_generator) << 4;
        tables[2][i] = product << 4;
        i += 1;
    }
    tables
};

/// The products of a byte of the AES field with the elements of `Tower8` that are a low nibble, and a high one, as bytes
/// of the AES field.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
pub(crate) struct Multiples {
    pub(crate) low: Nibbles,
    pub(crate) high: Nibbles,
}

/// Those of each byte.
pub(crate) static MULTIPLES: [Multiples; 256] = {
    let mut tables = [Multiples { low: [0; 16], high: [0; 16] }; 256];
    let mut byte = 0;
    while byte < 256 {
        let factor = image(&AES_TO_TOWER, byte as u8) as u128;
        let mut bit = 0;
        while bit < 4 {
            let low = image(&TOWER_TO_AES, mul(3, factor, 1 << bit) as u8);
            let high = image(&TOWER_TO_AES, mul(3, factor, 1 << (bit + 4)) as u8);
            let mut nibble = 0;
            while nibble < 1 << bit {
                tables[byte].low[nibble | 1 << bit] = tables[byte].low[nibble] ^ low;
                tables[byte].high[nibble | 1 << bit] = tables[byte].high[nibble] ^ high;
                nibble += 1;
            }
            bit += 1;
        }
        byte += 1;
    }
    tables
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Tower4, Tower8};

    #[test]
    fn karatsuba_s_products_make_one() {
        let look_up =
            |table: &Nibbles, a: u8, b: u8| match LOG[usize::from(a)] | LOG[usize::from(b)] {
                NONE.. => 0,
                _ => table[usize::from(LOG[usize::from(a)] + LOG[usize::from(b)]) % 15],
            };
        for a in 0..=u8::MAX {
            for b in 0..=u8::MAX {
                let ((a0, a1), (b0, b1)) = ((a & 15, a >> 4), (b & 15, b >> 4));
                let product = look_up(&KARATSUBA[0], a0, b0)
                    ^ look_up(&KARATSUBA[1], a1, b1)
                    ^ look_up(&KARATSUBA[2], a0 ^ a1, b0 ^ b1);
                assert_eq!(Tower8::new(product), Tower8::new(a) * Tower8::new(b));
            }
        }
    }

    #[test]
    fn multiples_are_products() {
        let nibble = |n: usize| Tower4::new(n as u8);
        for (byte, multiples) in (0..=u8::MAX).zip(&MULTIPLES) {
            for n in 0..16 {
                let low = Tower8::from_halves(nibble(n), Tower4::ZERO);
                let high = Tower8::from_halves(Tower4::ZERO, nibble(n));
                let factor = Tower8::from_aes(byte);
                assert_eq!(Tower8::from_aes(multiples.low[n]), factor * low);
                assert_eq!(Tower8::from_aes(multiples.high[n]), factor * high);
            }
        }
    }
}
