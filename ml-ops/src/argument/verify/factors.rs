//! The verifier's side of exponents of products: from powers of a relation's products to claims on the products, and on the bits of
//! codes that are exponents.
//!
//! With `P` the products that have exponents, `O` those of other terms and `Q` those of the outputs, both sides of
//! `prod_b (1 + b (P + 1)^(2^t)) O = Q prod_t P^(2^t)` are claimed to have one extension at a random point. One batch over
//! products ends at `tau`, where the prover sends `O`, `Q` and, for each bit, `sum_i eq(tau^(2^-t), i) b(i) (P_i + 1)`. Their sum by
//! powers of a challenge is one of products of `P + 1`, of public weights and of bits: a second batch ends in a claim on `P` and one on
//! each bit.

use std::sync::Arc;

use binfer_field::{F128, kernels};
use binfer_iop::channel::{Blank, Element, SoundnessTerm, VerifierChannel, VerifyError};
use binfer_iop::multilinear::{eq, log2_ceil, powers, prefix_indicator};
use binfer_iop::product::{BoxShape, LeafClaim, RootClaim};
use binfer_iop::sumcheck::{self, Shape};

use super::relation::{Relation, inside};
use super::step::TableStep;
use super::{MALFORMED, Statement, next};
use crate::argument::bases::{Drawn, frobenius_points};
use crate::argument::plan::{Bit, BitOf, Exponent, MatMul};
use crate::argument::tables::Table;

/// What is open of a relation with exponents until its trees' roots are claimed.
pub(in crate::argument) struct Powers<'a, E> {
    pub(in crate::argument) products: usize,
    pub(in crate::argument) row_point: Vec<F128>,
    /// The claimed extension of either side, less one in each row.
    pub(in crate::argument) value: E,
    pub(in crate::argument) powered: Vec<Powered<'a, E>>,
    /// The numbers of the roots of the trees of other terms.
    pub(in crate::argument) others: Vec<usize>,
    pub(in crate::argument) outputs: OutputProducts,
    /// By what the outputs' products are multiplied.
    pub(in crate::argument) constant: F128,
}

/// One tree whose products have exponents.
pub(in crate::argument) struct Powered<'a, E> {
    pub(in crate::argument) exponent: &'a Exponent,
    /// By what the products are multiplied for the outer operand's offset.
    pub(in crate::argument) scale: E,
    /// The number of the tree's root.
    pub(in crate::argument) root: usize,
}

/// The products of the outputs.
pub(in crate::argument) enum OutputProducts {
    /// Where the verifier holds them.
    Known(Vec<F128>),
    /// The number of their tree's root.
    Root(usize),
}

/// Claims on the bits of the codes of exponents, at one point.
pub(in crate::argument) struct BitClaims<'a, E> {
    exponent: &'a Exponent,
    pub(in crate::argument) point: Vec<F128>,
    /// Those of one operand after those of another, lowest first.
    pub(in crate::argument) values: Vec<E>,
}

/// Receives both sides' extension; adds the trees, whose roots are claimed later.
pub(super) fn begin<'a, C: VerifierChannel>(
    channel: &mut C,
    statement: &Statement<'a>,
    matmul: &'a MatMul,
    exponent: &'a Exponent,
    drawn: Drawn,
    shapes: &mut Vec<BoxShape>,
    roots: &mut Vec<RootClaim<C::Elem>>,
) -> Result<Relation<'a, C::Elem>, VerifyError> {
    let (products, one) = (matmul.output.products, C::Elem::from(F128::ONE));
    let row_point = channel.challenges("rows", log2_ceil(products));
    let root = roots.len();
    let mut tree =
        |rows, cols, fan_in, value| open_root(shapes, roots, [rows, cols, fan_in], value);
    tree(products, matmul.n_g(), matmul.outer.len(), one);
    let outputs = match matmul.output.public {
        Some(matrix) => {
            let matrix = statement.plan.matrices.get(matrix).ok_or(MALFORMED)?;
            let values = statement.public_values(matrix)?;
            OutputProducts::Known(drawn.public_products(&matmul.output, matrix, values))
        }
        None => {
            let (bases, factors) = (matmul.output.bases, matmul.output.factors.len());
            OutputProducts::Root(tree(products, bases, factors, one))
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
    let (left, right) = drawn.constants(matmul);
    let constant = right * left.invert();
    let powered = vec![Powered { exponent, scale, root }];
    let powers =
        Powers { products, row_point, value, powered, others: Vec::new(), outputs, constant };
    Ok(Relation {
        matmul,
        shape: None,
        drawn: Arc::new(drawn),
        g: None,
        bias: None,
        powers: Some(powers),
        on_g: Vec::new(),
    })
}

/// Adds a tree of this many rows, columns and factors whose root is claimed at no point yet; returns its number.
pub(super) fn open_root<E>(
    shapes: &mut Vec<BoxShape>,
    roots: &mut Vec<RootClaim<E>>,
    [rows, cols, fan_in]: [usize; 3],
    value: E,
) -> usize {
    let number = roots.len();
    shapes.push(BoxShape { rows, cols, fan_in });
    roots.push(RootClaim { row_point: Vec::new(), value });
    number
}

/// Claims the roots of the trees of all relations with exponents; returns the claims on bits of codes.
pub(in crate::argument) fn verify_powers<'a, C: VerifierChannel>(
    channel: &mut C,
    all: &[&Powers<'a, C::Elem>],
    roots: &mut [RootClaim<C::Elem>],
) -> Result<Vec<BitClaims<'a, C::Elem>>, VerifyError> {
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let claims = verify_sides(channel, all, roots)?;
    if all.iter().all(|powers| powers.powered.is_empty()) {
        return Ok(Vec::new());
    }
    verify_bits(channel, all, &claims, roots)
}

