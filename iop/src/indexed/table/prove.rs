//! The prover of the table step.

use binfer_field::F128;
use rayon::prelude::*;

use super::histogram::Histogram;
use super::instance::TableProduct;
use super::{TableClaim, TableStatement, split_challenges};
use crate::buffer::Shared;
use crate::channel::ProverChannel;
use crate::join::{self, Product};
use crate::multilinear::eq;
use crate::sumcheck::{self, Instance, Shape};

/// The entries of a table, `2^w` a column.
pub enum Entries<'a> {
    /// `T_c[v]`, blocks `[column][v]`, which are read and not changed.
    Listed(Shared<'a>),
    /// `T_c[v] = scale[c] prod_s factors[s][c]^(v_s)`, `v_s` the bits of `v`, `w` of them.
    Products {
        /// One a column.
        scale: Vec<F128>,
        /// One vector an index bit, lowest first.
        factors: Vec<Vec<F128>>,
    },
    /// `T_c[v] = prod_s factors[s][c]^(v_s)`, times `gate[c]` unless the `gated` lowest bits of `v` are zero.
    Gated {
        /// One a column.
        gate: Vec<F128>,
        /// Bits of which one that is set opens the gate.
        gated: usize,
        /// One vector an index bit, lowest first.
        factors: Vec<Vec<F128>>,
    },
}

/// What is known of a table whose columns are ones but for a few: the others add nothing to the sum.
pub struct Few<'a> {
    /// The numbers of the columns that are not, in order; entries and histogram are of these.
    pub columns: Vec<usize>,
    /// `M` of all columns at a point of the index bits, lowest first.
    pub histogram_at: HistogramAt<'a>,
}

/// What gives the histogram of each column at a point.
pub type HistogramAt<'a> = Box<dyn FnOnce(&[F128]) -> Vec<F128> + Send + 'a>;

/// One claim with its prover data.
pub struct TableInput<'a> {
    /// The public side.
    pub statement: TableStatement,
    /// The value of the leaf polynomial.
    pub value: F128,
    /// The table.
    pub entries: Entries<'a>,
    /// `M`, or `M'` where columns share tables.
    pub histogram: Histogram<'a>,
    /// Where only a few columns are given; columns do not share tables then.
    pub few: Option<Few<'a>>,
}

/// Reduces leaf claims to claims on tables and histograms.
pub fn prove(channel: &mut ProverChannel, inputs: Vec<TableInput<'_>>) -> Vec<TableClaim<F128>> {
    let statements: Vec<TableStatement> = inputs.iter().map(|i| i.statement.clone()).collect();
    let mut instances: Vec<TableProduct<'_>> =
        inputs.into_par_iter().map(TableProduct::new).collect();
    let shapes: Vec<Shape> = instances.iter().map(Instance::shape).collect();
    let mut batch: Vec<&mut dyn Instance> =
        instances.iter_mut().map(|i| i as &mut dyn Instance).collect();
    let weights = statements.iter().map(|s| s.weight).collect();
    let (challenges, mut weights) = sumcheck::prove_weighted(channel, &mut batch, weights);
    let mut claims = Vec::with_capacity(instances.len());
    let of_instances = instances.iter().zip(shapes).zip(&statements);
    for (((instance, shape), s), weight) in of_instances.zip(&mut weights) {
        let point = &challenges[challenges.len() - shape.n_vars..];
        let (col_point, index_point) = split_challenges(point, s.width);
        if s.taps == 1 {
            *weight *= eq(&s.col_point, &col_point);
        }
        let (table, histogram) = instance.values();
        claims.push(TableClaim { col_point, index_point, weight: *weight, table, histogram });
    }
    let factors = [|c: &TableClaim<F128>| c.table, |c: &TableClaim<F128>| c.histogram];
    let factors = factors.map(|value| claims.iter().map(value).collect()).into();
    let joined = join::prove(channel, "table step", vec![Product { weights, factors }]);
    for (claim, weight) in claims.iter_mut().zip(joined.weights) {
        claim.weight = weight;
    }
    claims
}
