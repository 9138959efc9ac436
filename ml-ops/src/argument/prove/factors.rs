//! The prover's side of exponents of products: the mirror of [`verify::factors`](crate::argument::verify).

use binfer_field::{F128, kernels};
use binfer_iop::channel::ProverChannel;
use binfer_iop::multilinear::{log2_ceil, powers};
use binfer_iop::product::{BoxProduct, BoxShape, LeafClaim, RootClaim, Tree};
use binfer_iop::sumcheck::{self, Instance, Shape};
use rayon::prelude::*;

use super::step::{LookedUp, TableStep, extension};
use crate::argument::bases::frobenius_points;
use crate::argument::indices::Indices;
use crate::argument::plan::{Bit, BitOf, Exponent};
use crate::argument::tables::Table;

/// What is open of a relation with exponents until its trees' roots are claimed.
pub(in crate::argument) struct Powers<'a> {
    row_point: Vec<F128>,
    /// The claimed extension of either side, less one in each row.
    value: F128,
    powered: Vec<Powered<'a>>,
    /// The factors of both sides, blocks `[factor][row]`.
    sides: [Vec<F128>; 2],
    /// The numbers of the roots of the trees of other terms.
    others: Vec<usize>,
    /// That of the outputs', if they have one.
    outputs: Option<usize>,
    rows: usize,
}

/// One tree whose products have exponents.
pub(in crate::argument) struct Powered<'a> {
    exponent: &'a Exponent,
    /// The products `P`, plus one.
    shifted: Vec<F128>,
    /// For each bit whether it is set, product by product.
    set: Vec<Vec<bool>>,
    /// The number of the tree's root.
    root: usize,
}

/// Claims on the bits of the codes of exponents, at one point.
pub(in crate::argument) struct BitClaims<'a> {
    exponent: &'a Exponent,
    point: Vec<F128>,
    /// Those of one operand after those of another, lowest first.
    values: Vec<F128>,
}

impl<'a> Powered<'a> {
    /// The products of a tree with their exponents, given the number of its root.
    pub(super) fn new(
        exponent: &'a Exponent,
        products: Vec<F128>,
        indices: &Indices<'_>,
        root: usize,
    ) -> Self {
        let codes: Vec<&[u8]> =
            exponent.operands.iter().map(|of| indices.columns(of)[0].bytes).collect();
        Self::of_codes(exponent, products, &codes, root)
    }

    /// The same, given the codes of operands.
    pub(in crate::argument) fn of_codes(
        exponent: &'a Exponent,
        products: Vec<F128>,
        codes: &[&[u8]],
        root: usize,
    ) -> Self {
        let n = products.len();
        let mut shifted = products;
        shifted.iter_mut().for_each(|p| *p += F128::ONE);
        let set = |bit: &Bit| -> Vec<bool> {
            match bit.of {
                BitOf::Known(s) => exponent.known(s).collect(),
                BitOf::Code { operand, bit } => {
                    codes[operand].iter().map(|code| code >> bit & 1 == 1).collect()
                }
                BitOf::One => vec![true; n],
            }
        };
        let set = exponent.bits.iter().map(set).collect();
        Self { exponent, shifted, set, root }
    }

    /// Calls `each(number, bit, power)` with every bit and `(P + 1)^(2^t)` of all products.
    fn each_power(&self, mut each: impl FnMut(usize, &Bit, &[F128])) {
        let mut power = self.shifted.clone();
        for t in 0..self.exponent.powers() {
            for (number, bit) in self.exponent.bits.iter().enumerate() {
                if bit.power == t {
                    each(number, bit, &power);
                }
            }
            power.iter_mut().for_each(|p| *p = p.square());
        }
    }
}

