//! `Tower8` by nibbles: tables of sixteen entries, as processors look them up in registers.
//!
//! The nibbles of an element are its coefficients over `Tower4`.

use super::definition::{mul, mul_generator};
use crate::aligned::Aligned;

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

/// By the logarithm of an element its products by the generator of `Tower8`'s modulus to the powers 0 and 1.
///
/// With `L`, `H` and `S` the products of two elements' low nibbles, of their high ones and of the sums of both,
/// `(a0 + a1 X) (b0 + b1 X) = (L + H) + (S + L + H + Y H) X`: Karatsuba's three products in `Tower4`.
pub(crate) static POWERS: [Nibbles; 2] = {
    let mut tables = [[0; 16]; 2];
    let mut i = 0;
    while i < EXP.len() {
        tables[0][i] = EXP[i];
        tables[1][i] = mul_generator(2, EXP[i] as u128) as u8;
        i += 1;
    }
    tables
};

/// By a byte and a nibble: the products of both of the byte's nibbles by that one, as a byte.
pub(crate) static PAIR_MULTIPLES: Aligned<[Nibbles; 256]> = {
    let mut tables = [[0; 16]; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut nibble = 0;
        while nibble < 16 {
            let low = mul(2, byte as u128 & 0xf, nibble as u128);
            let high = mul(2, byte as u128 >> 4, nibble as u128);
            tables[byte][nibble] = (low | high << 4) as u8;
            nibble += 1;
        }
        byte += 1;
    }
    Aligned(tables)
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tower8;

    /// `L`, `H` and `S`, by logarithms, and `Y H`.
    fn products(a: u8, b: u8) -> [u8; 4] {
        let look_up =
            |table: &Nibbles, a: u8, b: u8| match LOG[usize::from(a)] | LOG[usize::from(b)] {
                NONE.. => 0,
                _ => table[usize::from(LOG[usize::from(a)] + LOG[usize::from(b)]) % 15],
            };
        let ((a0, a1), (b0, b1)) = ((a & 15, a >> 4), (b & 15, b >> 4));
        [
            look_up(&POWERS[0], a0, b0),
            look_up(&POWERS[0], a1, b1),
            look_up(&POWERS[0], a0 ^ a1, b0 ^ b1),
            look_up(&POWERS[1], a1, b1),
        ]
    }

    #[test]
    fn karatsuba_s_products_make_one() {
        for a in 0..=u8::MAX {
            for b in 0..=u8::MAX {
                let [l, h, s, by_generator] = products(a, b);
                let product = Tower8::new((l ^ h) | (s ^ l ^ h ^ by_generator) << 4);
                assert_eq!(product, Tower8::new(a) * Tower8::new(b));
            }
        }
    }

    #[test]
    fn multiples_of_pairs_are_products() {
        for (byte, multiples) in (0..=u8::MAX).zip(&PAIR_MULTIPLES.0) {
            for (nibble, &pair) in (0..16).zip(multiples) {
                let [low, high] = [byte & 15, byte >> 4].map(|n| products(n, nibble)[0]);
                assert_eq!(pair, low | high << 4);
            }
        }
    }
}
