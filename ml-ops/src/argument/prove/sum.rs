//! The prover's side of one sum or maximum: its trees and opening message, and its leaves.

use binfer_field::F128;
use binfer_iop::channel::ProverChannel;
use binfer_iop::multilinear::{log2_ceil, prefix_indicator};
use binfer_iop::product::{LeafClaim, RootClaim, Tree};

use super::step::{TableStep, extension, look_up};
use super::{LEAF, Prover};
use crate::argument::bases::Drawn;
use crate::argument::indices::Indices;
use crate::argument::plan::Sum;

/// One repetition of a check that products of trees are the outputs'.
pub(super) struct SumCheck<'a> {
    sum: &'a Sum,
    drawn: Drawn,
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
        Self { sum, drawn }
    }

    /// Adds the factors of all leaves.
    pub(super) fn push(
        &self,
        step: &mut TableStep<'a>,
        indices: &Indices<'_>,
        leaves: &mut impl Iterator<Item = LeafClaim<F128>>,
    ) {
        for tree in &self.sum.trees {
            let tables = self.drawn.sum_tables(tree);
            step.push(&tables, &tree.factors, indices, leaves.next().expect(LEAF));
        }
        if self.sum.output.public.is_none() {
            let tables = self.drawn.output_tables(&self.sum.output);
            step.push(&tables, &self.sum.output.factors, indices, leaves.next().expect(LEAF));
        }
    }
}
