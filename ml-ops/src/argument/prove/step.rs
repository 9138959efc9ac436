//! Indexed products of a plan's chunks: their trees, and one table step over many.

use std::sync::Arc;

use binfer_field::{F128, kernels};
use binfer_iop::buffer::Buffer;
use binfer_iop::channel::ProverChannel;
use binfer_iop::indexed::table::{self, Entries, Histogram, TableClaim, TableInput};
use binfer_iop::multilinear::{log2_ceil, prefix_indicator};
use binfer_iop::product::{BoxShape, LeafClaim, Leaves, Tree};
use rayon::prelude::*;

use super::few::FewColumns;
use crate::argument::indices::{Column, Indices};
use crate::argument::memory::keeps_tables;
use crate::argument::plan::{Chunk, Factor};
use crate::argument::tables::{BLOCK, Table};
use crate::argument::verify::step::{IndexClaims, LeafPoint, statement};

/// Leaves looked up in the tables of one factor.
struct Looked<'a> {
    entries: Buffer,
    width: usize,
    /// Columns that share a table.
    taps: usize,
    blocks: usize,
    rows: usize,
    columns: Vec<Column<'a>>,
}

impl Leaves for Looked<'_> {
    fn fill(&self, column: usize, first: usize, out: &mut [F128]) {
        let entries = self.table(column);
        let bits = byte_bits(self.width, self.blocks);
        gather(out, entries, self.columns[column], first, self.rows / self.blocks, bits);
    }

    fn looked_up(&self, column: usize) -> Option<(&[F128], &[u8])> {
        let Column { bytes, holes } = self.columns[column];
        let entries = self.table(column);
        (self.blocks == 1 && holes.is_empty()).then_some((entries, bytes))
    }
}

impl Looked<'_> {
    fn table(&self, column: usize) -> &[F128] {
        &self.entries[(column / self.taps) << self.width..][..1 << self.width]
    }
}

/// Factors of leaves, each looked up in the tables of one factor of a plan.
struct LookedFactors<'a>(Vec<Looked<'a>>);

impl LookedFactors<'_> {
    /// The factor and the column that a block of leaves' factors is of.
    fn of(&self, block: usize) -> (&Looked<'_>, usize) {
        (&self.0[block % self.0.len()], block / self.0.len())
    }
}

impl Leaves for LookedFactors<'_> {
    fn fill(&self, block: usize, first: usize, out: &mut [F128]) {
        let (factor, column) = self.of(block);
        factor.fill(column, first, out);
    }

    fn looked_up(&self, block: usize) -> Option<(&[F128], &[u8])> {
        let (factor, column) = self.of(block);
        factor.looked_up(column)
    }
}

/// Bits of an index that are bits of a byte, of `width` bits of which `blocks` blocks of rows take the others.
fn byte_bits(width: usize, blocks: usize) -> usize {
    width - log2_ceil(blocks)
}

/// The entries of rows from `first` on of a column whose blocks have `block` rows, as many as `out` holds, each
/// block having `2^bits` entries of its own; ones where the column has holes.
fn gather(
    out: &mut [F128],
    entries: &[F128],
    column: Column<'_>,
    first: usize,
    block: usize,
    bits: usize,
) {
    let (bytes, end) = (&column.bytes[first..][..out.len()], first + out.len());
    let mut at = 0;
    while at < out.len() {
        let number = (first + at) / block;
        let n = ((number + 1) * block - first - at).min(out.len() - at);
        let entries =
            if block == column.bytes.len() { entries } else { &entries[number << bits..] };
        kernels::gather(&mut out[at..at + n], entries, &bytes[at..at + n]);
        at += n;
    }
    for hole in column.holes {
        let (start, stop) = (hole.start.max(first), hole.end.min(end));
        if start < stop {
            out[start - first..stop - first].fill(F128::ONE);
        }
    }
}

