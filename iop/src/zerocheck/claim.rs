//! What a zerocheck leaves to the commitment: a claim on a weighted sum of planes.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use binfer_field::F128;

use super::quadratic::Quadratic;

/// The claim that a weighted sum of the planes of all tiles has this value.
///
/// Bit `i` of word `y` of a plane weighs `bit_weights[i] eq(point, y)`, times the plane's own weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZerocheckClaim<E> {
    /// The weights of the 128 bits of a word.
    pub bit_weights: Vec<F128>,
    /// Coordinates of words, lowest first; a tile of `2^n` words takes the first `n`.
    pub point: Vec<F128>,
    /// `weights[system][tile][plane]`.
    pub weights: Vec<Vec<Vec<F128>>>,
    /// The claimed sum.
    pub value: E,
}

impl<E: From<F128>> ZerocheckClaim<E> {
    /// Of systems without tiles.
    pub(super) fn empty(n_systems: usize) -> Self {
        let value = E::from(F128::ZERO);
        Self { bit_weights: vec![], point: vec![], weights: vec![vec![]; n_systems], value }
    }
}

/// What the claim is made of for one tile.
pub(super) struct TileTerms<'a> {
    pub(super) quadratic: &'a Quadratic,
    pub(super) n_planes: usize,
    /// What the tile's linear part is multiplied by.
    pub(super) scale: F128,
}

impl TileTerms<'_> {
    /// The weights of the tile's planes; takes a power of `delta` for each factor of a product.
    pub(super) fn weights(&self, mut powers: impl Iterator<Item = F128>) -> Vec<F128> {
        let mut weights = vec![F128::ZERO; self.n_planes];
        let mut add = |plane: usize, weight: F128| {
            if let Some(sum) = weights.get_mut(plane) {
                *sum += weight;
            }
        };
        for &(plane, coefficient) in &self.quadratic.linear {
            add(plane, self.scale * coefficient);
        }
        for (hub, other) in &self.quadratic.products {
            let mut power = || powers.next().unwrap_or(F128::ZERO);
            add(*hub, power());
            let power = power();
            other.iter().for_each(|&(plane, coefficient)| add(plane, power * coefficient));
        }
        weights
    }
}
