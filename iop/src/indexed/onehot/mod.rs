//! From claims on histograms to claims on bit planes: the one-hot polynomial in two stages.
//!
//! Relation: known is a weighted sum of claims, each on a view:
//! `value = sum_{r < rows, c < cols} eq(row_point, r) eq(col_point, c) prod_s (1 + sigma_s + bit_s(r, c))`.
//!
//! A claim is a sum over [`Tile`](super::Tile)s, so that the sum is one over the tiles of all claims with weights of theirs. It
//! goes through two stages.
//!
//! 1. *Bytes to nibbles.* The polynomial is the product of those of its two nibbles,
//!    `H = prod_{s < 4} (1 + sigma_s + bit_s)` and the rest: one sumcheck of degree 3 (of degree 2 for an
//!    index of one nibble) ends at a shared point `p` in a sum of products of two values, or one, a tile. They are
//!    [joined](crate::join): known are then weighted sums of the low nibbles and of the high ones of indices that have two,
//!    and of those that are alone, where tile `j` weighs `e_j`.
//! 2. *Nibbles to bits.* Write a position as `(d, y)`, `d` its four low bits, a point of the subfield `D = GF(2^4)` of
//!    GF(2^8); `b_s(X, y)` is the polynomial of degree below 16 with the bits of plane `s` on `D`. With `mu`
//!    drawn, low and high nibbles of tile `j` weigh `e_j` and `mu e_j`, single ones `mu^2 e_j`, and
//!    `Q(X) = sum_{j, t} weight_jt sum_y eq(p_high, y) prod_{s in t} (1 + sigma_s + b_s(X, y))` has degree at
//!    most 60. The prover sends `Q` on 64 points, of which those of `D` settle the claims:
//!    `sum_{j, t} weight_jt value_jt = sum_d eq(p_low, d) Q(d)`. The verifier draws `z`, and `Q(z)` is a weighted sum of a
//!    sum over `y` for each tile. A sumcheck of degree 5 ends at `y*` in a sum of products of up to four values
//!    `1 + sigma_s + b_s(z, y*)`, which are joined: known is for each `s` a weighted sum of bit `s` of all tiles. With powers of
//!    `theta`, that is one claim on a weighted sum of all tiles of all planes. `b_s(z, y*)` is one combination of the bits of each
//!    128-bit word, and one point of words, for all tiles.
//!
//! Messages: rounds and the joining; `Q`; rounds and the joining.
//!
//! Cost: additions for most, since bits have few values. Of an index of eight bits the first two rounds of
//! stage 1 add four weights to bins, the next two look up two table entries, and `Q` takes about five byte products of 64
//! positions at a time; the sumcheck over `y` runs on one element a plane for 16 positions.
//!
//! Soundness: the terms of the sumchecks and the joinings; `2 / 2^128` for `mu`; `63 / 2^128` for `z`; `7 / 2^128` for `theta`.

mod domain;
mod verify;

#[cfg(feature = "prover")]
mod bits;
#[cfg(feature = "prover")]
mod halves;
#[cfg(feature = "prover")]
mod nibbles;
#[cfg(feature = "prover")]
mod prove;
#[cfg(feature = "prover")]
mod single;
#[cfg(feature = "prover")]
mod skip;

#[cfg(all(test, feature = "prover"))]
mod forgeries;
#[cfg(all(test, feature = "prover"))]
mod rounds;

#[cfg(feature = "prover")]
pub use prove::prove;
pub use verify::verify;

use binfer_field::F128;

use crate::multilinear::word_weights;

/// A matrix of indices: bit `s` of an index is plane `planes[s]`. At most 8 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Rows of the matrix and of each of its planes.
    pub rows: usize,
    /// Columns of the matrix and of each of its planes.
    pub cols: usize,
    /// The plane of each index bit, lowest first.
    pub planes: Vec<usize>,
}

/// A claim on a view's one-hot polynomial, one of those whose weighted sum is known.
#[derive(Clone, Debug)]
pub struct OneHotClaim<E> {
    /// Which view.
    pub view: usize,
    /// Row coordinates, lowest first.
    pub row_point: Vec<F128>,
    /// Column coordinates, lowest first.
    pub col_point: Vec<F128>,
    /// `sigma`, one coordinate an index bit, lowest first.
    pub index_point: Vec<F128>,
    /// What the value is multiplied by in the sum of all claims.
    pub weight: F128,
    /// The value; blank for a verifier.
    pub value: E,
}

/// A claim on a weighted sum of planes' tiles, all evaluated alike: bit `i` of word `y` of a tile counts
/// `bit_weights[i] eq(point, y)`.
#[derive(Clone, Debug)]
pub struct PlaneClaims<E> {
    /// The weights of the 128 bits of a word.
    pub bit_weights: Vec<F128>,
    /// Coordinates of words, lowest first; a tile of `2^n` words takes the first `n`.
    pub point: Vec<F128>,
    /// What each tile's value is multiplied by, by plane and tile, in the order of [`tiles`](super::tiles).
    pub weights: Vec<Vec<F128>>,
    /// The claimed sum.
    pub value: E,
}

/// Bits of a nibble.
const NIBBLE: usize = 4;

/// Degree of the sumcheck over blocks: four bits and the eq factor.
const DEGREE: usize = NIBBLE + 1;

/// What a tile's first nibble weighs in stage 2, by what the tile does; a second one weighs `mu` times as much.
fn nibble_weight(weight: F128, n_nibbles: usize, mu: F128) -> F128 {
    if n_nibbles > 1 { weight } else { weight * mu * mu }
}

/// The weight of a tile among those with two nibbles, or among those with one.
fn of_nibbles(weight: F128, n_nibbles: usize) -> [F128; 2] {
    if n_nibbles > 1 { [weight, F128::ZERO] } else { [F128::ZERO, weight] }
}

/// The claims' common weights of bits and point of words: `z` for the first four variables, `y` for the rest.
fn plane_weights(z: F128, y: &[F128]) -> (Vec<F128>, Vec<F128>) {
    word_weights(&domain::lagrange(domain::SIZE, z), y)
}