/// A point where powers of products are claimed, and a value for each bit of each exponent.
type Claimed<E> = (Vec<F128>, Vec<Vec<E>>);

/// Both sides of all relations at the point of a batch.
fn verify_sides<C: VerifierChannel>(
    channel: &mut C,
    all: &[&Powers<'_, C::Elem>],
    roots: &mut [RootClaim<C::Elem>],
) -> Result<Vec<Claimed<C::Elem>>, VerifyError> {
    let mut instances = Vec::new();
    for powers in all {
        let n_vars = log2_ceil(powers.products);
        let sides = powers.powered.iter().map(|powered| powered.exponent.sides());
        let (left, right) = sides.fold((0usize, 0usize), |(left, right), [l, r]| {
            (left.saturating_add(l), right.saturating_add(r))
        });
        let left = left.saturating_add(powers.others.len());
        for factors in [left, right.saturating_add(1)] {
            instances.push((powers.value, Shape { n_vars, degree: factors.saturating_add(1) }));
        }
    }
    let reduced = sumcheck::verify(channel, &instances)?;
    let mut weights = reduced.weights.iter();
    let one = C::Elem::from(F128::ONE);
    let mut expected = C::Elem::from(F128::ZERO);
    let mut claims = Vec::with_capacity(all.len());
    for powers in all {
        let n_vars = log2_ceil(powers.products);
        let tau: Vec<F128> = reduced.point(n_vars).iter().rev().copied().collect();
        let within = prefix_indicator(&tau, powers.products);
        let (mut left, mut right) = (one, one);
        let mut values = Vec::with_capacity(powers.powered.len());
        for Powered { exponent, .. } in &powers.powered {
            let bits = &exponent.bits;
            let of_bits = channel.receive_many("powers of products", bits.len())?;
            for (bit, value) in bits.iter().zip(&of_bits) {
                let side = if bit.of == BitOf::One { &mut right } else { &mut left };
                *side = *side * (value.frobenius(bit.power) + one);
            }
            values.push(of_bits);
        }
        let mut claim = |number: usize, value| {
            let root = roots.get_mut(number).ok_or(MALFORMED)?;
            *root = RootClaim { row_point: tau.clone(), value };
            Ok::<(), VerifyError>(())
        };
        for &number in &powers.others {
            let value = channel.receive("term rows")?;
            claim(number, value)?;
            left = left * value;
        }
        let outputs = match &powers.outputs {
            OutputProducts::Known(outputs) => C::Elem::from(inside(outputs, &tau)),
            OutputProducts::Root(number) => {
                let value = channel.receive("output rows")?;
                claim(*number, value)?;
                value + C::Elem::from(F128::ONE + within)
            }
        };
        // Q, one beyond the rows.
        right = right * (outputs * powers.constant + C::Elem::from(F128::ONE + within));
        for side in [left, right] {
            expected += (side + one) * (*next(&mut weights)? * eq(&powers.row_point, &tau));
        }
        claims.push((tau, values));
    }
    channel.assert_zero("powers of rows", reduced.claim + expected)?;
    Ok(claims)
}

/// Claims on powers of products become claims on the products and on bits.
fn verify_bits<'a, C: VerifierChannel>(
    channel: &mut C,
    all: &[&Powers<'a, C::Elem>],
    claims: &[Claimed<C::Elem>],
    roots: &mut [RootClaim<C::Elem>],
) -> Result<Vec<BitClaims<'a, C::Elem>>, VerifyError> {
    let (zero, one) = (C::Elem::from(F128::ZERO), C::Elem::from(F128::ONE));
    let rho = channel.challenge("powers batching");
    let values = claims.iter().flat_map(|(_, values)| values);
    let degree = values.clone().map(Vec::len).max().unwrap_or(0).saturating_sub(1);
    if degree > 0 {
        channel.soundness(SoundnessTerm::schwartz_zippel("powers batching", degree as f64));
    }
    let mut instances = Vec::new();
    for (powers, (_, values)) in all.iter().zip(claims) {
        let shape = Shape { n_vars: log2_ceil(powers.products), degree: 3 };
        let sum = |values: &Vec<C::Elem>| values.iter().rev().fold(zero, |sum, &v| sum * rho + v);
        instances.extend(values.iter().map(|values| (sum(values), shape)));
    }
    let reduced = sumcheck::verify(channel, &instances)?;
    let mut weights = reduced.weights.iter();
    let mut expected = zero;
    let mut of_bits: Vec<BitClaims<'a, C::Elem>> = Vec::new();
    // Those without exponents took no part, and may have more rows.
    let powered = all.iter().zip(claims).filter(|(powers, _)| !powers.powered.is_empty());
    for (powers, (tau, _)) in powered {
        let n_vars = log2_ceil(powers.products);
        let point: Vec<F128> = reduced.point(n_vars).iter().rev().copied().collect();
        let within = prefix_indicator(&point, powers.products);
        for &Powered { exponent, scale, root } in &powers.powered {
            let value = channel.receive("input rows")?;
            // P + 1.
            let shifted = value + C::Elem::from(F128::ONE + within);
            let shifted = shifted * scale + C::Elem::from(within);
            // The bits are one claim for all repetitions of a check.
            let is_it = |claims: &BitClaims<'_, C::Elem>| core::ptr::eq(claims.exponent, exponent);
            if !of_bits.iter().any(is_it) {
                let values = channel.receive_many("bits of exponents", exponent.code_bits())?;
                of_bits.push(BitClaims { exponent, point: point.clone(), values });
            }
            let bits = of_bits.iter().find(|claims| is_it(claims)).ok_or(MALFORMED)?;
            let mut codes = bits.values.iter();
            let at = kernels::eq_table(&point);
            let powers_of_tau = frobenius_points(tau, exponent.powers());
            let mut sum = zero;
            for (&Bit { power, of }, rho) in exponent.bits.iter().zip(self::powers(rho)) {
                let of_tau = powers_of_tau.get(power as usize).ok_or(MALFORMED)?;
                let bit = match of {
                    BitOf::Known(s) => C::Elem::from(exponent.known_at(s, &at)),
                    BitOf::Code { .. } => *next(&mut codes)?,
                    BitOf::One => one,
                };
                sum += bit * (rho * eq(of_tau, &point));
            }
            expected += shifted * sum * *next(&mut weights)?;
            *roots.get_mut(root).ok_or(MALFORMED)? = RootClaim { row_point: point.clone(), value };
        }
    }
    channel.assert_zero("input rows", reduced.claim + expected)?;
    Ok(of_bits)
}

