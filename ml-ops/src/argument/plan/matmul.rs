//! What one matmul asks for: along which axis it is checked, and the indices of its operands.

use std::sync::Arc;

use binfer_iop::multilinear::log2_ceil;

use super::exponents::Exponent;
use super::output::Unaligned;
use super::{
    Axis, Chunk, Factor, Matrix, Origin, Output, Plan, Read, Source, cheapest, index_cost,
};
use crate::argument::wiring::batched;
use crate::graph::{Alphabet, Gather, GatherDim, Graph, Op, WeightId, WeightShape};

/// One matmul relation.
///
/// Along columns `G_k = prod_j h_j^(W_kj)`, and `prod_k G_k^(X_ik)` for every row `i`; in groups, `k` counts the
/// groups' features one group after the other, and `j` runs over the columns of `k`'s group. Along rows
/// `G_k = prod_i h_i^(X_ik)`, and `prod_k G_k^(W_kj)` for every column `j`.
pub(crate) struct MatMul {
    pub(crate) output: Output,
    /// Features of the input, of all groups, each with a `G_k`.
    pub(crate) k: usize,
    /// The weights, if one of the operands is weights.
    pub(crate) weights: Option<WeightId>,
    /// What the sums of each row are multiplied by, if by anything.
    pub(crate) row_factors: Option<Arc<Exponent>>,
    /// The operand with public tables, whose products are the `G_k`; none where the verifier computes them.
    pub(crate) inner: Vec<Factor>,
    /// The matrix of that operand, where the verifier holds it and computes the `G_k` itself.
    pub(crate) public_inner: Option<usize>,
    /// What is subtracted from each entry of that operand, where it is a tensor.
    pub(crate) inner_offset: u64,
    /// The other, whose tables are powers of the `G_k`. Along rows, the chunks of the bias are more
    /// columns of it.
    pub(crate) outer: Vec<Factor>,
    /// What is subtracted from each entry of that one.
    pub(crate) outer_offset: i64,
    /// The bias as a product of its own, along columns.
    pub(crate) bias: Vec<Factor>,
    pub(crate) bias_offset: i128,
}

impl MatMul {
    /// The bias's chunks that are columns of the outer operand.
    pub(crate) fn bias_columns(&self) -> &[Chunk] {
        self.outer.first().map_or(&[], |factor| &factor.extra)
    }

    /// Whether the prover proves the product of all `G_k`, of which the relation has a power.
    pub(crate) fn has_sum(&self) -> bool {
        self.outer_offset != 0 && self.public_inner.is_none()
    }

    /// The factors of all trees, each with the number of products of its tree.
    pub(crate) fn factors(&self) -> impl Iterator<Item = (usize, &Factor)> {
        let rows = self.outer.iter().chain(&self.output.factors);
        let rows = rows.map(|f| (self.output.products, f));
        let inner = self.inner.iter().map(|f| (self.k, f));
        rows.chain(inner).chain(self.bias.iter().map(|f| (1, f)))
    }

    /// Number of the `G_k`, with those of the bias.
    pub(crate) fn n_g(&self) -> usize {
        self.k.saturating_add(self.bias_columns().len())
    }

    /// Variables that index them.
    pub(crate) fn g_vars(&self) -> usize {
        log2_ceil(self.n_g())
    }

    /// Bits of an entry of the outer operand.
    pub(crate) fn outer_bits(&self) -> u32 {
        self.outer.iter().map(|factor| factor.chunk.bits).sum()
    }
}

/// The input of a matmul.
struct Input {
    matrix: usize,
    bits: u32,
    gather: Option<Arc<Gather>>,
    /// The index of positions outside the source.
    pad: u8,
    /// Whether the verifier holds it as it is.
    is_public: bool,
}

impl Input {
    /// The factor of one chunk, read along or across.
    fn factor(&self, chunk: Chunk, across: bool, cols: usize) -> Factor {
        let Some(gather) = &self.gather else { return Factor::plain(chunk, across, cols) };
        let gather = if across {
            let Gather { rows, cols, .. } = &**gather;
            Arc::new(Gather { rows: cols.clone(), cols: rows.clone(), ..(**gather).clone() })
        } else {
            gather.clone()
        };
        // Bits `first ..` of the code.
        let pad = u16::from(self.pad) >> chunk.first & ((1 << chunk.bits) - 1);
        let read = Read::Through { gather, pad: Some(pad as u8) };
        Factor { read, ..Factor::plain(chunk, false, cols) }
    }
}

/// The axis along which tables and leaves cost less, where there is a choice: one base a row asks for
/// one weight a byte, and for one offset and one step function in all columns. Public accumulators cost
/// nothing, and neither does a public input where its products are the `G_k`.
fn axis(shape: &WeightShape, rows: usize, x: &Input, outputs: &Unaligned) -> Axis {
    let one_offset = matches!(&shape.alphabet, Alphabet::Byte { offsets } if offsets.len() == 1);
    if !one_offset || !outputs.allows_rows() {
        return Axis::Columns;
    }
    // What comes after the leaves of a gathered matrix costs what its source costs.
    let of_input = |columns: usize, lookups: usize| {
        let lookups = if x.gather.is_some() { lookups.div_ceil(2) } else { lookups };
        cheapest(x.bits, lookups).1.saturating_mul(columns)
    };
    // Weights are split into no smaller indices than they are.
    let of_weights =
        |columns: usize, lookups: usize| index_cost(8, 1, lookups).saturating_mul(columns);
    let cost = |bases: usize, products: usize, input: usize, weights: usize| {
        let operands = input.saturating_add(weights);
        operands.saturating_add(outputs.cost(products).saturating_mul(bases))
    };
    let (k, n) = (shape.k, shape.n);
    let along_columns = cost(n, rows, of_input(k, rows), of_weights(n, k));
    let input = if x.is_public { 0 } else { of_input(rows, k) };
    let along_rows = cost(rows, n, input, of_weights(k, n));
    if along_rows < along_columns { Axis::Rows } else { Axis::Columns }
}

