//! `Params`: the free choices of an opening and what follows from them.

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
use thiserror::Error;

use crate::queries;

/// Bytes of a field element in a proof.
const ELEMENT: u64 = 16;
/// Bytes of a digest in a proof.
const DIGEST: u64 = 32;

/// The parameters of commitments and of their openings.
///
/// Prover and verifier must agree on them: they belong into the statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Params {
    /// Logarithm of one over the code's rate, 1 to 8.
    pub log_inv_rate: u32,
    /// Bits of soundness of the query phase with its grinding, 1 to 128. The other terms of the
    /// error are below `2^-100` together for all data that fit in memory.
    pub security_bits: u32,
    /// Bits of proof of work before the queries, 0 to 40, fewer than `security_bits`.
    pub grinding_bits: u32,
    /// The hash function of the Merkle trees.
    pub hash: HashKind,
    /// Logarithm of the most symbols that a leaf of a folded codeword holds, 1 to 8.
    pub log_arity: u32,
}

/// Why parameters are rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParamsError {
    /// The encoding is of another length.
    #[error("parameters have {expected} bytes, not {got}")]
    Length {
        /// Bytes of an encoding.
        expected: usize,
        /// Bytes read.
        got: usize,
    },
    /// The logarithm of the inverse rate is out of range.
    #[error("log_inv_rate is {got}, not in 1..=8")]
    Rate {
        /// The value.
        got: u32,
    },
    /// The security level is out of range.
    #[error("security_bits is {got}, not in 1..=128")]
    Security {
        /// The value.
        got: u32,
    },
    /// The proof of work is out of range.
    #[error("grinding_bits is {got}, not in 0..=40 or not below security_bits")]
    Grinding {
        /// The value.
        got: u32,
    },
    /// The folding arity is out of range.
    #[error("log_arity is {got}, not in 1..=8")]
    Arity {
        /// The value.
        got: u32,
    },
    /// No hash function has this code.
    #[error("no hash function has code {got}")]
    Hash {
        /// The code.
        got: u8,
    },
}

impl Default for Params {
    fn default() -> Self {
        Self::fast()
    }
}

impl Params {
    /// The fastest prover: rate 1/2 and no proof of work.
    pub const fn fast() -> Self {
        Self {
            log_inv_rate: 1,
            security_bits: 103,
            grinding_bits: 0,
            hash: HashKind::Blake3,
            log_arity: 4,
        }
    }

    /// Openings of 2^20 bits and more smaller by about a third, at the same soundness: rate 1/4,
    /// which doubles the cost of committing, and 16 bits of proof of work leave half as many queries.
    pub const fn small() -> Self {
        Self { log_inv_rate: 2, grinding_bits: 16, ..Self::fast() }
    }

    /// Bytes of an encoding.
    pub const BYTES: usize = 5;

