//! The prover's side of one sum or maximum: its trees and opening message, and its leaves.

use binfer_field::{F128, kernels};
use binfer_iop::channel::ProverChannel;
use binfer_iop::multilinear::{log2_ceil, prefix_indicator};
use binfer_iop::product::{LeafClaim, RootClaim, Tree};

use super::factors::{Powered, Powers};
use super::step::{LookedUp, extension, look_up};
use super::{LEAF, Prover};
use crate::argument::bases::Drawn;
use crate::argument::indices::Indices;
use crate::argument::plan::{Power, Sum, SumTree};

/// What a check is made of before anything is said of it, so that those of a group are made beside each other.
pub(super) struct Made<'a> {
    sum: &'a Sum,
    drawn: Drawn,
    /// The trees of powers, and those of other terms.
    powers: Vec<Tree<'a>>,
    others: Vec<Tree<'a>>,
    /// The tree of hidden outputs, or the products of public ones.
    outputs: Result<Tree<'a>, Vec<F128>>,
}

impl<'a> Made<'a> {
    /// Builds all trees of a check.
    pub(super) fn new(
        prover: &Prover<'a>,
        (sum, drawn): (&'a Sum, Drawn),
        indices: &'a Indices<'_>,
    ) -> Self {
        let rows = sum.output.products;
        let of = |tree: &SumTree| look_up(rows, &drawn.sum_tables(tree), &tree.factors, indices);
        let powers = sum.powers.iter().map(|power| of(&power.tree)).collect();
        let others = sum.trees.iter().map(of).collect();
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
        Self { sum, drawn, powers, others, outputs }
    }
}

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
        made: Made<'a>,
        indices: &Indices<'_>,
        trees: &mut Vec<Tree<'a>>,
        roots: &mut Vec<RootClaim<F128>>,
    ) -> Self {
        let rows = made.sum.output.products;
        let row_point = channel.challenges("rows", log2_ceil(rows));
        if made.sum.is_open() {
            return Self::with_powers(channel, made, row_point, indices, trees, roots);
        }
        let Made { sum, drawn, others, outputs, .. } = made;
        let value = match &outputs {
            Ok(tree) => extension(tree.outputs(), &row_point),
            Err(products) => extension(products, &row_point),
        };
        if outputs.is_ok() {
            channel.send("sum rows", value);
        }
        let outside = F128::ONE + prefix_indicator(&row_point, rows);
        let of_tree = (value + outside) * drawn.sum_constant(sum).invert() + outside;
        for tree in others {
            trees.push(tree);
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
        made: Made<'a>,
        row_point: Vec<F128>,
        indices: &Indices<'_>,
        trees: &mut Vec<Tree<'a>>,
        roots: &mut Vec<RootClaim<F128>>,
    ) -> Self {
        let Made { sum, drawn, powers, others, outputs } = made;
        let mut add = |tree: Tree<'a>| {
            let (number, products) = (trees.len(), tree.outputs().to_vec());
            trees.push(tree);
            roots.push(RootClaim { row_point: Vec::new(), value: F128::ONE });
            (number, products)
        };
        let powered = |(Power { exponent, .. }, tree): (&'a Power, Tree<'a>)| {
            let (root, products) = add(tree);
            Powered::new(exponent, products, indices, root)
        };
        let powered = sum.powers.iter().zip(powers).map(powered).collect();
        let others = others.into_iter().map(&mut add).collect();
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

    /// The leaves of all trees with their tables.
    pub(super) fn looked_up(
        &self,
        leaves: &mut impl Iterator<Item = LeafClaim<F128>>,
    ) -> Vec<LookedUp<'_, 'a>> {
        let mut all = Vec::new();
        for tree in self.sum.all_trees() {
            let tables = self.drawn.sum_tables(tree);
            all.push(LookedUp { tables, factors: &tree.factors, leaf: leaves.next().expect(LEAF) });
        }
        if self.sum.output.public.is_none() {
            let (tables, factors) =
                (self.drawn.output_tables(&self.sum.output), &self.sum.output.factors[..]);
            all.push(LookedUp { tables, factors, leaf: leaves.next().expect(LEAF) });
        }
        all
    }
}
