//! Products of two elements as sums of functions: of a nibble of each, an index of 8 bits.
//!
//! With `a = a_0 + 16 a_1` and `b = b_0 + 16 b_1`, `(a - a_z)(b - b_z)` is `a_0 b_0 + (16 a_1 - a_z) b_0 +
//! a_0 (16 b_1 - b_z) + (16 a_1 - a_z)(16 b_1 - b_z)`: four functions whose tables have 256 entries, of indices whose
//! planes belong to two matrices. Nothing is committed for a product. Where the two are of one shape and read alike, an
//! index is one of a view of both; elsewhere it is made of two, each read through a map of its own.

use std::sync::Arc;

use super::sum::{Exponents, Input, Nibbles, Operand, with_taps};
use super::{Matrix, Plan};
use crate::argument::wiring::batched;
use crate::graph::{Function, Gather, TensorId, Term};

/// Bits of each operand in an index.
pub(super) const NIBBLE: u32 = 4;

/// A term that is a product, with operands that are read through maps of all samples.
pub(super) struct Product {
    /// The operands.
    pub(super) operands: [Operand; 2],
    /// What is subtracted from an entry of each.
    pub(super) zeros: [u8; 2],
    /// The factor.
    pub(super) factor: i64,
    /// Taps that are read.
    pub(super) taps: usize,
    /// Those that are the term's.
    of: usize,
}

impl Product {
    /// Its four summands.
    pub(super) fn parts(&self) -> [Input; 4] {
        let [a, b] = &self.operands;
        let part = |[a_first, b_first]: [u32; 2]| {
            let table = table(self.zeros, self.factor, a_first, b_first);
            let nibbles = Nibbles { first: [a_first, b_first], with: b.clone() };
            Input::of_nibbles(a.clone(), nibbles, Exponents::Listed(Arc::new(table)))
        };
        [[0, 0], [NIBBLE, 0], [0, NIBBLE], [NIBBLE, NIBBLE]].map(part)
    }

    /// What its taps that read nothing add, as an exponent of every base.
    pub(super) fn excess(&self) -> i128 {
        let [a, b] = core::array::from_fn(|i| {
            let zero = self.zeros[i];
            i128::from(self.operands[i].pad.unwrap_or(zero)) - i128::from(zero)
        });
        let more = self.taps.saturating_sub(self.of) as i128;
        (i128::from(self.factor) * a * b).saturating_mul(more)
    }
}

impl Plan {
    /// A term that is a product, read with `taps` taps, a multiple of the term's; `None` where the matrices do not have
    /// these rows and columns, or are not of bytes.
    pub(super) fn product(
        &self,
        term: &Term,
        size: (usize, usize),
        taps: usize,
        batch: usize,
    ) -> Option<Product> {
        let Function::Product { with, with_gather, zeros, factor } = &term.function else {
            return None;
        };
        let operand = |x, gather: &Option<Gather>, zero| {
            self.operand((x, gather.as_ref()), zero, (term.taps, taps), size, batch)
        };
        let a = operand(term.x, &term.gather, zeros[0])?;
        let b = operand(*with, with_gather, zeros[1])?;
        taps.checked_sub(term.taps)?;
        let (zeros, factor) = (*zeros, *factor);
        Some(Product { operands: [a, b], zeros, factor, taps, of: term.taps })
    }

    /// One operand, whose map has `more` columns an output in place of `taps`; outside its source stands zero, if
    /// nothing else.
    fn operand(
        &self,
        (x, gather): (TensorId, Option<&Gather>),
        zero: u8,
        (taps, more): (usize, usize),
        (rows, cols): (usize, usize),
        batch: usize,
    ) -> Option<Operand> {
        let matrix: &Matrix = self.matrices.get(x)?;
        let is_whole = (matrix.rows, matrix.cols) == (rows, cols);
        if matrix.bits != 2 * NIBBLE || gather.is_none() && !is_whole {
            return None;
        }
        let pad = gather.and_then(|gather| gather.pad).unwrap_or(zero);
        let gather = match gather.map(|gather| batched(gather, batch)) {
            None if taps == more => None,
            gather => {
                let gather = gather.unwrap_or_else(|| Gather::straight(rows, cols));
                Some(Gather { pad: None, ..with_taps(gather, taps, more)? })
            }
        };
        Some(Operand { matrix: x, gather, pad: Some(pad) })
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
        for (zeros, factor) in [([0, 0], 1), ([128, 3], -7), ([255, 255], 1 << 45)] {
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
