//! One table step in the making, and the check of public tables.

use binfer_field::F128;
use binfer_field::kernels;
use binfer_iop::channel::{Element, VerifierChannel, VerifyError};
use binfer_iop::indexed::onehot::OneHotClaim;
use binfer_iop::indexed::table::{self, TableClaim, TableStatement};
use binfer_iop::indexed::wired::WiredClaim;
use binfer_iop::multilinear::{eq_vertex, log2_ceil};
use binfer_iop::product::LeafClaim;

use super::paired::PairedClaim;
use crate::argument::plan::{Chunk, Factor, Read};
use crate::argument::tables::Table;
use crate::argument::wiring::Weighted;

/// Statements for one table step, with what turns its claims into one-hot claims.
pub(super) struct TableStep<'a, E> {
    statements: Vec<TableStatement<E>>,
    factors: Vec<(&'a Factor, Vec<F128>)>,
}

impl<E> Default for TableStep<'_, E> {
    fn default() -> Self {
        Self { statements: Vec::new(), factors: Vec::new() }
    }
}

impl<'a, E: Element> TableStep<'a, E> {
    pub(super) fn push(&mut self, factors: &'a [Factor], leaf: LeafClaim<E>) {
        for (factor, value) in factors.iter().zip(leaf.values) {
            let (width, col_point) = (factor.width(), leaf.col_point.clone());
            let cols = factor.all_cols();
            self.statements.push(TableStatement { cols, width, col_point, value });
            self.factors.push((factor, leaf.row_point.clone()));
        }
    }

    pub(super) fn run<C: VerifierChannel<Elem = E>>(
        self,
        channel: &mut C,
        indexed: &mut IndexClaims<E>,
    ) -> Result<Vec<TableClaim<E>>, VerifyError> {
        if self.statements.is_empty() {
            return Ok(Vec::new());
        }
        let claims = table::verify(channel, &self.statements)?;
        for (claim, (factor, row_point)) in claims.iter().zip(self.factors) {
            let extra = channel.receive_many("extra histograms", factor.extra.len())?;
            let extra_column = VerifyError::CheckFailed { label: "extra column" };
            indexed.add(factor, &row_point, claim, &extra).ok_or(extra_column)?;
        }
        Ok(claims)
    }
}

/// Claims on the one-hot polynomials of views.
pub(in crate::argument) struct IndexClaims<E> {
    /// At points.
    pub(in crate::argument) points: Vec<OneHotClaim<E>>,
    /// With the weights of matrices that are read through a map.
    pub(in crate::argument) wired: Vec<WiredClaim<E, Weighted>>,
    /// On products of two.
    pub(in crate::argument) paired: Vec<PairedClaim<E>>,
}

impl<E: Element> IndexClaims<E> {
    pub(in crate::argument) fn new() -> Self {
        Self { points: Vec::new(), wired: Vec::new(), paired: Vec::new() }
    }

    /// Adds a claim on a factor's histogram as claims on views, given the histograms of its extra columns.
    /// `None` where the point lies on those, which a random one does with probability `2^-128` a coordinate.
    pub(in crate::argument) fn add(
        &mut self,
        factor: &Factor,
        row_point: &[F128],
        claim: &TableClaim<E>,
        extra: &[E],
    ) -> Option<()> {
        let one_hot = |chunk: &Chunk, across: bool, rows: &[F128], cols: &[F128], value: E| {
            let (row_point, col_point) = if across { (cols, rows) } else { (rows, cols) };
            OneHotClaim {
                view: chunk.view,
                row_point: row_point.to_vec(),
                col_point: col_point.to_vec(),
                index_point: claim.index_point.iter().take(chunk.width()).copied().collect(),
                value,
            }
        };
        let mut value = claim.histogram;
        for ((chunk, &histogram), column) in factor.extra.iter().zip(extra).zip(factor.cols..) {
            // Its column, and zeros above its bits.
            let beyond = claim.index_point.get(chunk.width()..)?;
            value += histogram * (eq_vertex(&claim.col_point, column) * eq_vertex(beyond, 0));
            self.points.push(one_hot(chunk, true, row_point, &[], histogram));
        }
        let (cols, beyond) = claim.col_point.split_at_checked(log2_ceil(factor.cols))?;
        let low = eq_vertex(beyond, 0);
        if low.is_zero() {
            return None;
        }
        value = value * low.invert();
        if factor.with.is_some() {
            let (row_point, col_point) = (row_point.to_vec(), cols.to_vec());
            let (factor, index_point) = (factor.clone(), claim.index_point.clone());
            self.paired.push(PairedClaim { factor, row_point, col_point, index_point, value });
            return Some(());
        }
        let across = matches!(factor.read, Read::Across);
        match &factor.read {
            Read::Straight | Read::Across => {
                self.points.push(one_hot(&factor.chunk, across, row_point, cols, value));
            }
            Read::Through { gather, pad } => {
                let (index, block) = claim.index_point.split_at_checked(factor.chunk.width())?;
                let mut rows = kernels::eq_table(row_point);
                rows.truncate(gather.n_rows());
                if factor.blocks > 1 {
                    let size = gather.n_rows().checked_div(factor.blocks)?.max(1);
                    for (b, rows) in rows.chunks_mut(size).enumerate() {
                        kernels::scale(rows, eq_vertex(block, b));
                    }
                }
                let mut cols = kernels::eq_table(cols);
                cols.truncate(gather.n_cols());
                let weights = Weighted::new(gather, &rows, &cols);
                if let Some(pad) = pad {
                    let of_pad = weights.outside() * eq_vertex(index, usize::from(*pad));
                    value += E::from(of_pad);
                }
                let (rows, cols) = weights.source();
                let (view, index_point) = (factor.chunk.view, index.to_vec());
                self.wired.push(WiredClaim { view, rows, cols, index_point, weights, value });
            }
        }
        Some(())
    }
}

/// Checks a claim on a table that the verifier can compute.
pub(super) fn check_table<C: VerifierChannel>(
    channel: &mut C,
    table: &Table<'_>,
    claim: &TableClaim<C::Elem>,
) -> Result<(), VerifyError> {
    let expected = table.evaluate(&claim.col_point, &claim.index_point);
    channel.assert_zero("table", claim.table + C::Elem::from(expected))
}
