//! Indexed products of a plan's chunks: their trees, and one table step over many.

use binfer_field::{F128, kernels};
use binfer_iop::channel::ProverChannel;
use binfer_iop::indexed::onehot::OneHotClaim;
use binfer_iop::indexed::table::{self, TableClaim, TableInput, TableStatement, histogram};
use binfer_iop::multilinear::prefix_indicator;
use binfer_iop::product::{BoxShape, LeafClaim, Leaves, Tree};
use rayon::prelude::*;

use crate::argument::indices::Indices;
use crate::argument::memory::keeps_tables;
use crate::argument::plan::{Chunk, Factor};
use crate::argument::tables::{BLOCK, Table};
use crate::argument::verify::step::one_hot_claims;

/// Leaves looked up in the tables of one factor.
struct Looked<'a> {
    entries: Vec<F128>,
    width: usize,
    columns: Vec<&'a [u8]>,
}

impl Leaves for Looked<'_> {
    fn fill(&self, column: usize, first: usize, out: &mut [F128]) {
        let entries = &self.entries[column << self.width..][..1 << self.width];
        kernels::gather(out, entries, &self.columns[column][first..][..out.len()]);
    }

    fn looked_up(&self, column: usize) -> Option<(&[F128], &[u8])> {
        Some((&self.entries[column << self.width..][..1 << self.width], self.columns[column]))
    }
}

/// Why a claim is not on the columns that a factor has more.
pub(super) const RANDOM_POINT: &str = "a random point, off the extra columns but for 2^-128";

/// The tree whose leaves' factors are looked up in `tables` by the indices of `factors`.
pub(super) fn look_up<'a>(
    rows: usize,
    tables: &[Table<'_>],
    factors: &[Factor],
    indices: &'a Indices<'_>,
) -> Tree<'a> {
    assert_eq!(tables.len(), factors.len());
    let (cols, fan_in) = (factors[0].all_cols(), factors.len());
    let mut columns: Vec<Vec<&[u8]>> = factors.iter().map(|f| indices.columns(f)).collect();
    if let ([table], [columns]) = (tables, &mut columns[..]) {
        let width = table.width();
        // Tables that are smaller than the leaves are kept in their place.
        if keeps_tables(rows, width) {
            let mut entries = F128::zeros(cols << width);
            entries.par_chunks_mut(BLOCK << width).enumerate().for_each(|(b, entries)| {
                let first = b * BLOCK;
                table.fill(first..first + (entries.len() >> width), entries);
            });
            let columns = core::mem::take(columns);
            return Tree::over(rows, cols, Box::new(Looked { entries, width, columns }));
        }
    }
    let mut leaves = F128::zeros(rows * cols * fan_in);
    let column = rows * fan_in;
    leaves.par_chunks_mut(column * BLOCK).enumerate().for_each(|(b, leaves)| {
        let first = b * BLOCK;
        for (g, (table, columns)) in tables.iter().zip(&columns).enumerate() {
            let n_cols = leaves.len() / column;
            let mut entries = F128::zeros(n_cols << table.width());
            table.fill(first..first + n_cols, &mut entries);
            let entries = entries.chunks(1 << table.width());
            let columns = &columns[first..];
            for ((leaves, entries), index) in leaves.chunks_mut(column).zip(entries).zip(columns) {
                kernels::gather(&mut leaves[g * rows..(g + 1) * rows], entries, index);
            }
        }
    });
    Tree::new(BoxShape { rows, cols, fan_in }, leaves)
}

/// The extension of rows' products, one beyond them.
pub(super) fn extension(outputs: &[F128], row_point: &[F128]) -> F128 {
    let eq = kernels::eq_table(row_point);
    let inside = kernels::inner_product(outputs, &eq[..outputs.len()]);
    inside + F128::ONE + prefix_indicator(row_point, outputs.len())
}

/// What a claim on a histogram is about.
struct Indexed<'a> {
    factor: &'a Factor,
    row_point: Vec<F128>,
    /// The histograms of its extra columns.
    extra: Vec<Vec<F128>>,
}

/// A table step in the making: statements with the factors they are about.
#[derive(Default)]
pub(super) struct TableStep<'a> {
    inputs: Vec<TableInput>,
    indexed: Vec<Indexed<'a>>,
}

impl<'a> TableStep<'a> {
    /// Adds the factors of one tree's leaves.
    pub(super) fn push(
        &mut self,
        tables: &[Table<'_>],
        factors: &'a [Factor],
        indices: &Indices<'_>,
        leaf: LeafClaim<F128>,
    ) {
        let row_eq = kernels::eq_table(&leaf.row_point);
        for ((table, factor), &value) in tables.iter().zip(factors).zip(&leaf.values) {
            let (cols, width) = (factor.all_cols(), table.width());
            let columns = indices.columns(factor);
            let histogram = histogram(&columns, &row_eq, width);
            let extra = histogram[factor.cols << width..].chunks(1 << width);
            let extra = extra.map(<[F128]>::to_vec).collect();
            let col_point = leaf.col_point.clone();
            self.inputs.push(TableInput {
                statement: TableStatement { cols, width, col_point, value },
                entries: table.entries(),
                histogram,
            });
            self.indexed.push(Indexed { factor, row_point: leaf.row_point.clone(), extra });
        }
    }

    /// Proves the step; its claims on histograms go to `hot`.
    pub(super) fn run(
        self,
        channel: &mut ProverChannel,
        hot: &mut Vec<OneHotClaim<F128>>,
    ) -> Vec<TableClaim<F128>> {
        if self.inputs.is_empty() {
            return Vec::new();
        }
        let claims = table::prove(channel, self.inputs);
        for (claim, Indexed { factor, row_point, extra }) in claims.iter().zip(self.indexed) {
            let value = |(chunk, histogram): (&Chunk, &Vec<F128>)| {
                let eq = kernels::eq_table(&claim.index_point[..chunk.width()]);
                kernels::inner_product(&histogram[..eq.len()], &eq)
            };
            let extra: Vec<F128> = factor.extra.iter().zip(&extra).map(value).collect();
            channel.send_many("extra histograms", &extra);
            let claims = one_hot_claims(factor, &row_point, claim, &extra);
            hot.extend(claims.expect(RANDOM_POINT));
        }
        claims
    }
}
