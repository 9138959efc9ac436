//! `Params`: the matrix, the code and the queries of a tensor-code commitment.

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

/// The most coefficients, as a logarithm.
pub(super) const MAX_VARS: u32 = 40;
/// The most queries.
pub(super) const MAX_QUERIES: usize = 1 << 12;

/// The field of the Reed-Solomon symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Alphabet {
    /// GF(2^16) of the tower: codewords of up to 2^16 symbols.
    B16,
    /// GF(2^32) of the tower: codewords of up to 2^32 symbols.
    B32,
}

impl Alphabet {
    /// Both alphabets.
    pub const ALL: [Self; 2] = [Self::B16, Self::B32];

    /// Logarithm of the bits of a symbol.
    pub const fn log_bits(self) -> u32 {
        match self {
            Self::B16 => 4,
            Self::B32 => 5,
        }
    }

    /// Bits of a symbol, and the dimensions of the largest domain.
    pub const fn bits(self) -> u32 {
        1 << self.log_bits()
    }

    /// Bytes of a symbol.
    pub const fn bytes(self) -> usize {
        match self {
            Self::B16 => 2,
            Self::B32 => 4,
        }
    }
}

/// The parameters of a tensor-code commitment and of its openings.
///
/// Variable 0 is the lowest bit of a coefficient's index. The `log_cols` low variables are those of
/// a position in a row, the others those of the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Params {
    /// Logarithm of the bits of a coefficient (`iota` in DP23): 0 for bits, 3 for bytes, at most
    /// that of the alphabet.
    pub log_coefficient: u32,
    /// The field of the code's symbols. If it is the coefficients' own, this is Construction 3.7 of
    /// DP23, and else Construction 3.11, block-level encoding.
    pub alphabet: Alphabet,
    /// Logarithm of the rows of the matrix.
    pub log_rows: u32,
    /// Logarithm of the coefficients in a row, which fill at least a symbol.
    pub log_cols: u32,
    /// Logarithm of one over the code's rate, 1 to 8.
    pub log_inv_rate: u32,
    /// Positions opened, with repetition, 1 to 4096.
    pub queries: usize,
    /// The hash function of the Merkle tree.
    pub hash: HashKind,
}

/// Why parameters are rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParamsError {
    /// A coefficient does not fit a symbol.
    #[error("coefficients of 2^{got} bits in symbols of 2^{most}")]
    CoefficientWidth {
        /// Logarithm of the most bits.
        most: u32,
        /// Logarithm of the bits of a coefficient.
        got: u32,
    },
    /// A row does not fill a symbol.
    #[error("a row of 2^{got} bits does not fill a symbol of 2^{least}")]
    RowBelowSymbol {
        /// Logarithm of the bits of a symbol.
        least: u32,
        /// Logarithm of the bits of a row.
        got: u32,
    },
    /// There are too many coefficients.
    #[error("2^{got} coefficients, more than 2^{most}")]
    TooManyVariables {
        /// The most variables.
        most: u32,
        /// Variables.
        got: u32,
    },
    /// The logarithm of the inverse rate is out of range.
    #[error("log_inv_rate is {got}, not in 1..=8")]
    Rate {
        /// The value.
        got: u32,
    },
    /// The code has more positions than the alphabet has elements.
    #[error("a code of 2^{got} symbols over a field of 2^{most} elements")]
    CodeTooLong {
        /// Logarithm of the elements of the alphabet.
        most: u32,
        /// Logarithm of the positions of the code.
        got: u32,
    },
    /// The number of queries is out of range.
    #[error("{got} queries, not 1 to {most}")]
    Queries {
        /// The most.
        most: usize,
        /// The number.
        got: usize,
    },
    /// No shape has the level of soundness asked for.
    #[error("no matrix of 2^{n_vars} coefficients has an error of 2^-{security_bits}")]
    NoShape {
        /// Variables.
        n_vars: u32,
        /// Bits of soundness asked for.
        security_bits: u32,
    },
}

