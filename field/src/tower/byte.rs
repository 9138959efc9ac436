//! Tables of the 8-bit tower field: logarithms, and the change of basis to the AES field.

use super::definition::{mul, mul_generator};

/// A generator of the multiplicative group of `Tower8`.
const GENERATOR: u128 = 0x2d;

/// Powers of a generator, twice round so that a sum of two logarithms needs no reduction.
pub(super) const EXP: [u8; 510] = {
    let mut table = [0; 510];
    let (mut power, mut i) = (1, 0);
    while i < table.len() {
        table[i] = power as u8;
        power = mul(3, power, GENERATOR);
        i += 1;
    }
    table
};

/// Logarithms to the base of [`EXP`]; that of zero stands for nothing.
pub(super) const LOG: [u8; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 255 {
        table[EXP[i] as usize] = i as u8;
        i += 1;
    }
    table
};

/// The product of two elements of `Tower8`.
#[inline]
pub(super) fn product(a: u8, b: u8) -> u8 {
    static EXP_TABLE: [u8; 510] = EXP;
    static LOG_TABLE: [u8; 256] = LOG;
    if a == 0 || b == 0 {
        return 0;
    }
    let log = u16::from(LOG_TABLE[usize::from(a)]) + u16::from(LOG_TABLE[usize::from(b)]);
    EXP_TABLE[usize::from(log)]
}

/// Squares.
pub(super) static SQUARE: [u8; 256] = {
    let mut table = [0; 256];
    let mut a = 0;
    while a < 256 {
        table[a] = mul(3, a as u128, a as u128) as u8;
        a += 1;
    }
    table
};

/// Products by the level's generator.
pub(super) static MUL_GENERATOR: [u8; 256] = {
    let mut table = [0; 256];
    let mut a = 0;
    while a < 256 {
        table[a] = mul_generator(3, a as u128) as u8;
        a += 1;
    }
    table
};

/// Inverses; that of zero is zero.
pub(super) static INVERSE: [u8; 256] = {
    let mut table = [0; 256];
    let mut log = 0;
    while log < 255 {
        table[EXP[log] as usize] = EXP[255 - log];
        log += 1;
    }
    table
};

/// The isomorphism from `Tower8` to the AES field GF(2)[x] / (x^8 + x^4 + x^3 + x + 1): the images
/// of the eight bits. The generators of the tower go to `0xbc`, `0xb0` and `0xd3`.
pub(crate) const TOWER_TO_AES: [u8; 8] = [0x01, 0xbc, 0xb0, 0xec, 0xd3, 0x8d, 0x2e, 0x58];

/// The inverse of [`TOWER_TO_AES`].
pub(crate) const AES_TO_TOWER: [u8; 8] = {
    let mut images = [0; 8];
    let mut tower = 0;
    while tower < 256 {
        let aes = image(&TOWER_TO_AES, tower as u8);
        if aes.is_power_of_two() {
            images[aes.trailing_zeros() as usize] = tower as u8;
        }
        tower += 1;
    }
    images
};

/// The sum of the images of the bits of `byte`.
pub(super) const fn image(images: &[u8; 8], byte: u8) -> u8 {
    let (mut sum, mut bit) = (0, 0);
    while bit < 8 {
        if byte >> bit & 1 == 1 {
            sum ^= images[bit];
        }
        bit += 1;
    }
    sum
}
