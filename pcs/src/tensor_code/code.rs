//! The Reed-Solomon code over the alphabet, 64 codewords at a time in byte planes.
//!
//! The domain is the span of the Cantor basis of [`crate::code`], whose first 16 elements span GF(2^16) and
//! whose first 32 span GF(2^32): the kernel of `x^(2^i) + x`, `i` a power of two, is that field, and the subspace polynomials
//! are the iterates of `x^2 + x`. So this code is that of the large field, on messages from the subfield, and its
//! transform takes twiddles from the subfield only (LCH14; DP24, section 2.3).

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::panic,
        clippy::expect_used,
        clippy::arithmetic_side_effects
    )
)]

use binfer_field::planes::{Plane, Twiddles};
use binfer_field::{Tower16, Tower32, Tower128};

use super::{Alphabet, Params};
use crate::code::basis;

/// Planes of a block that a core's first-level cache holds.
const BLOCK: usize = 1 << 9;

/// The code of a commitment.
pub(super) struct Code {
    twiddles: Twiddles,
    /// Planes of a position: bytes of a symbol.
    pub(super) n_planes: usize,
    /// Symbols of a message.
    pub(super) message: usize,
    /// Symbols of a codeword over those of a message.
    pub(super) n_cosets: usize,
}

impl Code {
    /// The code of valid parameters.
    pub(super) fn new(params: &Params) -> Self {
        // One twiddle has a bit for each layer above its own.
        let dimensions = params.log_length().saturating_sub(1) as usize;
        let elements = basis().iter().take(dimensions).map(|&b| Tower128::from(b).to_bits());
        let twiddles = match params.alphabet {
            Alphabet::B16 => {
                Twiddles::new(&elements.map(|b| Tower16::new(b as u16)).collect::<Vec<_>>())
            }
            Alphabet::B32 => {
                Twiddles::new(&elements.map(|b| Tower32::new(b as u32)).collect::<Vec<_>>())
            }
        };
        Self {
            twiddles,
            n_planes: params.alphabet.bytes(),
            message: 1 << params.log_message(),
            n_cosets: 1 << params.log_inv_rate,
        }
    }

    /// The symbols of coset `coset` of the codewords of 64 messages, which `block` holds and which they replace:
    /// positions `coset * message` and those that follow.
    pub(super) fn encode_coset(&self, block: &mut [Plane], coset: usize) {
        // The top layers meet zeros and copy the message into each coset.
        let half = self.message / 2;
        self.transform(block, half, coset);
    }

    /// Block `k` of two halves of `half` positions, depth first down to what the cache holds.
    fn transform(&self, block: &mut [Plane], mut half: usize, k: usize) {
        if half > 0 && block.len() > BLOCK {
            self.twiddles.butterflies(block, half, k);
            let (lo, hi) = block.split_at_mut(block.len() / 2);
            self.transform(lo, half / 2, k << 1);
            self.transform(hi, half / 2, k << 1 | 1);
            return;
        }
        let mut first = k;
        while half > 0 {
            self.twiddles.butterflies(block, half, first);
            half /= 2;
            first <<= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use binfer_field::F128;
    use rand::{RngCore, SeedableRng, rngs::StdRng};

    use super::*;

    /// The symbols of one lane in the large field.
    fn lane(planes: &[Plane], n_planes: usize, lane: usize) -> Vec<F128> {
        let symbol = |position: &[Plane]| {
            let byte = |(i, plane): (usize, &Plane)| u128::from(plane[lane]) << (8 * i);
            F128::from(Tower128::new(position.iter().enumerate().map(byte).sum()))
        };
        planes.chunks(n_planes).map(symbol).collect()
    }

    #[test]
    fn codewords_are_those_of_the_large_field() {
        let mut rng = StdRng::seed_from_u64(1);
        for alphabet in Alphabet::ALL {
            for (log_message, log_inv_rate) in [(0, 1), (1, 2), (5, 1), (10, 2), (14, 2), (8, 8)] {
                let params = Params {
                    log_coefficient: alphabet.log_bits(),
                    alphabet,
                    log_rows: 0,
                    log_cols: log_message,
                    log_inv_rate,
                    queries: 1,
                    hash: Default::default(),
                };
                params.validate().unwrap();
                let code = Code::new(&params);
                let mut message = vec![[0; 64]; code.n_planes << log_message];
                rng.fill_bytes(message.as_flattened_mut());
                let expected = crate::code::encode(&lane(&message, code.n_planes, 9), log_inv_rate);
                for (coset, symbols) in expected.chunks(code.message).enumerate() {
                    let mut block = message.clone();
                    code.encode_coset(&mut block, coset);
                    assert_eq!(lane(&block, code.n_planes, 9), symbols, "{params:?} {coset}");
                }
            }
        }
    }

    #[test]
    fn the_basis_spans_subfields() {
        for (i, &b) in basis().iter().take(31).enumerate() {
            let bits = Tower128::from(b).to_bits();
            // Entry i is b_(i + 1).
            let field = (i as u32 + 2).next_power_of_two();
            assert_eq!(bits >> field, 0, "b_{} is not in GF(2^{field})", i + 1);
        }
    }
}
