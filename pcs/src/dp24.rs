//! What an opening costs by the accounting of DP24: FRI with ring switching of one multilinear.
//!
//! The figures published for that scheme (B. Diamond, J. Posen, *Polylogarithmic proofs for
//! multilinears over binary towers*, ePrint 2024/504) follow from these choices: every codeword is
//! opened in cosets of `2^a` symbols, each query has a Merkle path of its own to a layer of
//! `2^ceil(log2 queries)` digests that is sent whole (the cap), the last codeword is sent whole
//! too, and the arities `a` are those of least bytes. Roots are not counted, nor are the messages
//! of ring switching and of the sumcheck, which have functions of their own here.
//!
//! This crate's own openings are smaller ([`opening_size`](crate::opening_size)): sixteen
//! interleaved rows replace the first folds, paths share their digests, and what is left is sent as
//! a message, not as a codeword.

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::panic,
        clippy::expect_used,
        clippy::arithmetic_side_effects
    )
)]

use binfer_iop::channel::SoundnessTerm;

use crate::queries::{log2_query_error, queries};

/// Bytes of a field element.
const ELEMENT: u64 = 16;
/// Bytes of a digest.
const DIGEST: u64 = 32;
/// The largest arity that the search tries, as a logarithm.
const MAX_LOG_ARITY: u32 = 12;

/// The opening of one multilinear at one point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Variables of the multilinear.
    pub n_vars: u32,
    /// Logarithm of the coefficients in an element of GF(2^128): 7 for bits (`kappa`).
    pub log_packing: u32,
    /// Logarithm of one over the rate.
    pub log_inv_rate: u32,
    /// Positions queried, with repetition.
    pub queries: usize,
}

impl Opening {
    /// The opening whose query phase alone has an error of at most `2^-security_bits`.
    pub fn new(n_vars: u32, log_packing: u32, security_bits: u32, log_inv_rate: u32) -> Self {
        Self { n_vars, log_packing, log_inv_rate, queries: queries(security_bits, log_inv_rate) }
    }

    /// Variables of the packed multilinear, whose coefficients are elements.
    pub fn packed_vars(&self) -> u32 {
        self.n_vars.saturating_sub(self.log_packing)
    }

    /// Bytes of FRI data: caps, opened cosets with their paths, and the last codeword.
    pub fn fri_bytes(&self) -> u64 {
        self.best().0
    }

    /// How many variables each codeword that is opened binds, the committed one first: those of the
    /// fewest bytes.
    pub fn arities(&self) -> Vec<u32> {
        self.best().1
    }

    /// Bytes of the ring-switching message: `2^log_packing` elements.
    pub fn ring_switching_bytes(&self) -> u64 {
        ELEMENT.saturating_mul(pow2(self.log_packing))
    }

    /// Bytes of the sumcheck: two elements a variable.
    pub fn sumcheck_bytes(&self) -> u64 {
        ELEMENT.saturating_mul(2).saturating_mul(self.packed_vars().into())
    }

    /// The terms of the error, in the unique-decoding regime, whose sum bounds it.
    ///
    /// `log_packing / 2^128` for ring switching and `2 n / 2^128` for the sumcheck of `n` variables
    /// (DP24, section 3), `2^(n + log_inv_rate) / 2^128` for the folds and `((1 + rho) / 2)^queries`
    /// for the queries (section 4).
    pub fn soundness(&self) -> Vec<SoundnessTerm> {
        let n = self.packed_vars();
        let log_length = n.saturating_add(self.log_inv_rate);
        let query = log2_query_error(self.log_inv_rate) * self.queries as f64;
        let mut terms = vec![
            SoundnessTerm { label: "queries", log2_error: query },
            SoundnessTerm {
                label: "proximity gaps of the folds",
                log2_error: f64::from(log_length) - 128.0,
            },
        ];
        let rounds = 2.0 * f64::from(n);
        for (label, degree) in
            [("sumcheck", rounds), ("ring switching", f64::from(self.log_packing))]
        {
            if degree > 0.0 {
                terms.push(SoundnessTerm::schwartz_zippel(label, degree));
            }
        }
        terms
    }

