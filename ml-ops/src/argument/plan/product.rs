//! Products of two elements as sums of functions: of a nibble of each, an index of 8 bits.
//!
//! With `a = a_0 + 16 a_1` and `b = b_0 + 16 b_1`, `(a - a_z)(b - b_z)` is `a_0 b_0 + (16 a_1 - a_z) b_0 +
//! a_0 (16 b_1 - b_z) + (16 a_1 - a_z)(16 b_1 - b_z)`: four functions whose tables have 256 entries, of indices whose
//! planes belong to two matrices. Nothing is committed for a product.

use std::sync::Arc;

use super::sum::{Exponents, Input};
use super::{Matrix, OtherBits, Plan};
use crate::argument::wiring::straight;

/// Bits of each operand in an index.
pub(super) const NIBBLE: u32 = 4;

impl Plan {
    /// The four summands of `factor * (a - zeros[0]) * (b - zeros[1])`, each of one tap of `taps`; `None` where the
    /// matrices differ in shape or are not of bytes.
    pub(super) fn product(
        &self,
        a: usize,
        b: usize,
        zeros: [u8; 2],
        factor: i64,
        (rows, cols): (usize, usize),
        taps: usize,
    ) -> Option<Vec<Input>> {
        let shape = |m: usize| {
            let Matrix { rows, cols, bits, .. } = *self.matrices.get(m)?;
            Some((rows, cols, bits))
        };
        if [shape(a)?, shape(b)?] != [(rows, cols, 2 * NIBBLE); 2] {
            return None;
        }
        let gather = match taps {
            1 => None,
            _ => Some(super::sum::with_taps(straight(rows, cols), 1, taps)?),
        };
        let part = |a_first: u32, b_first: u32| {
            let first = OtherBits { matrix: b, first: b_first };
            let exponents = Exponents::Listed(Arc::new(table(zeros, factor, a_first, b_first)));
            Input::of_nibbles(a, (a_first, first), exponents, gather.clone())
        };
        Some(vec![part(0, 0), part(NIBBLE, 0), part(0, NIBBLE), part(NIBBLE, NIBBLE)])
    }
}

/// What the index of the nibbles from these bits on adds: at `v` that of `v mod 16` and `v div 16`.
fn table([a_zero, b_zero]: [u8; 2], factor: i64, a_first: u32, b_first: u32) -> [i64; 256] {
    // The zero goes with the high nibble.
    let operand = |nibble: i64, first: u32, zero: u8| match first {
        0 => nibble,
        _ => (nibble << first) - i64::from(zero),
    };
    core::array::from_fn(|v| {
        let (a, b) = (v as i64 % 16, v as i64 / 16);
        factor.saturating_mul(operand(a, a_first, a_zero) * operand(b, b_first, b_zero))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_tables_add_up_to_the_product() {
        for (zeros, factor) in [([0, 0], 1), ([128, 3], -7), ([255, 255], 1 << 31)] {
            let starts = [(0, 0), (4, 0), (0, 4), (4, 4)];
            let tables = starts.map(|(a, b)| table(zeros, factor, a, b));
            for a in 0..256usize {
                for b in 0..256usize {
                    let at = |&(a_first, b_first): &(u32, u32)| {
                        (a >> a_first & 15) + 16 * (b >> b_first & 15)
                    };
                    let sum: i64 = starts.iter().zip(&tables).map(|(s, table)| table[at(s)]).sum();
                    let [a_zero, b_zero] = zeros.map(i64::from);
                    assert_eq!(sum, factor * (a as i64 - a_zero) * (b as i64 - b_zero));
                }
            }
        }
    }
}
