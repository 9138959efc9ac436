//! The verifier's side of one matmul: its opening messages, and its claims on `G`.

use std::sync::Arc;

use binfer_field::{F128, kernels};
use binfer_iop::channel::{Blank, Element, VerifierChannel, VerifyError};
use binfer_iop::claims::{self, EvaluationClaim};
use binfer_iop::indexed::table::TableClaim;
use binfer_iop::multilinear::{eq, log2_ceil, prefix_indicator};
use binfer_iop::product::{BoxShape, RootClaim};
use binfer_iop::sumcheck::{self, Shape};

use super::factors::{self, Powers};
use super::{MALFORMED, Statement, next};
use crate::argument::bases::{Drawn, frobenius_points};
use crate::argument::plan::MatMul;
use crate::graph::WeightShape;

/// One repetition of a matmul's check in the middle of the protocol.
pub(super) struct Relation<'a, E> {
    pub(super) matmul: &'a MatMul,
    /// Of the weights, if there are any.
    pub(super) shape: Option<&'a WeightShape>,
    pub(super) drawn: Arc<Drawn>,
    /// `G`, with that of the bias's columns, where the inner operand is public.
    pub(super) g: Option<Arc<[F128]>>,
    /// The claimed product of the bias, where there is one.
    pub(super) bias: Option<E>,
    /// What is open of it where it has factors of rows.
    pub(super) powers: Option<Powers<'a, E>>,
    /// Claims on `G + 1`.
    pub(super) on_g: Vec<EvaluationClaim<E>>,
}

impl<'a, E: Element> Relation<'a, E> {
    /// Receives the products and checks the relation between them; adds the trees that take them
    /// apart.
    pub(super) fn begin<C: VerifierChannel<Elem = E>>(
        channel: &mut C,
        statement: &Statement<'a>,
        matmul: &'a MatMul,
        drawn: Drawn,
        shapes: &mut Vec<BoxShape>,
        roots: &mut Vec<RootClaim<E>>,
    ) -> Result<Self, VerifyError> {
        if let Some(of_rows) = &matmul.row_factors {
            return factors::begin(channel, statement, matmul, of_rows, drawn, shapes, roots);
        }
        let of_graph = |weights| statement.graph.weights.get(weights).ok_or(MALFORMED);
        let shape = matmul.weights.map(of_graph).transpose()?;
        let products = matmul.output.products;
        let row_point = channel.challenges("rows", log2_ceil(products));
        let x = channel.receive("input rows")?;
        let mut receive = |wanted: bool, label| wanted.then(|| channel.receive(label)).transpose();
        let y = receive(matmul.output.public.is_none(), "output rows")?;
        let sum = receive(matmul.has_sum(), "sum of G")?;
        let bias = receive(!matmul.bias.is_empty(), "bias product")?;

        // What the verifier holds it computes itself.
        let public = |matrix: usize| -> Result<Vec<F128>, VerifyError> {
            let matrix = statement.plan.matrices.get(matrix).ok_or(MALFORMED)?;
            Ok(drawn.public_products(&matmul.output, matrix, statement.public_values(matrix)?))
        };
        let g: Option<Arc<[F128]>> =
            matmul.public_inner.map(public).transpose()?.map(|inner| drawn.g(matmul, inner).into());
        let outputs = matmul.output.public.map(public).transpose()?;
        let outputs = outputs.map(|outputs| E::from(inside(&outputs, &row_point)));

        // prod_k G_k^(outer_rk) bias h^(y offset) k^W
        //     = outputs_r (prod_k G_k)^(outer offset) h^(bias offset).
        let one = E::from(F128::ONE);
        let outside = E::from(F128::ONE + prefix_indicator(&row_point, products));
        let (left, right) = drawn.constants(matmul);
        let left = (x + outside) * bias.unwrap_or(one) * left;
        let known = || g.as_ref().map(|g| E::from(g.iter().copied().product::<F128>()));
        let all_g = sum.or_else(known);
        let power = all_g.map_or(one, |g| g.pow(matmul.outer_offset.unsigned_abs()));
        let committed = y.map(|y| y + outside);
        let right = committed.or(outputs).ok_or(MALFORMED)? * right;
        let negative = matmul.outer_offset < 0;
        let (left, right) = if negative { (left * power, right) } else { (left, right * power) };
        channel.assert_zero("matmul rows", left + right)?;

        let mut tree = |rows, cols, fan_in, row_point: Vec<F128>, value| {
            shapes.push(BoxShape { rows, cols, fan_in });
            roots.push(RootClaim { row_point, value });
        };
        tree(products, matmul.n_g(), matmul.outer.len(), row_point.clone(), x);
        if let Some(y) = y {
            tree(products, matmul.output.bases, matmul.output.factors.len(), row_point, y);
        }
        if let Some(value) = sum {
            tree(1, matmul.n_g(), 1, Vec::new(), value);
        }
        let drawn = Arc::new(drawn);
        Ok(Self { matmul, shape, drawn, g, bias, powers: None, on_g: Vec::new() })
    }

