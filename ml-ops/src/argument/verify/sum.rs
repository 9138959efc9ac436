//! The verifier's side of one sum or maximum: its opening message, and its leaves.

use binfer_field::F128;
use binfer_iop::channel::{Blank, Element, VerifierChannel, VerifyError};
use binfer_iop::multilinear::{log2_ceil, prefix_indicator};
use binfer_iop::product::{BoxShape, LeafClaim, RootClaim};

use super::factors::{OutputProducts, Powered, Powers, open_root};
use super::relation::inside;
use super::step::TableStep;
use super::{MALFORMED, Statement, next};
use crate::argument::bases::Drawn;
use crate::argument::plan::{Factor, Power, Sum};

/// One repetition of a check that products of trees are the outputs'.
pub(super) struct SumCheck<'a, E> {
    pub(super) sum: &'a Sum,
    pub(super) drawn: Drawn,
    /// What is open of it where trees are multiplied.
    pub(super) powers: Option<Powers<'a, E>>,
}

impl<'a, E: Element> SumCheck<'a, E> {
    /// Receives the outputs' products, which give those of every tree; adds the trees that take them apart.
    pub(super) fn begin<C: VerifierChannel<Elem = E>>(
        channel: &mut C,
        statement: &Statement<'a>,
        (sum, drawn): (&'a Sum, Drawn),
        shapes: &mut Vec<BoxShape>,
        roots: &mut Vec<RootClaim<E>>,
    ) -> Result<Self, VerifyError> {
        let rows = sum.output.products;
        let row_point = channel.challenges("rows", log2_ceil(rows));
        // What the verifier holds it computes itself.
        let known = match sum.output.public {
            Some(matrix) => {
                let matrix = statement.plan.matrices.get(matrix).ok_or(MALFORMED)?;
                let values = statement.public_values(matrix)?;
                Some(drawn.public_products(&sum.output, matrix, values))
            }
            None => None,
        };
        if sum.is_open() {
            return Self::with_powers(channel, (sum, drawn), row_point, known, shapes, roots);
        }
        let outside = C::Elem::from(F128::ONE + prefix_indicator(&row_point, rows));
        let outputs = match &known {
            Some(products) => C::Elem::from(inside(products, &row_point)) + outside,
            None => channel.receive("sum rows")?,
        };
        // tree_r constant = outputs_r on the rows, and all are one beyond them.
        let of_tree = (outputs + outside) * drawn.sum_constant(sum).invert() + outside;
        let mut tree = |factors: &[Factor], value| {
            let cols = factors.first().map_or(0, Factor::all_cols);
            shapes.push(BoxShape { rows, cols, fan_in: factors.len() });
            roots.push(RootClaim { row_point: row_point.clone(), value });
        };
        for summands in &sum.trees {
            tree(&summands.factors, of_tree);
        }
        if sum.output.public.is_none() {
            tree(&sum.output.factors, outputs);
        }
        Ok(Self { sum, drawn, powers: None })
    }

    /// Receives both sides' extension where trees are multiplied; adds the trees, whose roots are claimed later.
    fn with_powers<C: VerifierChannel<Elem = E>>(
        channel: &mut C,
        (sum, drawn): (&'a Sum, Drawn),
        row_point: Vec<F128>,
        known: Option<Vec<F128>>,
        shapes: &mut Vec<BoxShape>,
        roots: &mut Vec<RootClaim<E>>,
    ) -> Result<Self, VerifyError> {
        let (products, one) = (sum.output.products, E::from(F128::ONE));
        let value = channel.receive("powers of rows")?;
        let mut tree = |factors: &[Factor]| {
            let cols = factors.first().map_or(0, Factor::all_cols);
            open_root(shapes, roots, [products, cols, factors.len()], one)
        };
        let powered = |Power { tree: of, exponent }: &'a Power| {
            let root = tree(&of.factors);
            Powered { exponent, scale: one, root }
        };
        let powered = sum.powers.iter().map(powered).collect();
        let others = sum.trees.iter().map(|of| tree(&of.factors)).collect();
        let outputs = match known {
            Some(outputs) => OutputProducts::Known(outputs),
            None => OutputProducts::Root(tree(&sum.output.factors)),
        };
        let constant = drawn.sum_constant(sum).invert();
        let powers = Powers { products, row_point, value, powered, others, outputs, constant };
        Ok(Self { sum, drawn, powers: Some(powers) })
    }

    /// Adds the factors of all leaves.
    pub(super) fn push(
        &self,
        step: &mut TableStep<'a>,
        leaves: &mut impl Iterator<Item = LeafClaim<Blank>>,
    ) -> Result<(), VerifyError> {
        for tree in self.sum.all_trees() {
            step.push(&tree.factors, next(leaves)?);
        }
        if self.sum.output.public.is_none() {
            step.push(&self.sum.output.factors, next(leaves)?);
        }
        Ok(())
    }
}
