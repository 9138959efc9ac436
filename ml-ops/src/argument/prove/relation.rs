//! The prover's side of one matmul: its trees and opening messages, and its claims on `G`.

use binfer_field::{F128, kernels};
use binfer_iop::channel::ProverChannel;
use binfer_iop::claims::{self, EvaluationClaim};
use binfer_iop::indexed::table::TableClaim;
use binfer_iop::multilinear::log2_ceil;
use binfer_iop::product::{BoxProduct, BoxShape, LeafClaim, RootClaim, Tree};
use binfer_iop::sumcheck::{self, Instance};

use super::Prover;
use super::factors::{Powered, Powers};
use super::step::{RANDOM_POINT, extension, look_up};
use crate::argument::bases::{Drawn, frobenius_points, powers};
use crate::argument::indices::Indices;
use crate::argument::plan::MatMul;
use crate::graph::WeightShape;

/// One repetition of a matmul's check in the middle of the protocol.
pub(super) struct Relation<'a> {
    pub(super) matmul: &'a MatMul,
    /// Of the weights, if there are any.
    pub(super) shape: Option<&'a WeightShape>,
    pub(super) drawn: Drawn,
    /// `G`, with that of the bias's columns.
    pub(super) g: Vec<F128>,
    pub(super) bias: Option<F128>,
    /// What is open of it where it has factors of rows.
    pub(super) powers: Option<Powers<'a>>,
    /// The trees of the inner operand and of a bias apart, for the second forest.
    pub(super) trees: Vec<Tree<'a>>,
    /// Claims on `G + 1`.
    pub(super) on_g: Vec<EvaluationClaim<F128>>,
}

/// What a relation is made of before anything is said of it, so that those of a group are made beside each other.
pub(super) struct Made<'a> {
    matmul: &'a MatMul,
    shape: Option<&'a WeightShape>,
    drawn: Drawn,
    g: Vec<F128>,
    /// The trees of the inner operand and of a bias apart.
    own: Vec<Tree<'a>>,
    bias: Option<F128>,
    /// The trees of the outer operand and of hidden outputs.
    outer: Tree<'a>,
    outputs: Option<Tree<'a>>,
}

impl<'a> Made<'a> {
    /// Builds all trees of a relation.
    pub(super) fn new(
        prover: &Prover<'a>,
        (matmul, drawn): (&'a MatMul, Drawn),
        indices: &'a Indices<'_>,
    ) -> Self {
        let shape = matmul.weights.map(|weights| &prover.graph.weights[weights]);
        let products = matmul.output.products;
        let mut own = Vec::new();
        let g = match matmul.public_inner {
            Some(x) => {
                drawn.public_products(&matmul.output, &prover.plan.matrices[x], &prover.tensors[x])
            }
            None => {
                let tables = drawn.inner_tables(matmul, shape);
                let inner = look_up(matmul.k, &tables, &matmul.inner, indices);
                let g = inner.outputs().to_vec();
                own.push(inner);
                g
            }
        };
        let g = drawn.g(matmul, g);
        let bias = (!matmul.bias.is_empty()).then(|| {
            let tree = look_up(1, &drawn.bias_tables(matmul), &matmul.bias, indices);
            let value = tree.outputs()[0];
            own.push(tree);
            value
        });
        let tables: Vec<_> = powers(&g, &matmul.outer).collect();
        let outer = look_up(products, &tables, &matmul.outer, indices);
        let outputs = matmul.output.public.is_none().then(|| {
            let tables = drawn.output_tables(&matmul.output);
            look_up(products, &tables, &matmul.output.factors, indices)
        });
        Self { matmul, shape, drawn, g, own, bias, outer, outputs }
    }
}

impl<'a> Relation<'a> {
    /// Sends the products; adds the trees that take them apart.
    pub(super) fn begin(
        channel: &mut ProverChannel,
        prover: &Prover<'a>,
        made: Made<'a>,
        indices: &Indices<'_>,
        trees: &mut Vec<Tree<'a>>,
        roots: &mut Vec<RootClaim<F128>>,
    ) -> Self {
        let Made { matmul, shape, drawn, g, own, bias, outer, outputs } = made;
        let row_point = channel.challenges("rows", log2_ceil(matmul.output.products));
        let relation =
            Self { matmul, shape, drawn, g, bias, powers: None, trees: own, on_g: Vec::new() };
        if matmul.row_factors.is_some() {
            let made = (outer, outputs);
            return relation.with_powers(channel, prover, row_point, made, indices, trees, roots);
        }
        let mut claim = |label, tree: Tree<'a>, row_point: &[F128]| {
            let value = extension(tree.outputs(), row_point);
            channel.send(label, value);
            trees.push(tree);
            roots.push(RootClaim { row_point: row_point.to_vec(), value });
        };
        claim("input rows", outer, &row_point);
        if let Some(outputs) = outputs {
            claim("output rows", outputs, &row_point);
        }
        if matmul.has_sum() {
            let shape = BoxShape { rows: 1, cols: relation.g.len(), fan_in: 1 };
            claim("sum of G", Tree::new(shape, relation.g.clone()), &[]);
        }
        if let Some(value) = bias {
            channel.send("bias product", value);
        }
        relation
    }

