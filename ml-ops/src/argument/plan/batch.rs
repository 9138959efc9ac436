//! What a matmul of two tensors asks for: one relation a sample, one of its operands in the place of weights.
//!
//! In sample `s`, with bases of columns, `G_(h,k) = prod_j h_(h,j)^(B_k(h,j) - b_0)`: the heads are groups of columns, and the
//! product over `k` of row `(h, k)` is one of the tables of head `h`. With bases of rows, which factors `f` of rows ask for,
//! `G_(h,k) = prod_i (h_i^(f_i))^(A_i(h,k) - a_0)`, and the product of column `(h, j)` takes the entries of `B` for the `G` of
//! its head and zeros for those of others. The inner operand's tables are public, the zero being part of them. Both
//! operands and the outputs are read through maps that keep to the sample.

use std::sync::Arc;

use super::output::Unaligned;
use super::{Axis, Chunk, Factor, MatMul, Matrix, Output, Plan, Read, cheapest};
use crate::argument::wiring::{batched, straight};
use crate::graph::{CodeMatrix, Gather, Graph, Op};

/// An operand before an axis is chosen.
struct Operand {
    matrix: usize,
    bits: u32,
    /// The entry that stands for zero.
    zero: u64,
    /// How a sample's matrix is read from the tensor.
    gather: Gather,
    /// Whether that is as it is.
    is_straight: bool,
}

impl Operand {
    /// The cost of so many tables, each with so many look-ups.
    fn cost(&self, tables: usize, lookups: usize) -> usize {
        let lookups = if self.is_straight { lookups } else { lookups.div_ceil(2) };
        cheapest(self.bits, false, lookups).1.saturating_mul(tables)
    }

    /// The map with columns in the place of rows, as products of each see them that are of `n` columns a head: where
    /// the `k` is one of another head they read zeros.
    fn diagonal(&self, heads: usize, n: usize) -> Option<Gather> {
        let reads_zeros = self.gather.pad.is_none_or(|pad| u64::from(pad) == self.zero);
        if heads == 1 {
            return Some(across(self.gather.clone()));
        }
        self.gather.on_diagonal(n).filter(|_| reads_zeros)
    }

    /// One chunk read through a map, or along or across all of the tensor where there is none.
    fn factor(
        &self,
        chunk: &Chunk,
        gather: &Option<Arc<Gather>>,
        across: bool,
        cols: usize,
    ) -> Factor {
        let Some(gather) = gather else { return Factor::plain(chunk.clone(), across, cols) };
        // What lies outside the source stands for zero, if not for a code.
        let pad = gather.pad.map_or(self.zero, u64::from) >> chunk.first & ((1 << chunk.bits) - 1);
        let read = Read::Through { gather: gather.clone(), pad: Some(pad as u8) };
        Factor { read, ..Factor::plain(chunk.clone(), false, cols) }
    }
}

/// The sizes of one sample's relation.
struct Sizes {
    heads: usize,
    /// Products that a sum adds up.
    depth: usize,
    /// Columns of a head.
    n: usize,
    /// Rows of the left operand and the outputs.
    rows: usize,
}

