//! The prover's side of one matmul: its trees and opening messages, and its claims on `G`.

use std::borrow::Cow;

use binfer_field::{F128, kernels};
use binfer_iop::channel::ProverChannel;
use binfer_iop::claims::{self, EvaluationClaim};
use binfer_iop::indexed::table::TableClaim;
use binfer_iop::multilinear::log2_ceil;
use binfer_iop::product::{BoxProduct, BoxShape, LeafClaim, RootClaim, Tree};
use binfer_iop::sumcheck::{self, Instance};

use super::step::{extension, look_up};
use crate::argument::bases::{Drawn, frobenius_points, powers};
use crate::argument::plan::MatMul;
use crate::graph::{Graph, WeightShape};

/// One repetition of a matmul's check in the middle of the protocol.
pub(super) struct Relation<'a> {
    pub(super) matmul: &'a MatMul,
    pub(super) shape: &'a WeightShape,
    pub(super) drawn: Drawn,
    pub(super) g: Vec<F128>,
    pub(super) bias: Option<F128>,
    /// The trees of weights and bias, for the second forest.
    pub(super) trees: Vec<Tree<'a>>,
    /// Claims on `G + 1`.
    pub(super) on_g: Vec<EvaluationClaim<F128>>,
}

impl<'a> Relation<'a> {
    /// Sends the products; adds the trees that take them apart.
    pub(super) fn begin(
        channel: &mut ProverChannel,
        graph: &'a Graph,
        matmul: &'a MatMul,
        drawn: Drawn,
        indices: &'a [Cow<'_, [u8]>],
        trees: &mut Vec<Tree<'a>>,
        roots: &mut Vec<RootClaim<F128>>,
    ) -> Self {
        let shape = &graph.weights[matmul.weights];
        let (k, n, rows) = (shape.k, shape.n, matmul.rows);
        let row_point = channel.challenges("rows", log2_ceil(rows));

        let tables = drawn.weight_tables(matmul, shape);
        let (of_weights, of_bias) = tables.split_at(1);
        let chunk = core::slice::from_ref(&matmul.w);
        let weights = look_up(k, shape.columns(), of_weights, chunk, indices);
        let g = weights.outputs().to_vec();
        let mut own = vec![weights];
        if !matmul.bias.is_empty() {
            own.push(look_up(1, n, of_bias, &matmul.bias, indices));
        }
        let bias = own.get(1).map(|tree| tree.outputs()[0]);

        let tables: Vec<_> = powers(&g, &matmul.x).collect();
        let x = look_up(rows, k, &tables, &matmul.x, indices);
        let y = look_up(rows, n, &drawn.output_tables(matmul), &matmul.output_chunks(), indices);
        let mut claim = |label, tree: Tree<'a>, row_point: &[F128]| {
            let value = extension(tree.outputs(), row_point);
            channel.send(label, value);
            trees.push(tree);
            roots.push(RootClaim { row_point: row_point.to_vec(), value });
        };
        claim("input rows", x, &row_point);
        claim("output rows", y, &row_point);
        if matmul.x_offset > 0 {
            let sum = Tree::new(BoxShape { rows: 1, cols: k, fan_in: 1 }, g.clone());
            claim("sum of G", sum, &[]);
        }
        if let Some(value) = bias {
            channel.send("bias product", value);
        }
        Self { matmul, shape, drawn, g, bias, trees: own, on_g: Vec::new() }
    }

    fn k_vars(&self) -> usize {
        log2_ceil(self.shape.k)
    }

    /// `G + 1`, which is zero beyond its length.
    fn shifted(&self) -> Vec<F128> {
        self.g.iter().map(|&g| g + F128::ONE).collect()
    }

    /// All claims on `G + 1` become one.
    pub(super) fn claim_on_g(&self, channel: &mut ProverChannel) -> RootClaim<F128> {
        let common = claims::prove(channel, self.k_vars(), &[&self.shifted()], &self.on_g);
        RootClaim { row_point: common.point, value: common.values[0] + F128::ONE }
    }
}

/// Claims on tables of powers of `G` become claims on `G`.
///
/// With `L_s = 1 + sigma_s (G + 1)^(2^(o + s))`, a claim is a product sumcheck over one column.
pub(super) fn prove_g_tables(
    channel: &mut ProverChannel,
    relations: &mut [Relation<'_>],
    inputs: &[Vec<TableClaim<F128>>],
) {
    let mut instances = Vec::new();
    for (relation, claims) in relations.iter().zip(inputs) {
        let rows = relation.shape.k;
        let mut power = relation.shifted();
        for (chunk, claim) in relation.matmul.x.iter().zip(claims) {
            let mut factors = Vec::with_capacity(rows * chunk.width());
            for &sigma in &claim.index_point {
                factors.extend(power.iter().map(|&p| F128::ONE + sigma * p));
                power.iter_mut().for_each(|p| *p = p.square());
            }
            let claim = LeafClaim {
                row_point: claim.col_point.clone(),
                col_point: Vec::new(),
                values: vec![claim.table + F128::ONE],
            };
            let shape = BoxShape { rows, cols: 1, fan_in: chunk.width() };
            instances.push(BoxProduct::new(shape, factors, &claim));
        }
    }
    let mut batch: Vec<&mut dyn Instance> =
        instances.iter_mut().map(|i| i as &mut dyn Instance).collect();
    let challenges = sumcheck::prove(channel, &mut batch);
    for relation in relations {
        let own = &challenges[challenges.len() - relation.k_vars()..];
        let tau: Vec<F128> = own.iter().rev().copied().collect();
        let eq = kernels::eq_table(&tau);
        let mut power = relation.shifted();
        let n_bits: u32 = relation.matmul.x.iter().map(|c| c.bits).sum();
        let mut values = Vec::with_capacity(n_bits as usize);
        for t in 0..n_bits {
            let value = kernels::inner_product(&power, &eq[..power.len()]);
            values.push(value.inverse_frobenius(t));
            power.iter_mut().for_each(|p| *p = p.square());
        }
        channel.send_many("powers of G", &values);
        let points = frobenius_points(&tau, n_bits).into_iter().zip(values);
        let claim = |(point, value)| EvaluationClaim { vector: 0, point, value };
        relation.on_g.extend(points.map(claim));
    }
}
