//! The prover's side of one sum or maximum: its trees and opening message, and its leaves.

use binfer_field::F128;
use binfer_iop::channel::ProverChannel;
use binfer_iop::multilinear::{log2_ceil, prefix_indicator};
use binfer_iop::product::{LeafClaim, RootClaim, Tree};

use super::LEAF;
use super::step::{TableStep, extension, look_up};
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
        (sum, drawn): (&'a Sum, Drawn),
        indices: &'a Indices<'_>,
        trees: &mut Vec<Tree<'a>>,
        roots: &mut Vec<RootClaim<F128>>,
    ) -> Self {
        let rows = sum.output.products;
        let row_point = channel.challenges("rows", log2_ceil(rows));
        let tables = drawn.output_tables(&sum.output);
        let outputs = look_up(rows, &tables, &sum.output.factors, indices);
        let value = extension(outputs.outputs(), &row_point);
        channel.send("sum rows", value);
        let outside = F128::ONE + prefix_indicator(&row_point, rows);
        let of_tree = (value + outside) * drawn.sum_constant(sum).invert() + outside;
        for tree in &sum.trees {
            trees.push(look_up(rows, &drawn.sum_tables(tree), &tree.factors, indices));
            roots.push(RootClaim { row_point: row_point.clone(), value: of_tree });
        }
        trees.push(outputs);
        roots.push(RootClaim { row_point, value });
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
        let tables = self.drawn.output_tables(&self.sum.output);
        step.push(&tables, &self.sum.output.factors, indices, leaves.next().expect(LEAF));
    }
}