/// Adds the claims on bits of codes to a table step, and to the weighted sum of its leaves; returns the tables, one for each operand in order.
pub(super) fn push_bits<'a, C: VerifierChannel>(
    channel: &mut C,
    claims: &[BitClaims<'a, C::Elem>],
    step: &mut TableStep<'a>,
    sum: &mut C::Elem,
) -> Vec<Table<'static>> {
    let n_bits: usize = claims.iter().map(|claims| claims.values.len()).sum();
    let mut tables = Vec::new();
    if n_bits == 0 {
        return tables;
    }
    let theta = channel.challenge("bits batching");
    channel.soundness(SoundnessTerm::schwartz_zippel("bits batching", n_bits as f64));
    let mut weights = powers(theta).skip(1);
    for BitClaims { exponent, point, values } in claims {
        let mut values = values.iter();
        for operand in &exponent.operands {
            let of_bits: Vec<F128> = weights.by_ref().take(operand.chunk.width()).collect();
            for (&weight, &value) in of_bits.iter().zip(values.by_ref()) {
                *sum += value * weight;
            }
            let leaf = LeafClaim {
                row_point: point.clone(),
                col_point: Vec::new(),
                weights: vec![F128::ONE],
                values: vec![Blank],
            };
            step.push(core::slice::from_ref(operand), leaf);
            tables.push(Table::Bits { weights: of_bits });
        }
    }
    tables
}
