//! Indexed products of a plan's chunks: their trees, and one table step over many.

use std::borrow::Cow;

use binfer_field::{F128, kernels};
use binfer_iop::channel::ProverChannel;
use binfer_iop::indexed::onehot::OneHotClaim;
use binfer_iop::indexed::table::{self, TableClaim, TableInput, TableStatement, histogram};
use binfer_iop::multilinear::prefix_indicator;
use binfer_iop::product::{BoxShape, LeafClaim, Leaves, Tree};
use rayon::prelude::*;

use crate::argument::plan::Chunk;
use crate::argument::tables::{BLOCK, Table};

/// Leaves looked up in the tables of one chunk.
struct Looked<'a> {
    entries: Vec<F128>,
    width: usize,
    index: &'a [u8],
    rows: usize,
}

impl Leaves for Looked<'_> {
    fn fill(&self, column: usize, first: usize, out: &mut [F128]) {
        let entries = &self.entries[column << self.width..][..1 << self.width];
        kernels::gather(out, entries, &self.index[column * self.rows + first..][..out.len()]);
    }
}

/// The tree whose leaves' factors are looked up in `tables` by the indices of `chunks`.
pub(super) fn look_up<'a>(
    rows: usize,
    cols: usize,
    tables: &[Table<'_>],
    chunks: &[Chunk],
    indices: &'a [Cow<'_, [u8]>],
) -> Tree<'a> {
    let shape = BoxShape { rows, cols, fan_in: chunks.len() };
    assert_eq!(tables.len(), chunks.len());
    if let ([table], [chunk]) = (tables, chunks) {
        let width = table.width();
        // Tables that are smaller than the leaves are kept in their place.
        if rows >= 2 << width {
            let mut entries = vec![F128::ZERO; cols << width];
            entries.par_chunks_mut(BLOCK << width).enumerate().for_each(|(b, entries)| {
                let first = b * BLOCK;
                table.fill(first..first + (entries.len() >> width), entries);
            });
            let index = indices[chunk.view].as_ref();
            return Tree::over(rows, cols, Box::new(Looked { entries, width, index, rows }));
        }
    }
    let mut leaves = vec![F128::ZERO; rows * cols * chunks.len()];
    let column = rows * chunks.len();
    leaves.par_chunks_mut(column * BLOCK).enumerate().for_each(|(b, leaves)| {
        let first = b * BLOCK;
        for (g, (table, chunk)) in tables.iter().zip(chunks).enumerate() {
            let n_cols = leaves.len() / column;
            let mut entries = vec![F128::ZERO; n_cols << table.width()];
            table.fill(first..first + n_cols, &mut entries);
            let entries = entries.chunks(1 << table.width());
            let index = indices[chunk.view][first * rows..].chunks(rows);
            for ((leaves, entries), index) in leaves.chunks_mut(column).zip(entries).zip(index) {
                kernels::gather(&mut leaves[g * rows..(g + 1) * rows], entries, index);
            }
        }
    });
    Tree::new(shape, leaves)
}

/// The extension of rows' products, one beyond them.
pub(super) fn extension(outputs: &[F128], row_point: &[F128]) -> F128 {
    let eq = kernels::eq_table(row_point);
    let inside = kernels::inner_product(outputs, &eq[..outputs.len()]);
    inside + F128::ONE + prefix_indicator(row_point, outputs.len())
}

/// A table step in the making: statements with the index bytes they are about.
#[derive(Default)]
pub(super) struct TableStep {
    inputs: Vec<TableInput>,
    views: Vec<(usize, Vec<F128>)>,
}

impl TableStep {
    /// Adds the factors of one tree's leaves.
    pub(super) fn push(
        &mut self,
        tables: &[Table<'_>],
        chunks: &[Chunk],
        indices: &[Cow<'_, [u8]>],
        leaf: &LeafClaim<F128>,
    ) {
        let row_eq = kernels::eq_table(&leaf.row_point);
        for ((table, chunk), &value) in tables.iter().zip(chunks).zip(&leaf.values) {
            let (cols, width) = (table.cols(), table.width());
            let index = indices[chunk.view].as_ref();
            let rows = index.len() / cols;
            let mut entries = vec![F128::ZERO; cols << width];
            entries.par_chunks_mut(BLOCK << width).enumerate().for_each(|(b, entries)| {
                let first = b * BLOCK;
                table.fill(first..first + (entries.len() >> width), entries);
                entries.iter_mut().for_each(|entry| *entry += F128::ONE);
            });
            let col_point = leaf.col_point.clone();
            self.inputs.push(TableInput {
                statement: TableStatement { cols, width, col_point, value },
                table: entries,
                histogram: histogram(index, &row_eq[..rows], width),
            });
            self.views.push((chunk.view, leaf.row_point.clone()));
        }
    }

    /// Proves the step; its claims on histograms go to `hot`.
    pub(super) fn run(
        self,
        channel: &mut ProverChannel,
        hot: &mut Vec<OneHotClaim<F128>>,
    ) -> Vec<TableClaim<F128>> {
        let claims = table::prove(channel, self.inputs);
        for (claim, (view, row_point)) in claims.iter().zip(self.views) {
            hot.push(OneHotClaim {
                view,
                row_point,
                col_point: claim.col_point.clone(),
                index_point: claim.index_point.clone(),
                value: claim.histogram,
            });
        }
        claims
    }
}