impl<'a> Powers<'a> {
    /// Sends both sides' extension, of powers, of the products of other trees with the numbers of their roots, and of the
    /// outputs, which have been multiplied by all that is constant.
    pub(in crate::argument) fn begin(
        channel: &mut ProverChannel,
        row_point: Vec<F128>,
        powered: Vec<Powered<'a>>,
        others: Vec<(usize, Vec<F128>)>,
        (outputs, products): (Option<usize>, Vec<F128>),
    ) -> Self {
        let n = products.len();
        let (others, of_others): (Vec<usize>, Vec<Vec<F128>>) = others.into_iter().unzip();
        let (mut left, mut right) = (of_others.concat(), products);
        for of in &powered {
            of.each_power(|number, bit, power| {
                let side = if bit.of == BitOf::One { &mut right } else { &mut left };
                let factor = |(&p, &is_set)| if is_set { p + F128::ONE } else { F128::ONE };
                side.extend(power.iter().zip(&of.set[number]).map(factor));
            });
        }
        let mut side = vec![F128::ONE; n];
        left.chunks(n).for_each(|factor| kernels::mul_assign(&mut side, factor));
        side.iter_mut().for_each(|p| *p += F128::ONE);
        let value = kernels::inner_product(&side, &kernels::eq_table(&row_point)[..n]);
        channel.send("powers of rows", value);
        Self { row_point, value, powered, sides: [left, right], others, outputs, rows: n }
    }
}

/// Claims the roots of the trees of all relations with exponents; returns the claims on bits of codes.
pub(in crate::argument) fn prove_powers<'a>(
    channel: &mut ProverChannel,
    all: &mut [&mut Powers<'a>],
    trees: &[Tree<'_>],
    roots: &mut [RootClaim<F128>],
) -> Vec<BitClaims<'a>> {
    if all.is_empty() {
        return Vec::new();
    }
    let claims = prove_sides(channel, all, trees, roots);
    if all.iter().all(|powers| powers.powered.is_empty()) {
        return Vec::new();
    }
    prove_bits(channel, all, &claims, trees, roots)
}

/// A point where powers of products are claimed, and a value for each bit of each exponent.
type Claimed = (Vec<F128>, Vec<Vec<F128>>);