    /// Adds the trees of a relation with factors of rows, those of its outer operand and of hidden outputs, and claims powers of
    /// their products instead of them.
    #[expect(clippy::too_many_arguments, reason = "what the beginning of a relation is given")]
    fn with_powers(
        mut self,
        channel: &mut ProverChannel,
        prover: &Prover<'a>,
        row_point: Vec<F128>,
        (outer, hidden): (Tree<'a>, Option<Tree<'a>>),
        indices: &Indices<'_>,
        trees: &mut Vec<Tree<'a>>,
        roots: &mut Vec<RootClaim<F128>>,
    ) -> Self {
        let Some(exponent) = &self.matmul.row_factors else { return self };
        let output = &self.matmul.output;
        let first_root = trees.len();
        let mut products = outer.outputs().to_vec();
        trees.push(outer);
        let mut outputs = match output.public {
            Some(y) => {
                let (matrix, values) = (&prover.plan.matrices[y], &prover.tensors[y]);
                self.drawn.public_products(output, matrix, values)
            }
            None => hidden.iter().flat_map(Tree::outputs).copied().collect(),
        };
        trees.extend(hidden);
        if self.matmul.has_sum() {
            let n = self.g.len();
            let sum = Tree::new(BoxShape { rows: 1, cols: n, fan_in: 1 }, self.g.clone());
            channel.send("sum of G", sum.outputs()[0]);
            let offset = sum.outputs()[0].pow(self.matmul.outer_offset.unsigned_abs().into());
            let scale = offset.invert();
            channel.send("scale of rows", scale);
            kernels::scale(&mut products, scale);
            trees.push(sum);
        }
        let claimed =
            |tree: &Tree<'_>| RootClaim { row_point: Vec::new(), value: tree.outputs()[0] };
        roots.extend(trees[first_root..].iter().map(claimed));
        let (left, right) = self.drawn.constants(self.matmul);
        kernels::scale(&mut outputs, right * left.invert());
        let root = output.public.is_none().then_some(first_root + 1);
        let powered = vec![Powered::new(exponent, products, indices, first_root)];
        let powers = Powers::begin(channel, row_point, powered, Vec::new(), (root, outputs));
        self.powers = Some(powers);
        self
    }

    /// `G + 1`, which is zero beyond its length.
    fn shifted(&self) -> Vec<F128> {
        self.g.iter().map(|&g| g + F128::ONE).collect()
    }

    /// All claims on `G + 1` become one, on the products of the inner operand.
    pub(super) fn claim_on_g(&self, channel: &mut ProverChannel) -> RootClaim<F128> {
        let n_vars = self.matmul.g_vars();
        let common = claims::prove(channel, n_vars, &[&self.shifted()], &self.on_g);
        let claim = self.drawn.inner_claim(self.matmul, &common);
        claim.expect(RANDOM_POINT)
    }
}

/// Claims on tables of powers of hidden `G` become claims on `G`.
///
/// With `L_s = 1 + sigma_s (G + 1)^(2^(o + s))`, a claim is a product sumcheck over one column.
pub(super) fn prove_g_tables(
    channel: &mut ProverChannel,
    relations: &mut [Relation<'_>],
    inputs: &[Vec<TableClaim<F128>>],
) {
    let mut instances = Vec::new();
    let hidden = |relation: &Relation<'_>| relation.matmul.public_inner.is_none();
    for (relation, claims) in relations.iter().zip(inputs).filter(|(r, _)| hidden(r)) {
        let rows = relation.matmul.n_g();
        let mut power = relation.shifted();
        for (factor, claim) in relation.matmul.outer.iter().zip(claims) {
            let mut factors = Vec::with_capacity(rows * factor.chunk.width());
            for &sigma in &claim.index_point {
                factors.extend(power.iter().map(|&p| F128::ONE + sigma * p));
                power.iter_mut().for_each(|p| *p = p.square());
            }
            let claim = LeafClaim {
                row_point: claim.col_point.clone(),
                col_point: Vec::new(),
                weights: Vec::new(),
                values: vec![claim.table + F128::ONE],
            };
            let shape = BoxShape { rows, cols: 1, fan_in: factor.chunk.width() };
            instances.push(BoxProduct::new(shape, factors, &claim));
        }
    }
    if instances.is_empty() {
        return;
    }
    let mut batch: Vec<&mut dyn Instance> =
        instances.iter_mut().map(|i| i as &mut dyn Instance).collect();
    let challenges = sumcheck::prove(channel, &mut batch);
    for relation in relations.iter_mut().filter(|r| hidden(r)) {
        let own = &challenges[challenges.len() - relation.matmul.g_vars()..];
        let tau: Vec<F128> = own.iter().rev().copied().collect();
        let eq = kernels::eq_table(&tau);
        let mut power = relation.shifted();
        let n_bits = relation.matmul.outer_bits();
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
