//! One table step in the making, and the check of public tables.

use binfer_field::F128;
use binfer_iop::channel::{Element, VerifierChannel, VerifyError};
use binfer_iop::indexed::onehot::OneHotClaim;
use binfer_iop::indexed::table::{self, TableClaim, TableStatement};
use binfer_iop::product::LeafClaim;

use crate::argument::plan::Chunk;
use crate::argument::tables::Table;

/// Statements for one table step, with what turns its claims into one-hot claims.
pub(super) struct TableStep<E> {
    statements: Vec<TableStatement<E>>,
    views: Vec<(usize, Vec<F128>)>,
}

impl<E> Default for TableStep<E> {
    fn default() -> Self {
        Self { statements: Vec::new(), views: Vec::new() }
    }
}

impl<E: Element> TableStep<E> {
    pub(super) fn push(&mut self, chunks: &[Chunk], cols: usize, leaf: LeafClaim<E>) {
        for (chunk, value) in chunks.iter().zip(leaf.values) {
            let (width, col_point) = (chunk.width(), leaf.col_point.clone());
            self.statements.push(TableStatement { cols, width, col_point, value });
            self.views.push((chunk.view, leaf.row_point.clone()));
        }
    }

    pub(super) fn run<C: VerifierChannel<Elem = E>>(
        self,
        channel: &mut C,
        hot: &mut Vec<OneHotClaim<E>>,
    ) -> Result<Vec<TableClaim<E>>, VerifyError> {
        let claims = table::verify(channel, &self.statements)?;
        for (claim, (view, row_point)) in claims.iter().zip(self.views) {
            hot.push(OneHotClaim {
                view,
                row_point,
                col_point: claim.col_point.clone(),
                index_point: claim.index_point.clone(),
                value: claim.histogram,
            });
        }
        Ok(claims)
    }
}

/// Checks a claim on a table that the verifier can compute.
pub(super) fn check_table<C: VerifierChannel>(
    channel: &mut C,
    table: &Table<'_>,
    claim: TableClaim<C::Elem>,
) -> Result<(), VerifyError> {
    let expected = table.evaluate(&claim.col_point, &claim.index_point);
    channel.assert_zero("table", claim.table + C::Elem::from(expected))
}
