//! The bytes and the error of a proof by its parameters, and the shape of the matrix whose proof is shortest.

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::panic,
        clippy::expect_used,
        clippy::arithmetic_side_effects
    )
)]

use binfer_hash::HashKind;
use binfer_iop::channel::{SoundnessTerm, log2_sum};

use super::params::{MAX_QUERIES, MAX_VARS, pow2};
use super::{Alphabet, Params, ParamsError};
use crate::queries::{log2_query_error, queries};

/// Bytes of an element of GF(2^128).
const ELEMENT: u64 = 16;
/// Bytes of a digest.
const DIGEST: u64 = 32;

impl Params {
    /// The parameters of the shortest proof for `2^n_vars` coefficients, of all shapes of the matrix,
    /// with the fewest queries whose error, all terms together, is at most `2^-security_bits`.
    ///
    /// # Errors
    /// [`ParamsError`] where no shape is valid.
    pub fn smallest(
        n_vars: u32,
        log_coefficient: u32,
        alphabet: Alphabet,
        log_inv_rate: u32,
        security_bits: u32,
    ) -> Result<Self, ParamsError> {
        let shape = |log_rows: u32| {
            let params = Self {
                log_coefficient,
                alphabet,
                log_rows,
                log_cols: n_vars.saturating_sub(log_rows),
                log_inv_rate,
                queries: queries(security_bits, log_inv_rate),
                hash: HashKind::default(),
            };
            params.with_security(security_bits)
        };
        let valid = (0..=n_vars.min(MAX_VARS))
            .filter_map(|log_rows| shape(log_rows).filter(|params| params.validate().is_ok()));
        let none = ParamsError::NoShape { n_vars, security_bits };
        valid.min_by_key(Self::proof_bytes).ok_or(none)
    }

    /// The same with the fewest queries that give this level, the gap of the row combination included;
    /// none where that alone exceeds it.
    fn with_security(mut self, security_bits: u32) -> Option<Self> {
        while self.soundness_bits() < f64::from(security_bits) {
            self.queries = self.queries.saturating_add(1);
            if self.queries > MAX_QUERIES {
                return None;
            }
        }
        Some(self)
    }

    /// Bytes of a proof, exactly: nothing frames its parts.
    ///
    /// The combined row, `16 * 2^log_cols`, and for each query a column with its own Merkle path,
    /// `symbol * 2^log_rows + 32 * log_length`.
    pub fn proof_bytes(&self) -> u64 {
        self.row_bytes().saturating_add(self.query_bytes().saturating_mul(self.queries as u64))
    }

    /// Bytes of the combined row.
    pub fn row_bytes(&self) -> u64 {
        ELEMENT.saturating_mul(pow2(self.log_cols))
    }

    /// Bytes of one column and its path.
    pub fn query_bytes(&self) -> u64 {
        let column = (self.alphabet.bytes() as u64).saturating_mul(pow2(self.log_rows));
        column.saturating_add(DIGEST.saturating_mul(self.log_length().into()))
    }

    /// The terms of the error, in the unique-decoding regime, whose sum bounds it: for a point whose
    /// row coordinates are drawn after the commitment.
    pub fn soundness(&self) -> Vec<SoundnessTerm> {
        let query = log2_query_error(self.log_inv_rate) * self.queries as f64;
        let mut terms = vec![SoundnessTerm { label: "queries", log2_error: query }];
        if self.log_rows > 0 {
            terms.push(SoundnessTerm {
                label: "proximity gap of the row combination",
                log2_error: f64::from(self.log_rows).log2() + f64::from(self.log_length()) - 128.0,
            });
        }
        terms
    }

    /// `-log2` of the sum of [`Self::soundness`].
    pub fn soundness_bits(&self) -> f64 {
        -log2_sum(self.soundness().iter().map(|term| term.log2_error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smallest(n_vars: u32, log_coefficient: u32, log_inv_rate: u32) -> Params {
        let alphabet = if log_coefficient == 5 { Alphabet::B32 } else { Alphabet::B16 };
        Params::smallest(n_vars, log_coefficient, alphabet, log_inv_rate, 100).unwrap()
    }

    #[test]
    fn published_sizes_at_rate_one_fourth() {
        // Logarithm of a coefficient's bits; MiB at 2^20, 2^24, 2^28, 2^32 coefficients.
        let published: [(u32, &[f64]); 3] = [
            (0, &[0.180, 0.593, 2.219, 8.697]),
            (3, &[0.193, 0.607, 2.885]),
            (5, &[0.265, 0.866, 3.242]),
        ];
        for (log_coefficient, sizes) in published {
            for (n_vars, mib) in [20, 24, 28, 32].into_iter().zip(sizes) {
                let params = smallest(n_vars, log_coefficient, 2);
                assert_eq!(params.queries, 148);
                let ours = params.proof_bytes() as f64 / f64::from(1 << 20);
                assert!((ours - mib).abs() < 0.00051, "{params:?}: {ours} MiB, not {mib}");
                assert!(params.soundness_bits() >= 100.0);
            }
        }
    }

    #[test]
    fn published_sizes_at_rate_one_half() {
        for (log_coefficient, mib) in [(0, 2.978), (3, 3.000), (5, 4.015)] {
            let params = smallest(28, log_coefficient, 1);
            assert_eq!(params.queries, 241);
            let ours = params.proof_bytes() as f64 / f64::from(1 << 20);
            assert!((ours - mib).abs() < 0.00051, "{params:?}: {ours} MiB, not {mib}");
            assert!(params.soundness_bits() >= 100.0);
        }
    }

    #[test]
    fn published_shapes() {
        let bits = smallest(28, 0, 2);
        assert_eq!((bits.log_rows, bits.log_cols, bits.proof_bytes()), (12, 16, 2_327_296));
        assert_eq!((bits.log_packing(), bits.log_message(), bits.log_length()), (4, 12, 14));
        assert_eq!(bits.message_bytes(), 1 << 25);
        let words = smallest(28, 5, 2);
        assert_eq!((words.log_rows, words.log_cols, words.proof_bytes()), (11, 17, 3_399_552));
        assert_eq!((words.log_packing(), words.log_length()), (0, 19));
        // The alphabet is what limits bytes: its code has no room for more columns.
        assert_eq!(smallest(28, 3, 2).log_length(), 16);
    }

    #[test]
    fn levels_that_no_shape_has_are_errors() {
        assert_eq!(
            Params::smallest(60, 0, Alphabet::B16, 2, 100),
            Err(ParamsError::NoShape { n_vars: 60, security_bits: 100 })
        );
        assert_eq!(
            Params::smallest(20, 0, Alphabet::B16, 2, 127),
            Err(ParamsError::NoShape { n_vars: 20, security_bits: 127 })
        );
    }
}
