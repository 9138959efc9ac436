//! From claims on histograms to claims on bit planes: the one-hot polynomial in two stages.
//!
//! Relation, for each claim on a view:
//! `value = sum_{r < rows, c < cols} eq(row_point, r) eq(col_point, c) prod_s (1 + sigma_s + bit_s(r, c))`.
//!
//! The prover sends the part of the sum on each [`Tile`](super::Tile), and the verifier checks that they add
//! up. A tile's part goes through two stages, batched over all tiles of all claims.
//!
//! 1. *Bytes to nibbles.* The polynomial is the product of those of its two nibbles,
//!    `H = prod_{s < 4} (1 + sigma_s + bit_s)` and the rest: one sumcheck of degree 3 (of degree 2 for an
//!    index of one nibble) ends at a shared point `p`, where the prover sends the nibbles' values.
//! 2. *Nibbles to bits.* Write a position as `(d, y)`, `d` its five low bits, a point of a subspace `D` of
//!    GF(2^8); `b_s(X, y)` is the polynomial of degree below 32 with the bits of plane `s` on `D`. With `mu`
//!    drawn, nibble `t` of tile `j` weighs `mu^(2j + t)`, and
//!    `Q(X) = sum_{j, t} mu^(2j + t) sum_y eq(p_high, y) prod_{s in t} (1 + sigma_s + b_s(X, y))` has degree at
//!    most 124. The prover sends `Q` on 128 points, of which those of `D` settle the claims:
//!    `sum_{j, t} mu^(2j + t) value_jt = sum_d eq(p_low, d) Q(d)`. The verifier draws `z`, the prover sends
//!    each tile's part of `Q(z)`, and a sumcheck over `y` of degree 5 ends in the planes' values
//!    `b_s(z, y*)`: one combination of the bits of each 128-bit word, and one point of words, for all tiles.
//!
//! Messages: tile sums; rounds and nibbles' values; `Q`; tiles' parts; rounds; plane values.
//!
//! Cost: additions for most, since bits have few values. Of an index of eight bits the first four rounds of
//! stage 1 look up five table entries, and `Q` takes about ten byte products of 64 positions at a time; the
//! sumcheck over `y` runs on one element a plane for 32 positions.
//!
//! Soundness: the sumchecks' terms; `2 #tiles / 2^128` for `mu`; `127 / 2^128` for `z`.

mod domain;
mod verify;

#[cfg(feature = "prover")]
mod bits;
#[cfg(feature = "prover")]
mod halves;
#[cfg(feature = "prover")]
mod prove;
#[cfg(feature = "prover")]
mod skip;

#[cfg(all(test, feature = "prover"))]
mod forgeries;

#[cfg(feature = "prover")]
pub use prove::prove;
pub use verify::verify;

use binfer_field::F128;

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

/// A claim on a view's one-hot polynomial.
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
    /// The claimed sum.
    pub value: E,
}

/// Claims on planes, all with the same weights: those of bit `i` of word `y` of a tile is
/// `bit_weights[i] eq(point, y)`.
#[derive(Clone, Debug)]
pub struct PlaneClaims<E> {
    /// The weights of the 128 bits of a word.
    pub bit_weights: Vec<F128>,
    /// Coordinates of words, lowest first; a tile of `2^n` words takes the first `n`.
    pub point: Vec<F128>,
    /// Values by plane and tile, in the order of [`tiles`](super::tiles).
    pub values: Vec<Vec<E>>,
}

/// Bits of a nibble.
const NIBBLE: usize = 4;

/// Degree of the sumcheck over blocks: four bits and the eq factor.
const DEGREE: usize = NIBBLE + 1;

/// The claims' common weights of bits and point of words: `z` for the first five variables, `y` for the rest.
fn plane_weights(z: F128, y: &[F128]) -> (Vec<F128>, Vec<F128>) {
    const IN_WORD: usize = 7 - domain::LOG_SIZE;
    let (inner, point) = y.split_at_checked(IN_WORD).unwrap_or((y, &[]));
    let lagrange = domain::lagrange(domain::SIZE, z);
    let weights = binfer_field::kernels::eq_table(inner);
    let bit_weights = weights.iter().flat_map(|&w| lagrange.iter().map(move |&l| w * l));
    (bit_weights.collect(), point.to_vec())
}
