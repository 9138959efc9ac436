//! Claims on indices that are made of two matrices, each read in its own way, become claims on each of the two.
//!
//! # Relation
//! Known is a weighted sum of claims, each
//! `value = sum_{r, c} eq(z_r, r) eq(z_c, c) A(r, c) B(r, c)` over the factor's products `r` and columns `c`, where
//! `A(r, c)` is the extension of "the first matrix's bits at `(r, c)` are `v`" in `v` at the low coordinates of the
//! index's point, and `B` that of the second's at the others.
//!
//! # Protocol
//! With both one outside the box, a claim is one on the output of a tree of `products x columns` rows and one leaf a
//! row that has two factors: the last [level](binfer_iop::product) of a forest, all claims at once. It ends in a weighted sum of
//! both factors' values at one point, which are claims on histograms as a factor's of one matrix are.
//!
//! # Cost
//! The prover: about a dozen products a position. Messages: three elements a variable, and those of the joining.
//!
//! # Soundness
//! The sumcheck's terms, of degree 3 in each variable, and those of the joining.

use binfer_field::F128;
use binfer_iop::channel::{Blank, Element, VerifierChannel, VerifyError};
use binfer_iop::indexed::table::TableClaim;
use binfer_iop::join::Combined;
use binfer_iop::multilinear::{log2_ceil, prefix_indicator};
use binfer_iop::product::{self, BoxShape, LeafClaim};

use super::MALFORMED;
use super::step::{IndexClaims, Indexed, LeafPoint};
use crate::argument::plan::Factor;
use crate::argument::wiring::Wirings;
use crate::threads;

/// A claim on the histogram of a factor of two matrices.
pub(in crate::argument) struct PairedClaim<E> {
    pub(in crate::argument) factor: Factor,
    pub(in crate::argument) row_point: Vec<F128>,
    pub(in crate::argument) col_point: Vec<F128>,
    pub(in crate::argument) index_point: Vec<F128>,
    /// What the value is multiplied by in the sum of all claims.
    pub(in crate::argument) weight: F128,
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
    fn inside(&self, row_point: &[F128], col_point: &[F128]) -> F128 {
        let rows = prefix_indicator(row_point, self.products());
        rows * prefix_indicator(col_point, self.factor.cols)
    }

    /// What the tree's output, plus one, has more than the claim.
    fn inside_root(&self) -> F128 {
        self.inside(&self.row_point, &self.col_point)
    }

    /// The claim on the tree's leaves.
    pub(in crate::argument) fn leaf(&self) -> LeafClaim<E> {
        LeafClaim {
            row_point: [&self.row_point[..], &self.col_point].concat(),
            col_point: Vec::new(),
            weights: vec![self.weight],
            values: vec![self.value + E::from(self.inside_root() + F128::ONE)],
        }
    }

    /// The claims on both matrices that a claim on the factors is, their weights times `scale`; `None` where they have another form.
    pub(in crate::argument) fn split(
        &self,
        wirings: &Wirings,
        leaf: &LeafClaim<E>,
        scale: F128,
    ) -> Option<IndexClaims<E>> {
        let (row_point, col_point) = leaf.row_point.split_at_checked(log2_ceil(self.products()))?;
        let point = LeafPoint { rows: row_point.to_vec(), cols: col_point.to_vec() };
        let outside = E::from(self.inside(row_point, col_point) + F128::ONE);
        let operands = self.factor.operands()?;
        let (low, high) = self.index_point.split_at_checked(self.factor.chunk.width())?;
        let mut both = IndexClaims::new();
        let operands = operands.iter().zip([low, high]).zip(leaf.weights.iter().zip(&leaf.values));
        for ((operand, index_point), (&weight, &value)) in operands {
            let claim = TableClaim {
                col_point: col_point.to_vec(),
                index_point: index_point.to_vec(),
                weight,
                table: E::from(F128::ZERO),
                histogram: value + outside,
            };
            both.append(IndexClaims::of(wirings, operand, &point, &claim, scale, &[])?);
        }
        Some(both)
    }

    /// What the weighted sum of a claim's factors, each plus one, has more than that of its histograms.
    fn excess(&self, leaf: &LeafClaim<Blank>) -> Option<F128> {
        let (row_point, col_point) = leaf.row_point.split_at_checked(log2_ceil(self.products()))?;
        Some(self.inside(row_point, col_point) * leaf.weights.iter().copied().sum::<F128>())
    }
}

/// Takes the claims on products of two apart; nothing is received of none.
///
/// # Errors
/// Those of the channel, and a failed check where the level does not close.
pub(super) fn verify<C: VerifierChannel>(
    channel: &mut C,
    indexed: &mut Indexed<C::Elem>,
) -> Result<(), VerifyError> {
    let claims = core::mem::take(&mut indexed.claims.paired);
    if claims.is_empty() {
        return Ok(());
    }
    let of_root = claims.iter().map(|claim| claim.weight * claim.inside_root());
    let value = indexed.part(channel)? + C::Elem::from(of_root.sum());
    let shapes: Vec<BoxShape> = claims.iter().map(PairedClaim::shape).collect();
    let leaves = claims.iter().map(PairedClaim::leaf).collect();
    let leaves = product::verify_factors(channel, &shapes, Combined { claims: leaves, value })?;
    let excess = claims.iter().zip(&leaves.claims).map(|(claim, leaf)| claim.excess(leaf));
    let excess: F128 = excess.collect::<Option<Vec<_>>>().ok_or(MALFORMED)?.into_iter().sum();
    let scale = indexed.join(channel, leaves.value + C::Elem::from(excess));
    let parts = claims.iter().zip(&leaves.claims).collect();
    let split =
        |(claim, leaf): (&PairedClaim<_>, _)| claim.split(&indexed.claims.wirings, leaf, scale);
    for both in threads::map(parts, split) {
        indexed.claims.append(both.ok_or(MALFORMED)?);
    }
    Ok(())
}