/// The histogram of a factor's claim, of its columns and the weights of rows and columns there: of each column
/// `M(c, v) = sum_r row_eq[r] [columns[c][r] = v]` over rows that are no holes, blocks `[column][v]` of `2^width` entries, the
/// number of a row's block being the highest bits of `v`; of columns that share a table the sum of these, each times `col_eq[c]`.
fn histogram(factor: &Factor, columns: &[Column<'_>], row_eq: &[F128], col_eq: &[F128]) -> Buffer {
    let (width, taps, blocks) = (factor.width(), factor.taps, factor.blocks);
    let mut bins = Buffer::unspecified(factor.tables() << width);
    let tables = columns.par_chunks(taps).zip(col_eq.par_chunks(taps));
    bins.par_chunks_mut(1 << width).zip(tables).for_each(|(bins, (columns, col_eq))| {
        bins.fill(F128::ZERO);
        if let [column] = columns {
            return add_histogram(bins, column, row_eq, width, blocks);
        }
        for (column, &of_column) in columns.iter().zip(col_eq) {
            let mut weights = row_eq[..column.bytes.len()].to_vec();
            kernels::scale(&mut weights, of_column);
            add_histogram(bins, column, &weights, width, blocks);
        }
    });
    bins
}

/// Adds a column's histogram to `bins`.
fn add_histogram(
    bins: &mut [F128],
    column: &Column<'_>,
    weights: &[F128],
    width: usize,
    blocks: usize,
) {
    let bits = byte_bits(width, blocks);
    let block = column.bytes.len() / blocks;
    let bytes = column.bytes.chunks(block).zip(weights.chunks(block));
    for ((b, (bytes, weights)), bins) in bytes.enumerate().zip(bins.chunks_mut(1 << bits)) {
        // What lies between the holes.
        let (start, end) = (b * block, (b + 1) * block);
        let mut from = start;
        for hole in column.holes.iter().chain([&(end..end)]) {
            let to = hole.start.clamp(from, end);
            let run = from - start..to - start;
            kernels::histogram(bins, &bytes[run.clone()], &weights[run]);
            from = hole.end.clamp(from, end);
        }
    }
}

/// The indices of a factor whose histogram is left to the table step: each column with a table of its own, no holes, and none but
/// its own, and of fewer rows than entries where tables are products, of which it is then not written down.
fn rows_of<'a>(
    factor: &Factor,
    columns: &[Column<'a>],
    entries: &Entries<'_>,
) -> Option<Arc<[&'a [u8]]>> {
    let is_plain = (factor.taps, factor.blocks) == (1, 1) && factor.extra.is_empty();
    let is_product = !matches!(entries, Entries::Listed(_));
    let of_column = |column: &Column<'a>| {
        let few = !is_product || column.bytes.len() < 1 << factor.width();
        (few && column.holes.is_empty()).then_some(column.bytes)
    };
    if is_plain { columns.iter().map(of_column).collect() } else { None }
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
    if let Some(few) = FewColumns::of(tables, factors, indices) {
        return few.tree(rows);
    }
    let (cols, fan_in) = (factors[0].all_cols(), factors.len());
    let columns: Vec<Vec<Column<'_>>> = factors.iter().map(|f| indices.columns(f)).collect();
    // Tables that are smaller than the leaves are kept in their place.
    if factors.iter().all(|factor| keeps_tables(rows, factor)) {
        let of_factors = tables.iter().zip(factors).zip(columns);
        let looked = of_factors.map(|((table, factor), columns)| {
            let width = table.width();
            let mut entries = Buffer::unspecified(factor.tables() << width);
            entries.par_chunks_mut(BLOCK << width).enumerate().for_each(|(b, entries)| {
                let first = b * BLOCK;
                table.fill(first..first + (entries.len() >> width), entries);
            });
            Looked { entries, width, taps: factor.taps, blocks: factor.blocks, rows, columns }
        });
        let looked = Box::new(LookedFactors(looked.collect()));
        return Tree::over(BoxShape { rows, cols, fan_in }, looked);
    }
    let mut leaves = Buffer::unspecified(rows * cols * fan_in);
    let column = rows * fan_in;
    let blocks = leaves.par_chunks_mut(column * BLOCK).enumerate();
    blocks.for_each_init(Vec::new, |entries, (b, leaves)| {
        let first = b * BLOCK;
        for (g, ((table, columns), factor)) in tables.iter().zip(&columns).zip(factors).enumerate()
        {
            let (block, bits) = (rows / factor.blocks, byte_bits(table.width(), factor.blocks));
            let (end, taps) = (first + leaves.len() / column, factor.taps);
            let used = first / taps..end.div_ceil(taps);
            entries.resize(used.len() << table.width(), F128::ZERO);
            table.fill(used.clone(), entries);
            let of_columns = (first..end).zip(&columns[first..]);
            for (leaves, (c, &index)) in leaves.chunks_mut(column).zip(of_columns) {
                let entries = &entries[(c / taps - used.start) << table.width()..];
                let entries = &entries[..1 << table.width()];
                gather(&mut leaves[g * rows..(g + 1) * rows], entries, index, 0, block, bits);
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
    leaf: LeafPoint,
    /// The histograms of its extra columns.
    extra: Vec<Vec<F128>>,
}

/// A table step in the making: statements with the factors they are about.
#[derive(Default)]
pub(super) struct TableStep<'a> {
    inputs: Vec<TableInput<'a>>,
    indexed: Vec<Indexed<'a>>,
}

/// The leaves of one tree, with the tables that their factors are looked up in.
pub(super) struct LookedUp<'t, 'a> {
    pub(super) tables: Vec<Table<'t>>,
    pub(super) factors: &'a [Factor],
    pub(super) leaf: LeafClaim<F128>,
}

impl<'a> LookedUp<'_, 'a> {
    /// The statement of each factor, and what it is about.
    fn inputs(self, indices: &'a Indices<'_>) -> Vec<(TableInput<'a>, Indexed<'a>)> {
        let Self { tables, factors, leaf } = self;
        let [row_eq, col_eq] = [&leaf.row_point, &leaf.col_point].map(|z| kernels::eq_table(z));
        let point = LeafPoint::of(&leaf);
        if let Some(few) = FewColumns::of(&tables, factors, indices) {
            let (factor, value) = (&factors[0], leaf.values[0]);
            let statement = statement(factor, &point, leaf.weights[0]);
            let entries = few.table().entries();
            let (histogram, few) = few.histogram(row_eq);
            let histogram = histogram.into();
            let input = TableInput { statement, value, entries, histogram, few: Some(few) };
            return vec![(input, Indexed { factor, leaf: point, extra: Vec::new() })];
        }
        let rows: Arc<[F128]> = row_eq.into();
        let of_factors = leaf.weights.par_iter().zip(&leaf.values);
        let of_factors = of_factors.zip(tables.par_iter().zip(factors));
        let input = |((&weight, &value), (table, factor)): ((&F128, &F128), (&Table<'_>, _))| {
            let columns = indices.columns(factor);
            let statement = statement(factor, &point, weight);
            let entries = table.entries();
            if let Some(columns) = rows_of(factor, &columns, &entries) {
                let histogram = Histogram::Rows { columns, weights: rows.clone() };
                let input = TableInput { statement, value, entries, histogram, few: None };
                return (input, Indexed { factor, leaf: point.clone(), extra: Vec::new() });
            }
            let histogram = histogram(factor, &columns, &rows, &col_eq);
            let (own, width) = (factor.cols / factor.taps, factor.width());
            let extra = histogram[own << width..].chunks(1 << width);
            let extra = extra.map(<[F128]>::to_vec).collect();
            let histogram = histogram.into();
            let input = TableInput { statement, value, entries, histogram, few: None };
            (input, Indexed { factor, leaf: point.clone(), extra })
        };
        of_factors.map(input).collect()
    }
}

impl<'a> TableStep<'a> {
    /// Adds the factors of these trees' leaves.
    pub(super) fn push(&mut self, trees: Vec<LookedUp<'_, 'a>>, indices: &'a Indices<'_>) {
        let inputs: Vec<_> = trees.into_par_iter().map(|tree| tree.inputs(indices)).collect();
        let (inputs, indexed): (Vec<_>, Vec<_>) = inputs.into_iter().flatten().unzip();
        self.inputs.extend(inputs);
        self.indexed.extend(indexed);
    }

    /// Proves the step; its claims on histograms go to `indexed`.
    pub(super) fn run(
        self,
        channel: &mut ProverChannel,
        indexed: &mut IndexClaims<F128>,
    ) -> Vec<TableClaim<F128>> {
        if self.inputs.is_empty() {
            return Vec::new();
        }
        let claims = table::prove(channel, self.inputs);
        let scale = channel.challenge("histogram batching");
        let of_factor =
            |(claim, Indexed { factor, leaf, extra }): (&TableClaim<F128>, Indexed<'_>)| {
                let value = |(chunk, histogram): (&Chunk, &Vec<F128>)| {
                    let eq = kernels::eq_table(&claim.index_point[..chunk.width()]);
                    kernels::inner_product(&histogram[..eq.len()], &eq)
                };
                let extra: Vec<F128> = factor.extra.iter().zip(&extra).map(value).collect();
                IndexClaims::of(&indexed.wirings, factor, &leaf, claim, scale, &extra)
                    .expect(RANDOM_POINT)
            };
        let added: Vec<_> = claims.par_iter().zip(self.indexed).map(of_factor).collect();
        added.into_iter().for_each(|added| indexed.append(added));
        claims
    }
}