/// Both sides of all relations at the point of a batch.
fn prove_sides(
    channel: &mut ProverChannel,
    all: &mut [&mut Powers<'_>],
    trees: &[Tree<'_>],
    roots: &mut [RootClaim<F128>],
) -> Vec<Claimed> {
    let mut sides = Vec::new();
    for powers in &mut *all {
        let rows = powers.rows;
        for side in &mut powers.sides {
            let shape = BoxShape { rows, cols: 1, fan_in: side.len() / rows };
            let claim = LeafClaim {
                weights: Vec::new(),
                row_point: powers.row_point.clone(),
                col_point: Vec::new(),
                values: vec![powers.value + F128::ONE],
            };
            sides.push((shape, core::mem::take(side), claim));
        }
    }
    let instance = |(shape, side, claim)| BoxProduct::new(shape, side, &claim);
    let mut instances: Vec<BoxProduct<'_>> = sides.into_par_iter().map(instance).collect();
    let mut batch: Vec<&mut dyn Instance> =
        instances.iter_mut().map(|i| i as &mut dyn Instance).collect();
    let challenges = sumcheck::prove(channel, &mut batch);
    let mut claims = Vec::with_capacity(all.len());
    for powers in all {
        let tau = point(&challenges, powers.rows);
        let eq = kernels::eq_table(&tau);
        let mut values = Vec::with_capacity(powers.powered.len());
        for powered in &powers.powered {
            let mut of_bits = vec![F128::ZERO; powered.exponent.bits.len()];
            let mut weighted = vec![F128::ZERO; powered.shifted.len()];
            powered.each_power(|number, bit, power| {
                kernels::mul(&mut weighted, power, &eq[..power.len()]);
                let value = sum_of_set(&weighted, &powered.set[number]);
                of_bits[number] = value.inverse_frobenius(bit.power);
            });
            channel.send_many("powers of products", &of_bits);
            values.push(of_bits);
        }
        let others = powers.others.iter().map(|&number| ("term rows", number));
        for (label, number) in others.chain(powers.outputs.map(|number| ("output rows", number))) {
            let value = extension(trees[number].outputs(), &tau);
            channel.send(label, value);
            roots[number] = RootClaim { row_point: tau.clone(), value };
        }
        claims.push((tau, values));
    }
    claims
}

/// The point of an instance with so many rows, highest variable bound first.
fn point(challenges: &[F128], rows: usize) -> Vec<F128> {
    challenges[challenges.len() - log2_ceil(rows)..].iter().rev().copied().collect()
}

fn sum_of_set(values: &[F128], set: &[bool]) -> F128 {
    values.iter().zip(set).filter(|(_, is_set)| **is_set).map(|(&value, _)| value).sum()
}

/// Claims on powers of products become claims on the products and on bits.
fn prove_bits<'a>(
    channel: &mut ProverChannel,
    all: &mut [&mut Powers<'a>],
    claims: &[Claimed],
    trees: &[Tree<'_>],
    roots: &mut [RootClaim<F128>],
) -> Vec<BitClaims<'a>> {
    let rho = channel.challenge("powers batching");
    let mut instances = Vec::new();
    for (powers, (tau, _)) in all.iter_mut().zip(claims) {
        let of_powered = powers.powered.iter_mut();
        instances.extend(of_powered.map(|powered| BitSum::new(powered, tau, rho)));
    }
    let mut batch: Vec<&mut dyn Instance> =
        instances.iter_mut().map(|i| i as &mut dyn Instance).collect();
    let challenges = sumcheck::prove(channel, &mut batch);
    let mut of_bits: Vec<BitClaims<'a>> = Vec::new();
    // Those without exponents took no part, and may have more rows.
    let powered = all.iter().filter(|powers| !powers.powered.is_empty());
    for powers in powered {
        let point = point(&challenges, powers.rows);
        let eq = kernels::eq_table(&point);
        for Powered { exponent, set, root, .. } in &powers.powered {
            let value = extension(trees[*root].outputs(), &point);
            channel.send("input rows", value);
            roots[*root] = RootClaim { row_point: point.clone(), value };
            // The bits are one claim for all repetitions of a check.
            let is_it = |claims: &BitClaims<'_>| core::ptr::eq(claims.exponent, *exponent);
            if of_bits.iter().any(is_it) {
                continue;
            }
            let codes = exponent.bits.iter().zip(set);
            let codes = codes.filter(|(bit, _)| matches!(bit.of, BitOf::Code { .. }));
            let values: Vec<F128> = codes.map(|(_, set)| sum_of_set(&eq, set)).collect();
            channel.send_many("bits of exponents", &values);
            of_bits.push(BitClaims { exponent, point: point.clone(), values });
        }
    }
    of_bits
}

/// `sum_i (P_i + 1) sum_t E_t(i) C_t(i)`, `E_t(i) = eq(tau^(2^-t), i)` and `C_t` the sum of the bits of power `t`, each times a
/// power of a challenge. Bound from the highest variable down.
struct BitSum {
    shifted: Vec<F128>,
    pairs: Vec<[Vec<F128>; 2]>,
}

impl BitSum {
    fn new(powered: &mut Powered<'_>, tau: &[F128], rho: F128) -> Self {
        let size = 1 << tau.len();
        let exponent = powered.exponent;
        let mut pairs = Vec::new();
        for (t, point) in (0..).zip(frobenius_points(tau, exponent.powers())) {
            let mut sum = vec![F128::ZERO; size];
            let of_bits = exponent.bits.iter().zip(&powered.set).zip(powers(rho));
            let mut of_power = of_bits.filter(|((bit, _), _)| bit.power == t).peekable();
            if of_power.peek().is_none() {
                continue;
            }
            for ((bit, set), weight) in of_power {
                // What is one is so beyond the rows as well.
                let beyond = if bit.of == BitOf::One { size - set.len() } else { 0 };
                let set = set.iter().chain(core::iter::repeat_n(&true, beyond));
                let set = sum.iter_mut().zip(set).filter(|(_, is_set)| **is_set);
                set.for_each(|(sum, _)| *sum += weight);
            }
            pairs.push([kernels::eq_table(&point), sum]);
        }
        let mut shifted = core::mem::take(&mut powered.shifted);
        shifted.resize(size, F128::ZERO);
        Self { shifted, pairs }
    }
}

impl Instance for BitSum {
    fn shape(&self) -> Shape {
        Shape { n_vars: log2_ceil(self.shifted.len()), degree: 3 }
    }

    fn round(&mut self) -> Vec<F128> {
        let half = self.shifted.len() / 2;
        // The sum of pairs at zero, at one, and its leading coefficient.
        let mut at = [(); 3].map(|()| vec![F128::ZERO; half]);
        let [mut e_slope, mut c_slope] = [(); 2].map(|()| vec![F128::ZERO; half]);
        for [e, c] in &self.pairs {
            let ((e_lo, e_hi), (c_lo, c_hi)) = (e.split_at(half), c.split_at(half));
            for (slope, lo, hi) in [(&mut e_slope, e_lo, e_hi), (&mut c_slope, c_lo, c_hi)] {
                slope.copy_from_slice(lo);
                kernels::add_assign(slope, hi);
            }
            let factors = [(e_lo, c_lo), (e_hi, c_hi), (&e_slope[..], &c_slope[..])];
            for (at, (e, c)) in at.iter_mut().zip(factors) {
                kernels::add_products(at, e, c);
            }
        }
        let [constant, mut linear, leading] = at;
        kernels::add_assign(&mut linear, &constant);
        kernels::add_assign(&mut linear, &leading);
        let (lo, hi) = self.shifted.split_at(half);
        let mut slope = lo.to_vec();
        kernels::add_assign(&mut slope, hi);
        let product = kernels::inner_product;
        vec![
            product(lo, &constant),
            product(lo, &linear) + product(&slope, &constant),
            product(lo, &leading) + product(&slope, &linear),
            product(&slope, &leading),
        ]
    }

    fn bind(&mut self, r: F128) {
        let half = self.shifted.len() / 2;
        for vector in self.pairs.iter_mut().flatten().chain([&mut self.shifted]) {
            let (lo, hi) = vector.split_at_mut(half);
            kernels::fold(lo, hi, r);
            vector.truncate(half);
        }
    }
}

/// Adds the claims on bits of codes to a table step, whose last claims are theirs.
pub(super) fn push_bits<'a>(
    channel: &mut ProverChannel,
    claims: &[BitClaims<'a>],
    step: &mut TableStep<'a>,
    indices: &'a Indices<'_>,
) {
    if claims.iter().all(|claims| claims.values.is_empty()) {
        return;
    }
    let theta = channel.challenge("bits batching");
    let mut weights = powers(theta).skip(1);
    let mut trees = Vec::new();
    for BitClaims { exponent, point, values } in claims {
        let mut values = values.iter();
        for operand in &exponent.operands {
            let of_bits: Vec<F128> = weights.by_ref().take(operand.chunk.width()).collect();
            let sum = of_bits.iter().zip(values.by_ref()).map(|(&weight, &value)| weight * value);
            let leaf = LeafClaim {
                row_point: point.clone(),
                col_point: Vec::new(),
                weights: vec![F128::ONE],
                values: vec![sum.sum::<F128>() + F128::ONE],
            };
            let tables = vec![Table::Bits { weights: of_bits }];
            trees.push(LookedUp { tables, factors: core::slice::from_ref(operand), leaf });
        }
    }
    step.push(trees, indices);
}