impl Plan {
    pub(super) fn add_batch_matmul(
        &mut self,
        graph: &Graph,
        node: usize,
        batch: usize,
    ) -> Option<()> {
        let Op::BatchMatMul { a, b, heads, row_factors, y, epilogue } = &graph.nodes[node].op
        else {
            return None;
        };
        let (heads, shape) = (*heads, graph.tensors[*y]);
        let (rows, depth) = (shape.rows_per_sample, graph.depth(a, heads));
        let (k, n) = (heads.checked_mul(depth)?, shape.features.checked_div(heads)?);
        let sizes = Sizes { heads, depth, n, rows };
        let left = self.operand(a, (rows, k))?;
        let right = self.operand(b, (depth, shape.features))?;
        let bound = graph.accumulator_bound(node);
        let outputs = self.outputs(node, *y, shape.kind, epilogue, bound);
        let diagonal = right.diagonal(heads, n);
        let axis = match (row_factors, &diagonal) {
            (Some(_), _) => Axis::Rows,
            (None, Some(_)) => axis(&sizes, &left, &right, &outputs),
            (None, None) => Axis::Columns,
        };
        let output = self.align(outputs, axis);
        let of_y = straight(rows, shape.features);
        let (of_heads, of_columns) = right.gather.split_taps(n)?;
        let (inner, of_inner, outer, of_outer, of_y) = match axis {
            Axis::Columns => {
                let of_b = &right.gather;
                let of_b = Gather {
                    rows: [&of_heads[..], &of_b.rows].concat(),
                    cols: of_columns,
                    ..of_b.clone()
                };
                (&right, of_b, &left, left.gather.clone(), of_y)
            }
            Axis::Rows => (&left, across(left.gather.clone()), &right, diagonal?, across(of_y)),
        };
        let (inner_lookups, outer_lookups, inner_cols) = match axis {
            Axis::Columns => (depth, rows, n),
            Axis::Rows => (k, shape.features, rows),
        };
        let blocks = if axis == Axis::Columns { heads } else { 1 };
        let of_outer_chunks = self.split(outer.matrix, 0..outer.bits, None, outer_lookups);
        let of_inner_chunks = self.split(inner.matrix, 0..inner.bits, None, inner_lookups);
        let is_across = axis == Axis::Rows;
        for sample in 0..batch {
            let read = |gather: &Gather| Arc::new(of_sample(gather, batch, sample));
            // All of a tensor is read as it is, if not in heads.
            let whole = |operand: &Operand| batch == 1 && operand.is_straight && heads == 1;
            let of_left = batch == 1 && left.is_straight;
            let inner_whole = if is_across { of_left } else { whole(&right) };
            let outer_whole = if is_across { whole(&right) } else { of_left };
            let of_inner = (!inner_whole).then(|| read(&of_inner));
            let of_outer = (!outer_whole).then(|| read(&of_outer));
            let of_y = (batch > 1).then(|| read(&of_y));
            let of_chunk = |chunk| outer.factor(chunk, &of_outer, is_across, k);
            let outer_factors = of_outer_chunks.iter().map(of_chunk).collect();
            let of_chunk = |chunk| inner.factor(chunk, &of_inner, is_across, inner_cols);
            let inner_factors = of_inner_chunks.iter().map(of_chunk);
            let inner_factors = inner_factors.map(|factor| Factor { blocks, ..factor }).collect();
            self.matmuls.push(MatMul {
                output: output.of_sample(of_y.as_ref(), rows, sample),
                k,
                weights: None,
                row_factors: row_factors.as_ref().map(|factors| factors[..].into()),
                inner: inner_factors,
                public_inner: None,
                inner_offset: inner.zero,
                outer: outer_factors,
                outer_offset: i64::try_from(outer.zero).ok()?,
                bias: Vec::new(),
                bias_offset: 0,
            });
        }
        Some(())
    }

    fn operand(&self, of: &CodeMatrix, (rows, cols): (usize, usize)) -> Option<Operand> {
        let Matrix { bits, offset, .. } = *self.matrices.get(of.x)?;
        let zero = u64::try_from(offset).ok()?.checked_add(of.zero_code.into())?;
        let (gather, is_straight) = match &of.gather {
            Some(gather) => (gather.clone(), false),
            None => (straight(rows, cols), true),
        };
        Some(Operand { matrix: of.x, bits, zero, gather, is_straight })
    }
}

/// The axis along which tables and leaves cost less, where there is a choice.
fn axis(sizes: &Sizes, left: &Operand, right: &Operand, outputs: &Unaligned) -> Axis {
    if !outputs.allows_rows() {
        return Axis::Columns;
    }
    let Sizes { heads, depth, n, rows } = *sizes;
    let (k, columns) = (heads.saturating_mul(depth), heads.saturating_mul(n));
    let cost = |left: usize, right: usize, bases: usize, products: usize| {
        let outputs = outputs.cost(products).saturating_mul(bases);
        left.saturating_add(right).saturating_add(outputs)
    };
    let along_columns = cost(left.cost(k, rows), right.cost(columns, depth), columns, rows);
    let along_rows = cost(left.cost(rows, k), right.cost(k, columns), rows, columns);
    if along_rows < along_columns { Axis::Rows } else { Axis::Columns }
}

/// The map with rows and columns in each other's place.
fn across(gather: Gather) -> Gather {
    Gather { rows: gather.cols, cols: gather.rows, ..gather }
}

/// The map of one sample of a batch.
fn of_sample(gather: &Gather, batch: usize, sample: usize) -> Gather {
    let mut gather = batched(gather, batch);
    // The sample is the first dimension of rows, and the first axis of the source's.
    gather.rows.remove(0);
    let axis = gather.source_cols.len();
    if let Some(offset) = gather.offsets.get_mut(axis) {
        *offset = sample as i64;
    }
    gather
}

impl Output {
    /// The outputs of a sample of `rows` rows, which `gather` reads if there are other samples.
    fn of_sample(&self, gather: Option<&Arc<Gather>>, rows: usize, sample: usize) -> Self {
        let factors = self.factors.iter().map(|factor| match gather {
            Some(gather) => {
                let read = Read::Through { gather: gather.clone(), pad: None };
                Factor { read, cols: gather.n_cols(), ..factor.clone() }
            }
            None => factor.clone(),
        });
        let (products, bases) = match self.axis {
            Axis::Columns => (rows, self.bases),
            Axis::Rows => (self.products, rows),
        };
        Self {
            products,
            bases,
            first_row: rows.saturating_mul(sample),
            factors: factors.collect(),
            ..self.clone()
        }
    }
}
