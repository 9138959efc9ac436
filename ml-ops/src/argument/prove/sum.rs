//! The prover's side of one sum or maximum: its trees and opening message, and its leaves.

use binfer_field::{F128, kernels};
use binfer_iop::channel::ProverChannel;
use binfer_iop::multilinear::{log2_ceil, prefix_indicator};
use binfer_iop::product::{LeafClaim, RootClaim, Tree};

use super::factors::{Powered, Powers};
use super::step::{TableStep, extension, look_up};
use super::{LEAF, Prover};
use crate::argument::bases::Drawn;
use crate::argument::indices::Indices;
use crate::argument::plan::{Power, Sum, SumTree};

/// One repetition of a check that products of trees are the outputs'.
pub(super) struct SumCheck<'a> {
    sum: &'a Sum,
    drawn: Drawn,
    /// What is open of it where trees are multiplied.
    pub(super) powers: Option<Powers<'a>>,
}

impl<'a> SumCheck<'a> {
    /// Sends the outputs' products; adds the trees that take them apart.
    pub(super) fn begin(
        channel: &mut ProverChannel,
        prover: &Prover<'a>,
        (sum, drawn): (&'a Sum, Drawn),
        indices: &'a Indices<'_>,
        trees: &mut Vec<Tree<'a>>,
        roots: &mut Vec<RootClaim<F128>>,
    ) -> Self {
        let rows = sum.output.products;
        let row_point = channel.challenges("rows", log2_ceil(rows));
        let outputs = match sum.output.public {
            Some(y) => {
                let matrix = &prover.plan.matrices[y];
                let known = prover.plan.known_values(matrix);
                let values = known.unwrap_or_else(|| &prover.tensors[y]);
                Err(drawn.public_products(&sum.output, matrix, values))
            }
            None => {
                let tables = drawn.output_tables(&sum.output);
                Ok(look_up(rows, &tables, &sum.output.factors, indices))
            }
        };
        if sum.is_open() {
            return Self::with_powers(
                channel,
                (sum, drawn),
                row_point,
                outputs,
                indices,
                trees,
                roots,
            );
        }
        let value = match &outputs {
            Ok(tree) => extension(tree.outputs(), &row_point),
            Err(products) => extension(products, &row_point),
        };
        if outputs.is_ok() {
            channel.send("sum rows", value);
        }
        let outside = F128::ONE + prefix_indicator(&row_point, rows);
        let of_tree = (value + outside) * drawn.sum_constant(sum).invert() + outside;
        for tree in &sum.trees {
            trees.push(look_up(rows, &drawn.sum_tables(tree), &tree.factors, indices));
            roots.push(RootClaim { row_point: row_point.clone(), value: of_tree });
        }
        if let Ok(tree) = outputs {
            trees.push(tree);
            roots.push(RootClaim { row_point, value });
        }
        Self { sum, drawn, powers: None }
    }

    /// Sends both sides' extension where trees are multiplied; adds the trees, whose roots are claimed later.
    fn with_powers(
        channel: &mut ProverChannel,
        (sum, drawn): (&'a Sum, Drawn),
        row_point: Vec<F128>,
        outputs: Result<Tree<'a>, Vec<F128>>,
        indices: &'a Indices<'_>,
        trees: &mut Vec<Tree<'a>>,
        roots: &mut Vec<RootClaim<F128>>,
    ) -> Self {
        let mut add = |tree: Tree<'a>| {
            let (number, products) = (trees.len(), tree.outputs().to_vec());
            trees.push(tree);
            roots.push(RootClaim { row_point: Vec::new(), value: F128::ONE });
            (number, products)
        };
        let of = |tree: &'a SumTree| {
            look_up(sum.output.products, &drawn.sum_tables(tree), &tree.factors, indices)
        };
        let powered = |Power { tree, exponent }: &'a Power| {
            let (root, products) = add(of(tree));
            Powered::new(exponent, products, indices, root)
        };
        let powered = sum.powers.iter().map(powered).collect();
        let others = sum.trees.iter().map(|tree| add(of(tree))).collect();
        let (root, mut products) = match outputs {
            Ok(tree) => {
                let (root, products) = add(tree);
                (Some(root), products)
            }
            Err(products) => (None, products),
        };
        kernels::scale(&mut products, drawn.sum_constant(sum).invert());
        let powers = Powers::begin(channel, row_point, powered, others, (root, products));
        Self { sum, drawn, powers: Some(powers) }
    }

    /// Adds the factors of all leaves.
    pub(super) fn push(
        &self,
        step: &mut TableStep<'a>,
        indices: &Indices<'_>,
        leaves: &mut impl Iterator<Item = LeafClaim<F128>>,
    ) {
        for tree in self.sum.all_trees() {
            let tables = self.drawn.sum_tables(tree);
            step.push(&tables, &tree.factors, indices, leaves.next().expect(LEAF));
        }
        if self.sum.output.public.is_none() {
            let tables = self.drawn.output_tables(&self.sum.output);
            step.push(&tables, &self.sum.output.factors, indices, leaves.next().expect(LEAF));
        }
    }
}