    /// One byte a field, in the order of the fields.
    ///
    /// The parameters are valid; a field that no byte holds becomes 255, which no decoder accepts.
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let byte = |x: u32| u8::try_from(x).unwrap_or(u8::MAX);
        [
            byte(self.log_inv_rate),
            byte(self.security_bits),
            byte(self.grinding_bits),
            u8::from(self.hash),
            byte(self.log_arity),
        ]
    }

    /// Inverse of [`Self::to_bytes`].
    ///
    /// # Errors
    /// [`ParamsError`] for bytes that are not valid parameters.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ParamsError> {
        let &[rate, security, grinding, hash, arity] = bytes else {
            return Err(ParamsError::Length { expected: Self::BYTES, got: bytes.len() });
        };
        let params = Self {
            log_inv_rate: rate.into(),
            security_bits: security.into(),
            grinding_bits: grinding.into(),
            hash: HashKind::try_from(hash).map_err(|_| ParamsError::Hash { got: hash })?,
            log_arity: arity.into(),
        };
        params.validate()?;
        Ok(params)
    }

    /// Checks the ranges that the fields' documentation states.
    ///
    /// # Errors
    /// [`ParamsError`] for the first field out of its range.
    pub fn validate(&self) -> Result<(), ParamsError> {
        if !(1..=8).contains(&self.log_inv_rate) {
            return Err(ParamsError::Rate { got: self.log_inv_rate });
        }
        if !(1..=128).contains(&self.security_bits) {
            return Err(ParamsError::Security { got: self.security_bits });
        }
        if self.grinding_bits > 40 || self.grinding_bits >= self.security_bits {
            return Err(ParamsError::Grinding { got: self.grinding_bits });
        }
        if !(1..=8).contains(&self.log_arity) {
            return Err(ParamsError::Arity { got: self.log_arity });
        }
        Ok(())
    }

    /// `log2((1 + rate) / 2)`: what one query adds to the logarithm of the error in the
    /// unique-decoding regime.
    pub fn log2_query_error(&self) -> f64 {
        queries::log2_query_error(self.log_inv_rate)
    }

    /// Positions queried: `ceil((security - grinding) / -log2((1 + rate) / 2))`.
    pub fn queries(&self) -> usize {
        queries::queries(self.security_bits.saturating_sub(self.grinding_bits), self.log_inv_rate)
    }

    /// How many variables each folded codeword binds, for messages of `2^log_message` elements.
    ///
    /// The first folded codeword is the one that the entry at index 0 folds; the message that is
    /// left is sent in the clear. Of all schedules within `log_arity` this one has the least
    /// estimated bytes.
    pub(crate) fn schedule(&self, log_message: u32) -> Vec<u32> {
        // best[m]: the estimate for 2^m elements and the first step, 0 to send them.
        let mut best: Vec<(u64, u32)> = Vec::new();
        for m in 0..=log_message {
            let clear = ELEMENT.saturating_mul(pow2(m));
            let folds = (1..=self.log_arity.min(m)).filter_map(|step| {
                let (rest, _) = best.get(m.checked_sub(step)? as usize)?;
                Some((rest.saturating_add(self.oracle_bytes(m, step)), step))
            });
            let choice = folds.fold((clear, 0), |least, other| least.min(other));
            best.push(choice);
        }
        let mut schedule = Vec::new();
        let mut m = log_message;
        while let Some(&(_, step)) = best.get(m as usize) {
            if step == 0 {
                break;
            }
            schedule.push(step);
            m = m.saturating_sub(step);
        }
        schedule
    }

    /// About how many bytes a codeword of `2^log_message` elements costs whose leaves are cosets of
    /// `2^step` symbols.
    fn oracle_bytes(&self, log_message: u32, step: u32) -> u64 {
        let log_leaves = log_message.saturating_add(self.log_inv_rate).saturating_sub(step);
        let opened = (self.queries() as u64).min(pow2(log_leaves));
        let path = log_leaves.saturating_sub(opened.checked_ilog2().unwrap_or(0));
        let leaf = ELEMENT.saturating_mul(pow2(step));
        let per_leaf = leaf.saturating_add(DIGEST.saturating_mul(path.into()));
        opened.saturating_mul(per_leaf).saturating_add(DIGEST)
    }
}

/// The logarithm of the most that the proximity gaps of rows and folds may add up to, over `2^128`: with a check in the exponent at
/// `2^-100.4` and 103 bits in the queries, all errors are below `2^-100` then.
const LOG_GAPS: f64 = 24.85;

/// How many times as many rows as a first commitment has, as a logarithm, all oracles of an opening may have for that.
const LOG_SHARE: u32 = 2;

/// The shortest row.
const LEAST_LOG_ROW: u32 = 6;

/// The row length (as a logarithm, in words) for a first commitment of `n_words` words: 9 to 16
/// rows, or fewer of at least 2^6 words.
///
/// Twice as many rows would add more to the leaves than a shorter code takes off the paths. Of more than `2^32` bits (at rate 1/2) there
/// are more nevertheless: the proximity gaps grow with the length of a row and, as their number's logarithm, with the rows.
pub fn log_row_for(params: &Params, n_words: usize) -> u32 {
    let log_words = n_words.max(1).checked_next_power_of_two().map_or(usize::BITS, |n| n.ilog2());
    let longest = log_words.saturating_sub(4).max(LEAST_LOG_ROW);
    let gaps = |log_row: &u32| {
        let log_rows = log_words.saturating_sub(*log_row).saturating_add(LOG_SHARE);
        let log_length = log_row.saturating_add(params.log_inv_rate);
        f64::from(log_rows.saturating_add(1)).log2() + f64::from(log_length) <= LOG_GAPS
    };
    (LEAST_LOG_ROW..=longest).rev().find(gaps).unwrap_or(LEAST_LOG_ROW)
}