/// How the weights of all groups are read: rows are groups and features of each, columns those of one group.
fn of_groups(shape: &WeightShape, groups: usize) -> Gather {
    let (k, n) = (shape.k, shape.n / groups.max(1));
    let dim = |size, axis, step| GatherDim { size, axis: Some(axis), step };
    Gather {
        source_cols: vec![shape.n],
        source_rows: vec![k],
        offsets: vec![0, 0],
        rows: vec![dim(groups, 0, n as i64), dim(k, 1, 1)],
        cols: vec![dim(n, 0, 1)],
        pad: None,
    }
}

impl Plan {
    pub(super) fn add_matmul(&mut self, graph: &Graph, node: usize, batch: usize) -> Option<()> {
        let Op::MatMul { x, gather, zero_code, weights, groups, y, .. } = &graph.nodes[node].op
        else {
            return None;
        };
        let (shape, groups) = (&graph.weights[*weights], *groups);
        let Matrix { bits, offset: x_offset, origin, .. } = self.matrices[*x];
        let input = Input {
            matrix: *x,
            bits,
            gather: gather.as_ref().map(|gather| Arc::new(batched(gather, batch))),
            pad: gather.as_ref().and_then(|gather| gather.pad).unwrap_or(*zero_code),
            is_public: origin == Origin::Public && gather.is_none(),
        };
        let Matrix { rows, .. } = self.matrices[*y];
        let outputs = self.outputs(node, *y, graph.accumulator_bound(node));
        let axis = match groups {
            1 => axis(shape, rows, &input, &outputs),
            _ => Axis::Columns,
        };
        let k = groups.checked_mul(shape.k)?;
        let x_offset = match x_offset {
            0 => i64::from(*zero_code),
            offset => i64::try_from(offset).unwrap_or(i64::MAX),
        };

        let w = self.add(Matrix {
            source: Source::Weights(*weights),
            origin: Origin::Model,
            rows: shape.k,
            cols: shape.columns(),
            bits: log2_ceil(shape.alphabet.symbols()) as u32,
            offset: 0,
            first_plane: None,
        });
        let w = self.chunk(w, 0, self.matrices[w].bits);
        let x_lookups = if axis == Axis::Columns { rows } else { shape.k };
        let public_inner = (axis == Axis::Rows && input.is_public).then_some(*x);
        let x_chunks = match public_inner {
            Some(_) => Vec::new(),
            None => self.split(input.matrix, 0..bits, x_lookups),
        };
        let (bias_chunks, bias_offset) = self.add_bias(*weights, shape, axis);
        let output = self.align(outputs, axis);

        let across = axis == Axis::Rows;
        let x_cols = if across { rows } else { k };
        let x_factors =
            x_chunks.into_iter().map(|chunk| input.factor(chunk, across, x_cols)).collect();
        let (inner, inner_offset, mut outer, outer_offset) = match axis {
            Axis::Columns if groups > 1 => {
                let (gather, cols) = (Arc::new(of_groups(shape, groups)), shape.n / groups);
                let read = Read::Through { gather, pad: None };
                let w = Factor { read, blocks: groups, ..Factor::plain(w, false, cols) };
                (vec![w], 0, x_factors, x_offset)
            }
            Axis::Columns => {
                let w = Factor::plain(w, false, shape.columns());
                (vec![w], 0, x_factors, x_offset)
            }
            Axis::Rows => {
                let offset = i64::from(shape.alphabet.range(0).0).saturating_neg();
                let w = Factor::plain(w, true, shape.k);
                (x_factors, x_offset.unsigned_abs(), vec![w], offset)
            }
        };
        let bias = match axis {
            Axis::Columns => {
                bias_chunks.into_iter().map(|c| Factor::plain(c, false, shape.n)).collect()
            }
            Axis::Rows => {
                outer[0].extra = bias_chunks;
                Vec::new()
            }
        };
        self.matmuls.push(MatMul {
            output,
            k,
            weights: Some(*weights),
            row_factors: None,
            inner,
            public_inner,
            inner_offset,
            outer,
            outer_offset,
            bias,
            bias_offset,
        });
        Some(())
    }

    /// The chunks of the bias and the offset that makes it unsigned; none and 0 where there is none.
    fn add_bias(
        &mut self,
        weights: WeightId,
        shape: &WeightShape,
        axis: Axis,
    ) -> (Vec<Chunk>, i128) {
        if shape.bias_bits == 0 {
            return (Vec::new(), 0);
        }
        let offset = 1i128 << (shape.bias_bits - 1);
        let matrix = self.add(Matrix {
            source: Source::Bias(weights),
            origin: Origin::Model,
            rows: 1,
            cols: shape.n,
            bits: shape.bias_bits,
            offset,
            first_plane: None,
        });
        // Along rows a chunk is one column, whose table is as wide as that of a weight anyway.
        let lookups = if axis == Axis::Columns { 1 } else { shape.n.max(1 << 16) };
        (self.split(matrix, 0..shape.bias_bits, lookups), offset)
    }
}
