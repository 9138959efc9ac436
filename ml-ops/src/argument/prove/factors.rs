//! The prover's side of factors of rows: the mirror of [`verify::factors`](crate::argument::verify).

use binfer_field::{F128, kernels};
use binfer_iop::channel::ProverChannel;
use binfer_iop::claims::InnerProduct;
use binfer_iop::multilinear::log2_ceil;
use binfer_iop::product::{BoxProduct, BoxShape, LeafClaim, RootClaim, Tree};
use binfer_iop::sumcheck::{self, Instance};

use super::relation::Relation;
use super::step::extension;
use crate::argument::plan::RowFactors;

/// What is open of a relation with factors of rows until its trees' roots are claimed.
pub(super) struct Powers<'a> {
    factors: &'a RowFactors,
    row_point: Vec<F128>,
    /// The claimed extension of either side, less one in each row.
    value: F128,
    /// The products `P`, plus one.
    shifted: Vec<F128>,
    /// The factors of both sides, blocks `[factor][row]`.
    sides: [Vec<F128>; 2],
    /// Whether the outputs have a tree.
    has_outputs: bool,
    /// Where the claims on the relation's trees start.
    first_root: usize,
}

impl<'a> Powers<'a> {
    /// Sends both sides' extension, of the products of the outer operand and of the outputs, which have been
    /// multiplied by all that is constant.
    pub(super) fn begin(
        channel: &mut ProverChannel,
        factors: &'a RowFactors,
        row_point: Vec<F128>,
        (products, outputs): (Vec<F128>, Vec<F128>),
        has_outputs: bool,
        first_root: usize,
    ) -> Self {
        let n = products.len();
        let mut shifted = products;
        shifted.iter_mut().for_each(|p| *p += F128::ONE);
        let mut bits = Vec::with_capacity(n * factors.bits as usize);
        let (mut power, mut other) = (shifted.clone(), outputs);
        for s in 0..factors.powers() {
            if factors.shift == Some(s) {
                other.extend(power.iter().map(|&p| p + F128::ONE));
            }
            if s < factors.bits {
                let factor = |(&p, is_set)| if is_set { p + F128::ONE } else { F128::ONE };
                bits.extend(power.iter().zip(factors.bit(s)).map(factor));
            }
            power.iter_mut().for_each(|p| *p = p.square());
        }
        let mut side = vec![F128::ONE; n];
        bits.chunks(n).for_each(|factor| kernels::mul_assign(&mut side, factor));
        side.iter_mut().for_each(|p| *p += F128::ONE);
        let value = kernels::inner_product(&side, &kernels::eq_table(&row_point)[..n]);
        channel.send("powers of rows", value);
        let sides = [bits, other];
        Self { factors, row_point, value, shifted, sides, has_outputs, first_root }
    }
}

/// Claims the roots of the trees of all relations with factors of rows.
pub(super) fn prove_powers(
    channel: &mut ProverChannel,
    relations: &mut [Relation<'_>],
    trees: &[Tree<'_>],
    roots: &mut [RootClaim<F128>],
) {
    let mut powered: Vec<&mut Powers<'_>> =
        relations.iter_mut().filter_map(|relation| relation.powers.as_mut()).collect();
    let mut instances = Vec::new();
    for powers in &mut powered {
        let rows = powers.shifted.len();
        for side in &mut powers.sides {
            let shape = BoxShape { rows, cols: 1, fan_in: side.len() / rows };
            let claim = LeafClaim {
                weights: Vec::new(),
                row_point: powers.row_point.clone(),
                col_point: Vec::new(),
                values: vec![powers.value + F128::ONE],
            };
            instances.push(BoxProduct::new(shape, core::mem::take(side), &claim));
        }
    }
    if instances.is_empty() {
        return;
    }
    let mut batch: Vec<&mut dyn Instance> =
        instances.iter_mut().map(|i| i as &mut dyn Instance).collect();
    let challenges = sumcheck::prove(channel, &mut batch);
    let mut claims = Vec::with_capacity(powered.len());
    for powers in powered {
        let factors = powers.factors;
        let n_vars = log2_ceil(powers.shifted.len());
        let own = &challenges[challenges.len() - n_vars..];
        let tau: Vec<F128> = own.iter().rev().copied().collect();
        let eq = kernels::eq_table(&tau);
        let (mut power, mut of_shift) = (powers.shifted.clone(), None);
        let mut values = Vec::with_capacity(factors.claims());
        for s in 0..factors.powers() {
            if factors.shift == Some(s) {
                let value = kernels::inner_product(&power, &eq[..power.len()]);
                of_shift = Some(value.inverse_frobenius(s));
            }
            if s < factors.bits {
                let rows = power.iter().zip(&eq).zip(factors.bit(s));
                let value = rows.filter(|(_, is_set)| *is_set).map(|((&p, &eq), _)| p * eq).sum();
                values.push(F128::inverse_frobenius(value, s));
            }
            power.iter_mut().for_each(|p| *p = p.square());
        }
        values.extend(of_shift);
        channel.send_many("powers of products", &values);
        if powers.has_outputs {
            let at = powers.first_root + 1;
            let value = extension(trees[at].outputs(), &tau);
            channel.send("output rows", value);
            roots[at] = RootClaim { row_point: tau.clone(), value };
        }
        claims.push((powers, tau, values));
    }

    for (powers, tau, values) in claims {
        let n_vars = tau.len();
        let rho = channel.challenge("powers batching");
        let sum = values.iter().rev().fold(F128::ZERO, |sum, &value| sum * rho + value);
        let padded = |mut vector: Vec<F128>| {
            vector.resize(1 << n_vars, F128::ZERO);
            vector
        };
        let weights = padded(powers.factors.weights(&tau, rho));
        let shifted = padded(core::mem::take(&mut powers.shifted));
        let mut product = InnerProduct::new(weights, shifted, n_vars, sum);
        let point = sumcheck::prove(channel, &mut [&mut product]);
        let value = extension(trees[powers.first_root].outputs(), &point);
        channel.send("input rows", value);
        roots[powers.first_root] = RootClaim { row_point: point, value };
    }
}