fn pow2(log: u32) -> u64 {
    1u64.checked_shl(log).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_counts() {
        let queries = |log_inv_rate, security_bits, grinding_bits| {
            Params { log_inv_rate, security_bits, grinding_bits, ..Params::default() }.queries()
        };
        assert_eq!(queries(1, 100, 0), 241);
        assert_eq!(queries(2, 100, 0), 148);
        assert_eq!(queries(1, 96, 0), 232);
        assert_eq!(queries(2, 96, 0), 142);
        assert_eq!(queries(1, 100, 4), 232);
        assert_eq!(Params::fast().queries(), 249);
        assert_eq!(Params::small().queries(), 129);
        for profile in [Params::fast(), Params::small()] {
            assert_eq!(profile.validate(), Ok(()));
            let bits = -profile.log2_query_error() * profile.queries() as f64;
            assert!(bits + f64::from(profile.grinding_bits) >= 103.0);
        }
    }

    #[test]
    fn bytes_round_trip() {
        for log_inv_rate in [1, 2, 8] {
            for hash in HashKind::ALL {
                let params = Params { log_inv_rate, hash, grinding_bits: 7, ..Params::default() };
                assert_eq!(Params::from_bytes(&params.to_bytes()), Ok(params));
            }
        }
    }

    #[test]
    fn invalid_bytes_are_errors() {
        let hash = u8::from(HashKind::default());
        let error = |bytes: &[u8]| Params::from_bytes(bytes).unwrap_err();
        assert_eq!(error(&[1, 100, 0, hash]), ParamsError::Length { expected: 5, got: 4 });
        assert_eq!(error(&[0, 100, 0, hash, 4]), ParamsError::Rate { got: 0 });
        assert_eq!(error(&[9, 100, 0, hash, 4]), ParamsError::Rate { got: 9 });
        assert_eq!(error(&[1, 0, 0, hash, 4]), ParamsError::Security { got: 0 });
        assert_eq!(error(&[1, 129, 0, hash, 4]), ParamsError::Security { got: 129 });
        assert_eq!(error(&[1, 20, 20, hash, 4]), ParamsError::Grinding { got: 20 });
        assert_eq!(error(&[1, 100, 41, hash, 4]), ParamsError::Grinding { got: 41 });
        assert_eq!(error(&[1, 100, 0, 77, 4]), ParamsError::Hash { got: 77 });
        assert_eq!(error(&[1, 100, 0, hash, 0]), ParamsError::Arity { got: 0 });
        assert_eq!(error(&[1, 100, 0, hash, 9]), ParamsError::Arity { got: 9 });
    }

    #[test]
    fn schedules_fold_what_is_too_long_to_send() {
        for log_inv_rate in [1, 2] {
            let params = Params { log_inv_rate, ..Params::default() };
            for d in 0..40 {
                let schedule = params.schedule(d);
                assert!(schedule.iter().all(|&step| (1..=4).contains(&step)));
                let left = d - schedule.iter().sum::<u32>();
                assert!(left == d || (4..=12).contains(&left), "2^{left} of 2^{d} are sent");
                assert!(d < 12 || left < d);
            }
        }
    }

    #[test]
    fn rows_of_a_first_commitment() {
        let log_row = |n_words| log_row_for(&Params::fast(), n_words);
        assert_eq!(log_row(0), 6);
        assert_eq!(log_row(1 << 10), 6);
        assert_eq!(log_row(1 << 21), 17);
        assert_eq!(log_row((1 << 21) + 1), 18);
        // Up to 2^32 bits there are 16 rows at most, and more behind.
        assert_eq!(log_row(1 << 25), 21);
        assert_eq!(log_row((1 << 25) + 1), 20);
        assert_eq!(log_row(1 << 36), 19);
        assert_eq!(log_row_for(&Params::small(), 1 << 24), 20);
        assert_eq!(log_row_for(&Params::small(), 1 << 25), 19);
    }

    /// The errors of an opening beside a check in the exponent at its limit, at any size and rate.
    #[test]
    fn openings_of_all_sizes_leave_room_for_a_check() {
        for log_inv_rate in 1..=8 {
            let params = Params { log_inv_rate, ..Params::fast() };
            let queries = params.log2_query_error() * params.queries() as f64;
            for log_words in 0..44 {
                let log_row = log_row_for(&params, 1 << log_words);
                // Of all oracles: the first one's, and three times as many.
                let log_rows = f64::from(log_words.max(log_row) - log_row + 2);
                let log_length = f64::from(log_row + log_inv_rate) - 128.0;
                let gaps = [log_rows.log2() + log_length, log_length];
                let all = [-100.4, queries, gaps[0], gaps[1]].map(f64::exp2).iter().sum::<f64>();
                assert!(all.log2() < -100.001, "{log_inv_rate} {log_words}: {}", all.log2());
            }
        }
    }
}
