//! The prover of the table step.

use binfer_field::{F128, kernels};
use rayon::prelude::*;

use super::instance::TableProduct;
use super::{TableClaim, TableStatement, split_challenges};
use crate::buffer::Buffer;
use crate::channel::ProverChannel;
use crate::sumcheck::{self, Instance, Shape};

/// The entries of a table, `2^w` a column.
pub enum Entries {
    /// `T_c[v]`, blocks `[column][v]`.
    Listed(Buffer),
    /// `T_c[v] = scale[c] prod_s factors[s][c]^(v_s)`, `v_s` the bits of `v`, `w` of them.
    Products {
        /// One a column.
        scale: Vec<F128>,
        /// One vector an index bit, lowest first.
        factors: Vec<Vec<F128>>,
    },
}

/// One claim with its prover data.
pub struct TableInput {
    /// The public side.
    pub statement: TableStatement<F128>,
    /// The table.
    pub entries: Entries,
    /// `M(c, v)`, blocks `[column][v]`, as [`histogram`] makes it.
    pub histogram: Buffer,
}

/// `M(c, v) = sum_r weights[r] [columns[c][r] = v]`, blocks `[column][v]` of `2^width` entries.
///
/// Columns are at most as long as `weights`, each index below `2^width`.
pub fn histogram(columns: &[&[u8]], weights: &[F128], width: usize) -> Buffer {
    let mut bins = Buffer::unspecified(columns.len() << width);
    bins.par_chunks_mut(1 << width).zip(columns).for_each(|(bins, column)| {
        bins.fill(F128::ZERO);
        kernels::histogram(bins, column, &weights[..column.len()]);
    });
    bins
}

/// Reduces leaf claims to claims on tables and histograms.
pub fn prove(channel: &mut ProverChannel, inputs: Vec<TableInput>) -> Vec<TableClaim<F128>> {
    let widths: Vec<usize> = inputs.iter().map(|i| i.statement.width).collect();
    let mut instances: Vec<TableProduct> = inputs.into_par_iter().map(TableProduct::new).collect();
    let shapes: Vec<Shape> = instances.iter().map(Instance::shape).collect();
    let mut batch: Vec<&mut dyn Instance> =
        instances.iter_mut().map(|i| i as &mut dyn Instance).collect();
    let challenges = sumcheck::prove(channel, &mut batch);
    let mut claims = Vec::with_capacity(instances.len());
    for ((instance, shape), width) in instances.iter().zip(shapes).zip(widths) {
        let point = &challenges[challenges.len() - shape.n_vars..];
        let (col_point, index_point) = split_challenges(point, width);
        let (table, histogram) = instance.values();
        channel.send("table value", table);
        channel.send("histogram value", histogram);
        claims.push(TableClaim { col_point, index_point, table, histogram });
    }
    claims
}
