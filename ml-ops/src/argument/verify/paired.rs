//! Claims on indices that are made of two matrices, each read in its own way, become claims on each of the two.
//!
//! # Relation
//! `value = sum_{r, c} eq(z_r, r) eq(z_c, c) A(r, c) B(r, c)` over the factor's products `r` and columns `c`, where
//! `A(r, c)` is the extension of "the first matrix's bits at `(r, c)` are `v`" in `v` at the low coordinates of the
//! index's point, and `B` that of the second's at the others.
//!
//! # Protocol
//! With both one outside the box, the claim is one on the output of a tree of `products x columns` rows and one leaf a
//! row that has two factors: one [level](binfer_iop::product) of a forest, all claims at once. It ends in the values of
//! both factors at one point, which are claims on histograms as a factor's of one matrix are.
//!
//! # Cost
//! The prover: about a dozen products a position. Messages: three elements a variable, and two a claim.
//!
//! # Soundness
//! The sumcheck's terms, of degree 3 in each variable.

use binfer_field::F128;
use binfer_iop::channel::{Element, VerifierChannel, VerifyError};
use binfer_iop::indexed::table::TableClaim;
use binfer_iop::multilinear::{log2_ceil, prefix_indicator};
use binfer_iop::product::{self, BoxShape, LeafClaim, RootClaim};

use super::MALFORMED;
use super::step::IndexClaims;
use crate::argument::plan::Factor;

/// A claim on the histogram of a factor of two matrices.
pub(in crate::argument) struct PairedClaim<E> {
    pub(in crate::argument) factor: Factor,
    pub(in crate::argument) row_point: Vec<F128>,
    pub(in crate::argument) col_point: Vec<F128>,
    pub(in crate::argument) index_point: Vec<F128>,
    pub(in crate::argument) value: E,
}

impl<E: Element> PairedClaim<E> {
    fn products(&self) -> usize {
        self.factor.with.as_ref().map_or(1, |second| second.products)
    }

    /// The tree: its rows are the box's, columns as far apart as a power of two.
    pub(in crate::argument) fn shape(&self) -> BoxShape {
        let column = 1usize.checked_shl(log2_ceil(self.products()) as u32).unwrap_or(usize::MAX);
        BoxShape { rows: column.saturating_mul(self.factor.cols), cols: 1, fan_in: 2 }
    }

    /// The part of the extension of one that lies in the box.
    fn inside(&self, row_point: &[F128], col_point: &[F128]) -> E {
        let rows = prefix_indicator(row_point, self.products());
        E::from(rows * prefix_indicator(col_point, self.factor.cols))
    }

    /// The claim on the tree's outputs.
    pub(in crate::argument) fn root(&self) -> RootClaim<E> {
        let inside = self.inside(&self.row_point, &self.col_point);
        let row_point = [&self.row_point[..], &self.col_point].concat();
        RootClaim { row_point, value: self.value + inside + E::from(F128::ONE) }
    }

    /// The claims on both matrices that a claim on the leaves is; `None` where they have another form.
    pub(in crate::argument) fn split(
        &self,
        leaf: &LeafClaim<E>,
        indexed: &mut IndexClaims<E>,
    ) -> Option<()> {
        let (row_point, col_point) = leaf.row_point.split_at_checked(log2_ceil(self.products()))?;
        let outside = self.inside(row_point, col_point) + E::from(F128::ONE);
        let operands = self.factor.operands()?;
        let (low, high) = self.index_point.split_at_checked(self.factor.chunk.width())?;
        for ((operand, index_point), &value) in operands.iter().zip([low, high]).zip(&leaf.values) {
            let claim = TableClaim {
                col_point: col_point.to_vec(),
                index_point: index_point.to_vec(),
                table: E::from(F128::ZERO),
                histogram: value + outside,
            };
            indexed.add(operand, row_point, &claim, &[])?;
        }
        Some(())
    }
}

/// Takes the claims on products of two apart.
///
/// # Errors
/// Those of the channel, and a failed check where the level does not close.
pub(super) fn verify<C: VerifierChannel>(
    channel: &mut C,
    indexed: &mut IndexClaims<C::Elem>,
) -> Result<(), VerifyError> {
    let claims = core::mem::take(&mut indexed.paired);
    let shapes: Vec<BoxShape> = claims.iter().map(PairedClaim::shape).collect();
    let roots = claims.iter().map(PairedClaim::root).collect();
    let leaves = product::verify(channel, &shapes, roots)?;
    for (claim, leaf) in claims.iter().zip(&leaves) {
        claim.split(leaf, indexed).ok_or(MALFORMED)?;
    }
    Ok(())
}
