//! Claims: evaluations of multilinears that are packed into committed words.

use binfer_field::{F128, kernels};

/// The field that a multilinear's coefficients lie in, and so how many a word packs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Width {
    /// GF(2): coefficient `i` of a word is its bit `i` in the GHASH representation.
    Bit,
    /// GF(2^8) of the tower: coefficient `i` is byte `i` of the word's image in the tower.
    B8,
    /// GF(2^32) of the tower: coefficient `i` is the `i`-th 32-bit part of the word's image there.
    B32,
    /// GF(2^128): the word itself.
    B128,
}

impl Width {
    /// Every width, narrow to wide.
    pub const ALL: [Self; 4] = [Self::Bit, Self::B8, Self::B32, Self::B128];

    /// Logarithm of the number of coefficients in a word (`kappa` in the literature).
    pub const fn log_coefficients(self) -> u32 {
        match self {
            Self::Bit => 7,
            Self::B8 => 4,
            Self::B32 => 2,
            Self::B128 => 0,
        }
    }
}

/// The multilinear with the `2^n_vars` coefficients that start at word `offset` of an oracle, as one of those whose
/// weighted sum is claimed.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Which of the opening's oracles.
    pub oracle: usize,
    /// First word, a multiple of the part's own number of words. Words beyond the oracle's last
    /// row are zero.
    pub offset: usize,
    /// Variables, counted in coefficients: at least [`Width::log_coefficients`]. Variable 0 is the
    /// lowest bit of a coefficient's index.
    pub n_vars: u32,
    /// What its value is multiplied by in the sum.
    pub weight: F128,
}

/// The claim that the weighted values of some multilinears have this sum, each evaluated at its group's weights: those
/// of a word's coefficients, and the first of its point's coordinates for the other variables.
#[derive(Clone, Debug)]
pub struct Claim<E> {
    /// The multilinears.
    pub parts: Vec<Part>,
    /// The claimed sum.
    pub value: E,
}

impl<E> Claim<E> {
    /// A claim on the value of one multilinear alone.
    pub fn on(oracle: usize, offset: usize, n_vars: u32, value: E) -> Self {
        Self { parts: vec![Part { oracle, offset, n_vars, weight: F128::ONE }], value }
    }
}

/// Claims of one width with the same weights for the coefficients of a word, at prefixes of one point of words.
#[derive(Clone, Debug)]
pub struct ClaimGroup<E> {
    /// The width of the coefficients.
    pub width: Width,
    /// The weight of each coefficient of a word: eq's table at the point's first coordinates, or any other.
    pub coefficients: Vec<F128>,
    /// The coordinates of words, at least as many as the longest claim has variables above a word's.
    pub point: Vec<F128>,
    /// The claims.
    pub claims: Vec<Claim<E>>,
}

impl<E> ClaimGroup<E> {
    /// Claims at a point with a coordinate for every variable, at least as many as a word has coefficient variables.
    pub fn at(width: Width, point: &[F128], claims: Vec<Claim<E>>) -> Self {
        let log_word = width.log_coefficients() as usize;
        let (low, high) = point.split_at_checked(log_word).unwrap_or((point, &[]));
        Self { width, coefficients: kernels::eq_table(low), point: high.to_vec(), claims }
    }
}
