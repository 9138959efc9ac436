//! What a lookup states, and the claims it leaves.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use binfer_field::F128;

use crate::claims::planes::{MatrixShape, combine, limb_tables};
use crate::multilinear::log2_ceil;
use crate::product::BoxShape;

/// A generator of the multiplicative group, of order `2^128 - 1`.
pub(super) const GENERATOR: F128 = F128::new(2);

/// Bits of a limb, at most.
const LIMB: usize = 8;

/// A public table and the shapes of the matrices whose entries are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The bits of each limb of an entry, 1 to 8 each.
    pub widths: Vec<usize>,
    /// `table[l][t]` is limb `l` of entry `t`.
    pub table: Vec<Vec<u8>>,
    /// Rows and columns of each matrix.
    pub lists: Vec<(usize, usize)>,
}

impl Lookup {
    /// Entries of the table.
    pub fn n_entries(&self) -> usize {
        self.table.first().map_or(0, Vec::len)
    }

    /// Lookups.
    pub fn n_lookups(&self) -> usize {
        let sizes = self.lists.iter().map(|&(rows, cols)| rows.saturating_mul(cols));
        sizes.fold(0, usize::saturating_add)
    }

    /// Bits of a multiplicity: `ceil(log2(lookups + 1))`.
    pub fn multiplicity_bits(&self) -> usize {
        usize::BITS.saturating_sub(self.n_lookups().leading_zeros()) as usize
    }

    /// Bits of an entry.
    pub fn n_planes(&self) -> usize {
        self.widths.iter().sum()
    }

    /// Whether the statement makes sense: at least one limb, list and table entry, no empty list,
    /// all limbs equally long and within their widths.
    pub(super) fn is_well_formed(&self) -> bool {
        let n_entries = self.n_entries();
        let limb = |(&width, limb): (&usize, &Vec<u8>)| {
            (1..=LIMB).contains(&width)
                && limb.len() == n_entries
                && limb.iter().all(|&v| usize::from(v).checked_shr(width as u32) == Some(0))
        };
        n_entries > 0
            && !self.lists.is_empty()
            && self.lists.iter().all(|&(rows, cols)| rows > 0 && cols > 0)
            && self.n_lookups() < usize::MAX
            && self.widths.len() == self.table.len()
            && self.widths.iter().zip(&self.table).all(limb)
    }

    /// The boxes of leaves: each list, then the multiplicities twice.
    pub(super) fn boxes(&self) -> Vec<BoxShape> {
        let list = |&(rows, cols): &(usize, usize)| BoxShape { rows, cols, fan_in: 1 };
        let mut boxes: Vec<_> = self.lists.iter().map(list).collect();
        let (rows, cols) = (self.n_entries(), self.multiplicity_bits());
        boxes.extend([BoxShape { rows, cols, fan_in: 1 }; 2]);
        boxes
    }

    /// The matrices of planes: each list, then the multiplicities, one column.
    pub(super) fn matrices(&self) -> Vec<MatrixShape> {
        let n_planes = self.n_planes();
        let list = |&(rows, cols): &(usize, usize)| MatrixShape { rows, cols, n_planes };
        let mut matrices: Vec<_> = self.lists.iter().map(list).collect();
        let n_planes = self.multiplicity_bits();
        matrices.push(MatrixShape { rows: self.n_entries(), cols: 1, n_planes });
        matrices
    }

    /// Variables of the sums over the table, at least one.
    pub(super) fn table_vars(&self) -> usize {
        log2_ceil(self.n_entries()).max(1)
    }

    /// `F_t` for every entry of the table.
    pub(super) fn fingerprints(&self, gamma: F128, weights: &[F128]) -> Vec<F128> {
        combine(&self.table, &limb_tables(&self.widths, weights), gamma)
    }
}

/// The box above a box of leaves: its rows as the columns of one row.
pub(super) fn above(shape: &BoxShape) -> BoxShape {
    BoxShape { rows: 1, cols: shape.rows, fan_in: 1 }
}

/// `g, g^2, g^4, ...`: what bit `s` of an exponent stands for.
pub(super) fn generator_powers(n: usize) -> Vec<F128> {
    core::iter::successors(Some(GENERATOR), |g| Some(g.square())).take(n).collect()
}

/// Claims on the planes of one lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupValues<E> {
    /// `lists[i][plane][tile]`; the planes of a list are the bits of its limbs in order, lowest first.
    pub lists: Vec<Vec<Vec<E>>>,
    /// `multiplicities[bit][tile]`, over a matrix of one column and a row for each table entry.
    pub multiplicities: Vec<Vec<E>>,
}

/// Evaluation claims on all planes, left to the commitment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupClaims<E> {
    /// Coordinates, lowest first; a tile with `n` variables is evaluated at the first `n`.
    pub point: Vec<F128>,
    /// One for each lookup.
    pub values: Vec<LookupValues<E>>,
}

impl<E> LookupClaims<E> {
    /// Sorts values `[matrix][plane][tile]` by lookup.
    pub(super) fn new(point: Vec<F128>, values: Vec<Vec<Vec<E>>>, lookups: &[Lookup]) -> Self {
        let mut matrices = values.into_iter();
        let take = |lookup: &Lookup| LookupValues {
            lists: matrices.by_ref().take(lookup.lists.len()).collect(),
            multiplicities: matrices.next().unwrap_or_default(),
        };
        let values = lookups.iter().map(take).collect();
        Self { point, values }
    }
}
