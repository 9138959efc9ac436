//! Carry-less multiplication with integer multipliers.

/// Every fourth bit.
const CLASS: u64 = 0x1111_1111_1111_1111;
const WIDE_CLASS: u128 = 0x1111_1111_1111_1111_1111_1111_1111_1111;

/// The product of two polynomials over GF(2) of degree below 64.
///
/// Each factor is split in four by the exponents modulo four. A coefficient of a partial product
/// is then a sum of at most 15 ones in a field of four bits, so no carry reaches the next one and
/// its lowest bit is the parity. For that bound of 15 the first factor gives up its four highest
/// terms, which are multiplied by shifts.
#[inline(always)]
pub(super) fn clmul(a: u64, b: u64) -> u128 {
    let mut product = 0;
    for term in 60..64 {
        product ^= u128::from((a >> term & 1).wrapping_neg() & b) << term;
    }
    let low = a & u64::MAX >> 4;
    for sum in 0..4 {
        let mut class = 0;
        for i in 0..4 {
            let x = low & CLASS << i;
            let y = b & CLASS << ((sum + 4 - i) % 4);
            class ^= u128::from(x) * u128::from(y);
        }
        product ^= class & WIDE_CLASS << sum;
    }
    product
}

/// The square of a polynomial over GF(2) of degree below 64: bit `i` moves to bit `2 i`.
#[inline(always)]
pub(super) fn square(a: u64) -> u128 {
    u128::from(spread(a as u32)) | u128::from(spread((a >> 32) as u32)) << 64
}

#[inline(always)]
fn spread(a: u32) -> u64 {
    let mut x = u64::from(a);
    x = (x | x << 16) & 0x0000_ffff_0000_ffff;
    x = (x | x << 8) & 0x00ff_00ff_00ff_00ff;
    x = (x | x << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    x = (x | x << 2) & 0x3333_3333_3333_3333;
    (x | x << 1) & 0x5555_5555_5555_5555
}

/// `low + high x^128` modulo `x^128 + x^7 + x^2 + x + 1`.
#[inline(always)]
pub(super) fn reduce(low: u128, high: u128) -> u128 {
    let top = high >> 127 ^ high >> 126 ^ high >> 121;
    let folded = high ^ top;
    low ^ folded ^ folded << 1 ^ folded << 2 ^ folded << 7
}
