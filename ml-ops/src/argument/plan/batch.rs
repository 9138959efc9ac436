//! What a matmul of two tensors asks for: one relation a sample, its right operand in the place of weights.
//!
//! In sample `s`, with bases of columns, `G_(h,k) = prod_j h_(h,j)^(B_k(h,j) - b_0)`: the heads are groups of columns, and the
//! product over `k` of row `(h, k)` is one of the tables of head `h`. The tables are public, the zero being part of
//! them. Both operands and the outputs are read through maps that keep to the sample.

use std::sync::Arc;

use super::{Axis, Chunk, Exponent, Factor, MatMul, Matrix, Output, Plan, Read};
use crate::argument::wiring::batched;
use crate::graph::{CodeMatrix, Gather, Graph, Op};

impl Plan {
    pub(super) fn add_batch_matmul(
        &mut self,
        graph: &Graph,
        node: usize,
        batch: usize,
    ) -> Option<()> {
        let Op::BatchMatMul { a, b, heads, row_factors, y, .. } = &graph.nodes[node].op else {
            return None;
        };
        let (heads, shape) = (*heads, graph.tensors[*y]);
        let (rows, depth) = (shape.rows_per_sample, graph.depth(a, heads));
        let (k, n) = (heads.checked_mul(depth)?, shape.features.checked_div(heads)?);
        let mut split =
            |of: &CodeMatrix, lookups| self.split(of.x, 0..self.matrices[of.x].bits, lookups);
        // The operand with more look-ups first, so that the other may share its views.
        let (left, right) = if rows > depth {
            let left = split(a, rows);
            (left, split(b, depth))
        } else {
            let right = split(b, depth);
            (split(a, rows), right)
        };
        let (a_zero, b_zero) = (self.zero(a)?, self.zero(b)?);
        let row_factors = row_factors.as_ref().map(|factors| Arc::new(Exponent::of_rows(factors)));
        let bound = graph.accumulator_bound(node);
        let unaligned = self.outputs(node, *y, bound);
        let output = self.align(unaligned, Axis::Columns);
        let as_it_is = |rows, cols, matrix: &CodeMatrix| {
            matrix.gather.clone().unwrap_or_else(|| Gather::straight(rows, cols))
        };
        let (of_a, of_b) = (as_it_is(rows, k, a), as_it_is(depth, shape.features, b));
        let (of_heads, of_columns) = of_b.split_taps(n)?;
        let of_b = Gather { rows: [&of_heads[..], &of_b.rows].concat(), cols: of_columns, ..of_b };
        let of_y = Gather::straight(rows, shape.features);
        for sample in 0..batch {
            let read = |gather: &Gather| Arc::new(of_sample(gather, batch, sample));
            // All of a tensor is read as it is, or across.
            let whole = |matrix: &CodeMatrix| match &matrix.gather {
                _ if batch > 1 => None,
                None => Some(false),
                Some(gather) => [false, true].into_iter().find(|&across| gather.is_whole(across)),
            };
            let of_a = whole(a).ok_or_else(|| read(&of_a));
            let of_b = whole(b).filter(|_| heads == 1).ok_or_else(|| read(&of_b));
            let of_y = (batch > 1).then(|| read(&of_y));
            let outer = left.iter().map(|chunk| factor(chunk, &of_a, a_zero, k)).collect();
            let of_head = right.iter().map(|chunk| factor(chunk, &of_b, b_zero, n));
            let inner = of_head.map(|factor| Factor { blocks: heads, ..factor }).collect();
            self.matmuls.push(MatMul {
                output: output.of_sample(of_y.as_ref(), rows, sample),
                k,
                weights: None,
                row_factors: row_factors.clone(),
                inner,
                public_inner: None,
                inner_offset: b_zero,
                outer,
                outer_offset: i64::try_from(a_zero).ok()?,
                bias: Vec::new(),
                bias_offset: 0,
            });
        }
        Some(())
    }

    /// The entry that stands for zero.
    fn zero(&self, of: &CodeMatrix) -> Option<u64> {
        let Matrix { offset, .. } = *self.matrices.get(of.x)?;
        u64::try_from(offset).ok()?.checked_add(of.zero_code.into())
    }
}

/// A matrix's chunk read straight, or across, or else through a map; positions outside the source stand for zero, the
/// entry `zero`, if not for a code.
fn factor(chunk: &Chunk, how: &Result<bool, Arc<Gather>>, zero: u64, cols: usize) -> Factor {
    let plain = |across| Factor::plain(chunk.clone(), across, cols);
    let gather = match how {
        Ok(across) => return plain(*across),
        Err(gather) => gather,
    };
    let pad = gather.pad.map_or(zero, u64::from) >> chunk.first & ((1 << chunk.bits) - 1);
    let read = Read::Through { gather: gather.clone(), pad: Some(pad as u8) };
    Factor { read, ..plain(false) }
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
                Factor { read, ..factor.clone() }
            }
            None => factor.clone(),
        });
        Self {
            products: rows,
            first_row: rows.saturating_mul(sample),
            factors: factors.collect(),
            ..self.clone()
        }
    }
}
