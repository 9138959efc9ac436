//! From claims on histograms to claims on bit planes: the one-hot polynomial in stages.
//!
//! Relation, for each claim on a view:
//! `value = sum_{r < rows, c < cols} eq(row_point, r) eq(col_point, c) prod_s (1 + sigma_s + bit_s(r, c))`.
//!
//! Protocol: the prover sends the part of the sum on each [`Tile`](super::Tile) (the verifier checks that
//! they add up), and each tile's sum goes through up to three batched sumchecks of degree 3. A stage
//! writes each digit's polynomial `D = prod_{s in digit} (1 + sigma_s + bit_s)` as the product of those of
//! its halves, `D(p) = sum_x eq(p, x) D_low(x) D_high(x)`: bytes to nibbles, nibbles to pairs, pairs to
//! bits; digits already small enough ride along unsplit. Several digits of one tile are batched by
//! powers of `lambda`. Variables are bound highest first, so after the last stage all tiles are
//! evaluated at the low coordinates of one shared point, where the prover sends the value of every
//! tile of every plane.
//!
//! Messages: tile sums; per stage the rounds and (but for the last) the halves' values; plane values.
//!
//! Soundness: sumcheck terms, and `#digits / 2^128` a stage for `lambda`.

mod verify;

#[cfg(feature = "prover")]
mod digits;
#[cfg(feature = "prover")]
mod prove;

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

/// Claims on planes at one point.
#[derive(Clone, Debug)]
pub struct PlaneClaims<E> {
    /// Coordinates, lowest first; a tile with `n` variables is evaluated at the first `n`.
    pub point: Vec<F128>,
    /// Values by plane and tile, in the order of [`tiles`](super::tiles).
    pub values: Vec<Vec<E>>,
}

/// A run of index bits: the first and how many.
type Digit = (usize, usize);

/// The stages that views of at most `width` bits need: the largest digit left after each.
fn stages(width: usize) -> impl Iterator<Item = usize> {
    [4, 2, 1].into_iter().filter(move |&target| target == 1 || width > target)
}

/// The digits of at most `target` bits that `digit` becomes.
fn split(digit: Digit, target: usize) -> Vec<Digit> {
    let (start, width) = digit;
    if width <= target {
        return vec![digit];
    }
    vec![(start, target), (start.saturating_add(target), width.saturating_sub(target))]
}