    /// `-log2` of the sum of [`Self::soundness`].
    pub fn soundness_bits(&self) -> f64 {
        -binfer_iop::channel::log2_sum(self.soundness().iter().map(|term| term.log2_error))
    }

    /// The fewest bytes and the arities that have them.
    fn best(&self) -> (u64, Vec<u32>) {
        // best[m]: the bytes from a codeword of 2^m message symbols on, and its arity, 0 to send it.
        let mut best: Vec<(u64, u32)> = Vec::new();
        for m in 0..=self.packed_vars() {
            let whole = ELEMENT.saturating_mul(pow2(m.saturating_add(self.log_inv_rate)));
            let opened = (1..=m.min(MAX_LOG_ARITY)).filter_map(|arity| {
                let (rest, _) = best.get(m.checked_sub(arity)? as usize)?;
                Some((self.codeword_bytes(m, arity).saturating_add(*rest), arity))
            });
            let choice = opened.fold((whole, 0), |least, other| least.min(other));
            best.push(choice);
        }
        let bytes = best.last().map_or(0, |&(bytes, _)| bytes);
        let mut arities = Vec::new();
        let mut m = self.packed_vars();
        while let Some(&(_, arity @ 1..)) = best.get(m as usize) {
            arities.push(arity);
            m = m.saturating_sub(arity);
        }
        (bytes, arities)
    }

    /// The cap of a codeword of `2^log_message` message symbols and all that queries open of it.
    fn codeword_bytes(&self, log_message: u32, arity: u32) -> u64 {
        let log_leaves = log_message.saturating_add(self.log_inv_rate).saturating_sub(arity);
        let log_queries = (self.queries as u64).max(1).checked_next_power_of_two();
        let cap = log_queries.map_or(u64::BITS, u64::ilog2).min(log_leaves);
        let path = DIGEST.saturating_mul(log_leaves.saturating_sub(cap).into());
        let query = ELEMENT.saturating_mul(pow2(arity)).saturating_add(path);
        let caps = DIGEST.saturating_mul(pow2(cap));
        query.saturating_mul(self.queries as u64).saturating_add(caps)
    }
}

fn pow2(log: u32) -> u64 {
    1u64.checked_shl(log).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_sizes() {
        // Security bits, logarithm of the inverse rate, KiB at 2^20, 2^24 and 2^28 bits.
        let published = [
            (96, 1, [90.8, 200.2, 338.8]),
            (96, 2, [81.7, 156.2, 248.6]),
            (100, 1, [92.7, 206.2, 349.7]),
            (100, 2, [84.1, 161.5, 257.4]),
        ];
        for (security_bits, log_inv_rate, sizes) in published {
            for (n_vars, kib) in [20, 24, 28].into_iter().zip(sizes) {
                let opening = Opening::new(n_vars, 7, security_bits, log_inv_rate);
                let ours = opening.fri_bytes() as f64 / 1024.0;
                assert!((ours - kib).abs() < 0.051, "{opening:?}: {ours} KiB, not {kib}");
            }
        }
    }

    #[test]
    fn arities_of_least_bytes() {
        assert_eq!(Opening::new(28, 7, 100, 1).arities(), [4, 4, 3]);
        assert_eq!(Opening::new(28, 7, 100, 2).arities(), [4, 4, 3, 3]);
        assert_eq!(Opening::new(7, 7, 100, 2).arities(), []);
        assert_eq!(Opening::new(7, 7, 100, 2).fri_bytes(), 64);
    }

    #[test]
    fn errors_of_whole_openings() {
        for (n_vars, log_inv_rate, bits) in
            [(20, 1, 100.02), (24, 1, 100.02), (28, 1, 100.00), (20, 2, 100.35), (28, 2, 100.29)]
        {
            let opening = Opening::new(n_vars, 7, 100, log_inv_rate);
            let total = opening.soundness_bits();
            assert!((bits..bits + 0.06).contains(&total), "{opening:?}: {total}");
            assert_eq!(opening.soundness().len(), 4);
        }
        // A codeword of 2^26 symbols costs more than what the queries leave.
        assert!(Opening::new(32, 7, 100, 1).soundness_bits() < 100.0);
        assert_eq!(Opening::new(20, 0, 100, 1).soundness().len(), 3);
    }
}
