//! The verifier's side of factors of rows: from powers of a relation's products to claims on the products.
//!
//! With `P` the products of the outer operand, less its offset, and `Q` those of the outputs, both sides of
//! `prod_s (1 + b_s (P + 1)^(2^s)) = Q P^(2^m)` are claimed to have one extension at a random point. One batch over rows
//! ends at `tau`, where the prover sends `Q` and, for each bit, `sum_i eq(tau^(2^-s), i) b_s(i) (P_i + 1)`. Their sum by
//! powers of a challenge is an inner product of `P + 1` with public weights: a second batch ends in one claim on `P`.

use binfer_field::F128;
use binfer_iop::channel::{Element, SoundnessTerm, VerifierChannel, VerifyError};
use binfer_iop::multilinear::{eq, log2_ceil, prefix_indicator};
use binfer_iop::product::{BoxShape, RootClaim};
use binfer_iop::sumcheck::{self, Shape};

use super::relation::{Relation, inside};
use super::{MALFORMED, Statement, next};
use crate::argument::bases::Drawn;
use crate::argument::plan::{MatMul, RowFactors};

/// What is open of a relation with factors of rows until its trees' roots are claimed.
pub(super) struct Powers<'a, E> {
    factors: &'a RowFactors,
    row_point: Vec<F128>,
    /// The claimed extension of either side, less one in each row.
    value: E,
    /// By what the products are multiplied for the outer operand's offset.
    scale: E,
    /// The outputs' products, where the verifier holds them.
    outputs: Option<Vec<F128>>,
    /// Where the claims on the relation's trees start.
    first_root: usize,
}

/// Receives both sides' extension; adds the trees, whose roots are claimed later.
pub(super) fn begin<'a, C: VerifierChannel>(
    channel: &mut C,
    statement: &Statement<'a>,
    matmul: &'a MatMul,
    factors: &'a RowFactors,
    drawn: Drawn,
    shapes: &mut Vec<BoxShape>,
    roots: &mut Vec<RootClaim<C::Elem>>,
) -> Result<Relation<'a, C::Elem>, VerifyError> {
    let (products, one) = (matmul.output.products, C::Elem::from(F128::ONE));
    let row_point = channel.challenges("rows", log2_ceil(products));
    let first_root = roots.len();
    let mut tree = |rows, cols, fan_in, value| {
        shapes.push(BoxShape { rows, cols, fan_in });
        roots.push(RootClaim { row_point: Vec::new(), value });
    };
    tree(products, matmul.n_g(), matmul.outer.len(), one);
    let outputs = match matmul.output.public {
        Some(matrix) => {
            let matrix = statement.plan.matrices.get(matrix).ok_or(MALFORMED)?;
            let values = statement.public_values(matrix)?;
            Some(drawn.public_products(&matmul.output, matrix, values))
        }
        None => {
            tree(products, matmul.output.bases, matmul.output.factors.len(), one);
            None
        }
    };
    let scale = if matmul.has_sum() {
        let sum = channel.receive("sum of G")?;
        let scale = channel.receive("scale of rows")?;
        let offset = sum.pow(matmul.outer_offset.unsigned_abs());
        channel.assert_zero("scale of rows", offset * scale + one)?;
        tree(1, matmul.n_g(), 1, sum);
        scale
    } else {
        one
    };
    let value = channel.receive("powers of rows")?;
    let powers = Powers { factors, row_point, value, scale, outputs, first_root };
    Ok(Relation {
        matmul,
        shape: None,
        drawn,
        g: None,
        bias: None,
        powers: Some(powers),
        on_g: Vec::new(),
    })
}

/// Claims the roots of the trees of all relations with factors of rows.
pub(super) fn verify_powers<C: VerifierChannel>(
    channel: &mut C,
    relations: &[Relation<'_, C::Elem>],
    roots: &mut [RootClaim<C::Elem>],
) -> Result<(), VerifyError> {
    let powered = || relations.iter().filter_map(|r| r.powers.as_ref().map(|powers| (r, powers)));
    let mut instances = Vec::new();
    for (relation, Powers { factors, value, .. }) in powered() {
        let n_vars = log2_ceil(relation.matmul.output.products);
        let degree = (factors.bits as usize).saturating_add(1);
        instances.push((*value, Shape { n_vars, degree }));
        let degree = if factors.shift.is_some() { 3 } else { 2 };
        instances.push((*value, Shape { n_vars, degree }));
    }
    if instances.is_empty() {
        return Ok(());
    }
    let reduced = sumcheck::verify(channel, &instances)?;
    let mut weights = reduced.weights.iter();
    let one = C::Elem::from(F128::ONE);
    let mut expected = C::Elem::from(F128::ZERO);
    let mut claims = Vec::new();
    for (relation, powers) in powered() {
        let Powers { factors, row_point, outputs, first_root, .. } = powers;
        let products = relation.matmul.output.products;
        let tau: Vec<F128> = reduced.point(log2_ceil(products)).iter().rev().copied().collect();
        let within = prefix_indicator(&tau, products);
        let values = channel.receive_many("powers of products", factors.claims())?;
        let outputs = match outputs {
            Some(outputs) => C::Elem::from(inside(outputs, &tau)),
            None => {
                let value = channel.receive("output rows")?;
                let root = roots.get_mut(first_root.saturating_add(1)).ok_or(MALFORMED)?;
                *root = RootClaim { row_point: tau.clone(), value };
                value + C::Elem::from(F128::ONE + within)
            }
        };
        // Q + 1, and both sides less one.
        let (left, right) = relation.drawn.constants(relation.matmul);
        let outputs = outputs * (right * left.invert()) + C::Elem::from(within);
        let mut bits = one;
        for (s, value) in (0..factors.bits).zip(&values) {
            bits = bits * (value.frobenius(s) + one);
        }
        let mut other = outputs + one;
        if let Some((shift, value)) = factors.shift.zip(values.last()) {
            other = other * (value.frobenius(shift) + one);
        }
        for side in [bits, other] {
            expected += (side + one) * (*next(&mut weights)? * eq(row_point, &tau));
        }
        claims.push((relation, powers, tau, values));
    }
    channel.assert_zero("powers of rows", reduced.claim + expected)?;

    for (relation, powers, tau, values) in claims {
        let products = relation.matmul.output.products;
        let n_vars = log2_ceil(products);
        let rho = channel.challenge("powers batching");
        let degree = values.len().saturating_sub(1) as f64;
        if degree > 0.0 {
            channel.soundness(SoundnessTerm::schwartz_zippel("powers batching", degree));
        }
        let sum = values.iter().rev().fold(C::Elem::from(F128::ZERO), |sum, &v| sum * rho + v);
        let reduced = sumcheck::verify(channel, &[(sum, Shape { n_vars, degree: 2 })])?;
        let value = channel.receive("input rows")?;
        let point = reduced.challenges;
        let weight = inside(&powers.factors.weights(&tau, rho), &point);
        // P + 1.
        let within = prefix_indicator(&point, products);
        let shifted = value + C::Elem::from(F128::ONE + within);
        let shifted = shifted * powers.scale + C::Elem::from(within);
        channel.assert_zero("input rows", reduced.claim + shifted * weight)?;
        let root = roots.get_mut(powers.first_root).ok_or(MALFORMED)?;
        *root = RootClaim { row_point: point, value };
    }
    Ok(())
}
