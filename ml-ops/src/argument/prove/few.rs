//! Factors whose tables are ones but for a few: powers of `G` where the inner operand is public and mostly zero, as the
//! one-hot rows of token ids are. Neither leaves nor histograms are made of the others.

use binfer_field::{F128, kernels};
use binfer_iop::buffer::Buffer;
use binfer_iop::indexed::table::{self, Few};
use binfer_iop::product::Tree;
use rayon::prelude::*;

use crate::argument::indices::{Column, Indices};
use crate::argument::plan::{Factor, Read};
use crate::argument::tables::Table;

/// Columns for each one that is kept, at least.
const SPARSE: usize = 8;

/// Columns at a time of a histogram at a point.
const TASK: usize = 64;

/// The only factor of a tree's leaves, of which a few columns are kept.
pub(super) struct FewColumns<'a> {
    columns: Vec<usize>,
    bases: Vec<F128>,
    shift: u32,
    width: usize,
    /// The indices of all columns.
    indices: Vec<Column<'a>>,
}

impl<'a> FewColumns<'a> {
    /// If these tables are such.
    pub(super) fn of(
        tables: &[Table<'_>],
        factors: &[Factor],
        indices: &'a Indices<'_>,
    ) -> Option<Self> {
        let (&[Table::Powers { bases, shift, width }], [factor]) = (tables, factors) else {
            return None;
        };
        // Neither gathered, so that columns have no holes, nor with columns of another matrix.
        let is_plain = matches!(factor.read, Read::Straight | Read::Across)
            && (factor.taps, factor.blocks) == (1, 1)
            && factor.with.is_none()
            && factor.extra.is_empty();
        let columns: Vec<usize> = (0..bases.len()).filter(|&c| bases[c] != F128::ONE).collect();
        if !is_plain || columns.is_empty() || SPARSE * columns.len() > bases.len() {
            return None;
        }
        let bases = columns.iter().map(|&c| bases[c]).collect();
        Some(Self { columns, bases, shift, width, indices: indices.columns(factor) })
    }

    /// The tables of the columns that are kept.
    pub(super) fn table(&self) -> Table<'_> {
        Table::Powers { bases: &self.bases, shift: self.shift, width: self.width }
    }

    /// The tree of the leaves.
    pub(super) fn tree<'t>(&self, rows: usize) -> Tree<'t> {
        let table = self.table();
        let column = |(i, &c): (usize, &usize)| {
            let mut entries = vec![F128::ONE; 1 << self.width];
            table.fill(i..i + 1, &mut entries);
            let mut leaves = Buffer::unspecified(rows);
            kernels::gather(&mut leaves, &entries, self.indices[c].bytes);
            (c, leaves)
        };
        let columns = self.columns.par_iter().enumerate().map(column).collect();
        Tree::sparse(rows, self.indices.len(), columns)
    }

    /// The histogram of the columns that are kept, rows weighing `row_eq`, and what is to be known of the others.
    pub(super) fn histogram(self, row_eq: Vec<F128>) -> (Buffer, Few<'a>) {
        let kept: Vec<&[u8]> = self.columns.iter().map(|&c| self.indices[c].bytes).collect();
        let histogram = table::histogram(&kept, &row_eq, self.width);
        let indices = self.indices;
        let histogram_at = move |index_point: &[F128]| {
            let entries = kernels::eq_table(index_point);
            let task = |columns: &[Column<'_>]| -> Vec<F128> {
                let mut values = vec![F128::ZERO; columns[0].bytes.len()];
                let of_column = |column: &Column<'_>| {
                    kernels::gather(&mut values, &entries, column.bytes);
                    kernels::inner_product(&values, &row_eq[..values.len()])
                };
                columns.iter().map(of_column).collect()
            };
            indices.par_chunks(TASK).flat_map_iter(task).collect()
        };
        (histogram, Few { columns: self.columns, histogram_at: Box::new(histogram_at) })
    }
}