impl Params {
    /// Checks the ranges that the fields' documentation states.
    ///
    /// # Errors
    /// [`ParamsError`] for the first rule that is broken.
    pub fn validate(&self) -> Result<(), ParamsError> {
        let symbol = self.alphabet.log_bits();
        let Self { log_coefficient, log_rows, log_cols, log_inv_rate, queries, .. } = *self;
        if log_coefficient > symbol {
            return Err(ParamsError::CoefficientWidth { most: symbol, got: log_coefficient });
        }
        let n_vars = log_rows.saturating_add(log_cols);
        if n_vars > MAX_VARS {
            return Err(ParamsError::TooManyVariables { most: MAX_VARS, got: n_vars });
        }
        let row = log_cols.saturating_add(log_coefficient);
        if row < symbol {
            return Err(ParamsError::RowBelowSymbol { least: symbol, got: row });
        }
        if !(1..=8).contains(&log_inv_rate) {
            return Err(ParamsError::Rate { got: log_inv_rate });
        }
        let (most, got) = (self.alphabet.bits(), self.log_length());
        if got > most {
            return Err(ParamsError::CodeTooLong { most, got });
        }
        if !(1..=MAX_QUERIES).contains(&queries) {
            return Err(ParamsError::Queries { most: MAX_QUERIES, got: queries });
        }
        Ok(())
    }

    /// Variables of the multilinear.
    pub fn n_vars(&self) -> u32 {
        self.log_rows.saturating_add(self.log_cols)
    }

    /// Logarithm of the coefficients in a symbol (`kappa` in DP23).
    pub fn log_packing(&self) -> u32 {
        self.alphabet.log_bits().saturating_sub(self.log_coefficient)
    }

    /// Logarithm of the symbols of a row's message.
    pub fn log_message(&self) -> u32 {
        self.log_cols.saturating_sub(self.log_packing())
    }

    /// Logarithm of the symbols of a row's codeword: the leaves of the Merkle tree.
    pub fn log_length(&self) -> u32 {
        self.log_message().saturating_add(self.log_inv_rate)
    }

    /// Bytes of the matrix.
    pub fn message_bytes(&self) -> u64 {
        let log_bits = self.n_vars().saturating_add(self.log_coefficient);
        pow2(log_bits.saturating_sub(3))
    }

    /// What the transcript absorbs of the parameters: one byte a field, two of the queries.
    pub fn to_bytes(&self) -> [u8; 8] {
        let byte = |x: u32| u8::try_from(x).unwrap_or(u8::MAX);
        let [low, high] = u16::try_from(self.queries).unwrap_or(u16::MAX).to_le_bytes();
        [
            byte(self.log_coefficient),
            byte(self.alphabet.log_bits()),
            byte(self.log_rows),
            byte(self.log_cols),
            byte(self.log_inv_rate),
            low,
            high,
            u8::from(self.hash),
        ]
    }
}

pub(super) fn pow2(log: u32) -> u64 {
    1u64.checked_shl(log).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Params {
        Params::smallest(20, 0, Alphabet::B16, 2, 100).unwrap()
    }

    #[test]
    fn invalid_parameters_are_errors() {
        let good = good();
        assert_eq!(good.validate(), Ok(()));
        let error = |params: Params| params.validate().unwrap_err();
        assert_eq!(
            error(Params { log_coefficient: 5, ..good }),
            ParamsError::CoefficientWidth { most: 4, got: 5 }
        );
        assert_eq!(
            error(Params { log_cols: 3, ..good }),
            ParamsError::RowBelowSymbol { least: 4, got: 3 }
        );
        assert_eq!(
            error(Params { log_rows: u32::MAX, ..good }),
            ParamsError::TooManyVariables { most: 40, got: u32::MAX }
        );
        assert_eq!(error(Params { log_inv_rate: 0, ..good }), ParamsError::Rate { got: 0 });
        assert_eq!(error(Params { log_inv_rate: 9, ..good }), ParamsError::Rate { got: 9 });
        assert_eq!(
            error(Params { log_cols: 19, ..good }),
            ParamsError::CodeTooLong { most: 16, got: 17 }
        );
        assert_eq!(
            error(Params { queries: 0, ..good }),
            ParamsError::Queries { most: 4096, got: 0 }
        );
    }

    #[test]
    fn parameters_have_different_bytes() {
        let good = good();
        let others = [
            Params { log_coefficient: 1, ..good },
            Params { alphabet: Alphabet::B32, ..good },
            Params { log_rows: 9, ..good },
            Params { log_cols: 11, ..good },
            Params { log_inv_rate: 1, ..good },
            Params { queries: 148 + 256, ..good },
            Params { hash: HashKind::Sha256, ..good },
        ];
        for other in others {
            assert_ne!(other.to_bytes(), good.to_bytes());
        }
    }
}