    /// All claims on `G + 1` become one, on the products of the inner operand.
    pub(super) fn claim_on_g<C: VerifierChannel<Elem = E>>(
        &self,
        channel: &mut C,
    ) -> Result<RootClaim<E>, VerifyError> {
        let common = claims::verify(channel, self.matmul.g_vars(), 1, &self.on_g)?;
        let extra_column = VerifyError::CheckFailed { label: "extra column" };
        self.drawn.inner_claim(self.matmul, &common).ok_or(extra_column)
    }
}

/// The part of the extension of rows' products that lies on the rows.
pub(super) fn inside(products: &[F128], row_point: &[F128]) -> F128 {
    kernels::eq_table(row_point).iter().zip(products).map(|(&eq, &product)| eq * product).sum()
}

/// Claims on tables of powers of hidden `G` become claims on `G`: with `u_t = (G + 1)(tau^(2^-t))`,
/// `(T + 1)(sigma) = sum_k eq(sigma_c, k) (1 + prod_s (1 + sigma_s (G_k + 1)^(2^(o + s))))`.
pub(super) fn verify_g_tables<C: VerifierChannel>(
    channel: &mut C,
    relations: &mut [Relation<'_, C::Elem>],
    inputs: &[Vec<(TableClaim<Blank>, C::Elem)>],
) -> Result<(), VerifyError> {
    let mut instances = Vec::new();
    let hidden = |relation: &Relation<'_, C::Elem>| relation.g.is_none();
    for (relation, claims) in relations.iter().zip(inputs).filter(|(r, _)| hidden(r)) {
        for (factor, &(_, table)) in relation.matmul.outer.iter().zip(claims) {
            let degree = factor.chunk.width().saturating_add(1);
            instances.push((table, Shape { n_vars: relation.matmul.g_vars(), degree }));
        }
    }
    if instances.is_empty() {
        return Ok(());
    }
    let reduced = sumcheck::verify(channel, &instances)?;
    let mut weights = reduced.weights.iter();
    let one = C::Elem::from(F128::ONE);
    let mut expected = C::Elem::from(F128::ZERO);
    for (relation, claims) in relations.iter_mut().zip(inputs).filter(|(r, _)| hidden(r)) {
        let tau: Vec<F128> =
            reduced.point(relation.matmul.g_vars()).iter().rev().copied().collect();
        let n_bits = relation.matmul.outer_bits();
        let values = channel.receive_many("powers of G", n_bits as usize)?;
        for (factor, (claim, _)) in relation.matmul.outer.iter().zip(claims) {
            let mut product = one;
            for (t, &sigma) in (factor.chunk.first..).zip(&claim.index_point) {
                let value = values.get(t as usize).ok_or(MALFORMED)?;
                product = product * (value.frobenius(t) * sigma + one);
            }
            let &weight = next(&mut weights)?;
            expected += (product + one) * (weight * eq(&claim.col_point, &tau));
        }
        let points = frobenius_points(&tau, n_bits).into_iter().zip(values);
        let claim = |(point, value)| EvaluationClaim { vector: 0, point, value };
        relation.on_g.extend(points.map(claim));
    }
    channel.assert_zero("tables of G", reduced.claim + expected)
}
