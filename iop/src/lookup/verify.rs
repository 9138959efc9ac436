//! The lookup verifier.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use binfer_field::{F128, kernels};

use super::statement::{GENERATOR, above, generator_powers};
use super::{Lookup, LookupClaims};
use crate::channel::{Element, SoundnessTerm, VerifierChannel, VerifyError};
use crate::claims::planes::{self, LinearClaim};
use crate::claims::{self, EvaluationClaim};
use crate::multilinear::{eq, eq_vertex, powers, prefix_indicator};
use crate::product::{self, LeafClaim, RootClaim};
use crate::sumcheck::{self, Shape};

/// Verifies that the entries of all lists of `lookups` are in their tables.
///
/// # Errors
/// Those of the channel, and [`VerifyError::CheckFailed`] where an equation fails or a lookup is not
/// well formed (see [`Lookup`]).
pub fn verify<C: VerifierChannel>(
    channel: &mut C,
    lookups: &[Lookup],
) -> Result<LookupClaims<C::Elem>, VerifyError> {
    if !lookups.iter().all(Lookup::is_well_formed) {
        return Err(VerifyError::CheckFailed { label: "lookup statement" });
    }
    if lookups.is_empty() {
        return Ok(LookupClaims::new(Vec::new(), Vec::new(), lookups));
    }
    let gamma = channel.challenge("lookup offset");
    let n_weights = lookups.iter().map(Lookup::n_planes).max().unwrap_or(0);
    let weights = channel.challenges("lookup weights", n_weights);
    let degree: f64 = lookups.iter().map(|l| l.n_lookups() as f64).sum();
    channel.soundness(SoundnessTerm::schwartz_zippel("lookup fingerprints", degree));

    let leaves = leaf_claims(channel, lookups)?;
    let (mut linear, powers) = split_leaves(lookups, gamma, &weights, leaves);
    linear.extend(verify_powers(channel, lookups, gamma, &weights, powers)?);
    let matrices: Vec<_> = lookups.iter().flat_map(Lookup::matrices).collect();
    let tiles = planes::verify(channel, &matrices, &linear)?;
    Ok(LookupClaims::new(tiles.point, tiles.values, lookups))
}

/// A claim on the leaves of `prod_t F_t^{m_t}` and the number of the multiplicities' matrix.
pub(super) type PowerClaim<E> = (usize, LeafClaim<E>);

/// Sorts the claims on leaves into those that are linear in the bits and those on powers.
pub(super) fn split_leaves<E: Element>(
    lookups: &[Lookup],
    gamma: F128,
    weights: &[F128],
    leaves: Vec<LeafClaim<E>>,
) -> (Vec<LinearClaim<E>>, Vec<PowerClaim<E>>) {
    let mut leaves = leaves.into_iter();
    let (mut linear, mut powers) = (Vec::new(), Vec::new());
    let mut matrix = 0usize;
    for lookup in lookups {
        // F_e = gamma + sum_s w_s bit_s inside the list, 1 outside.
        for (&(rows, cols), leaf) in lookup.lists.iter().zip(&mut leaves) {
            let inside =
                prefix_indicator(&leaf.row_point, rows) * prefix_indicator(&leaf.col_point, cols);
            let constant = F128::ONE + (gamma + F128::ONE) * inside;
            linear.push(LinearClaim {
                matrix,
                value: leaf_value(&leaf) + E::from(constant),
                row_point: leaf.row_point,
                col_point: leaf.col_point,
                coefficients: weights.iter().copied().take(lookup.n_planes()).collect(),
            });
            matrix = matrix.saturating_add(1);
        }
        powers.extend(leaves.next().map(|leaf| (matrix, leaf)));
        // 1 + bit_s(m_t) (g^(2^s) + 1): the columns of leaves are planes of one column.
        if let Some(leaf) = leaves.next() {
            let bases = generator_powers(lookup.multiplicity_bits());
            let coefficient =
                |(s, g): (usize, F128)| eq_vertex(&leaf.col_point, s) * (g + F128::ONE);
            linear.push(LinearClaim {
                matrix,
                value: leaf_value(&leaf) + E::from(F128::ONE),
                coefficients: bases.into_iter().enumerate().map(coefficient).collect(),
                row_point: leaf.row_point,
                col_point: Vec::new(),
            });
        }
        matrix = matrix.saturating_add(1);
    }
    (linear, powers)
}

fn leaf_value<E: Element>(leaf: &LeafClaim<E>) -> E {
    leaf.values.first().copied().unwrap_or(E::from(F128::ZERO))
}

/// From the products to claims on the leaves of every box.
fn leaf_claims<C: VerifierChannel>(
    channel: &mut C,
    lookups: &[Lookup],
) -> Result<Vec<LeafClaim<C::Elem>>, VerifyError> {
    let mut roots = Vec::new();
    for lookup in lookups {
        let products = channel.receive_many("lookup products", lookup.lists.len())?;
        let one = C::Elem::from(F128::ONE);
        let all = products.iter().fold(one, |all, &p| all * p);
        let count = C::Elem::from(GENERATOR.pow(lookup.n_lookups() as u128));
        roots.extend(products.into_iter().chain([all, count]));
    }
    let root = |value| RootClaim { row_point: Vec::new(), value };
    let boxes: Vec<_> = lookups.iter().flat_map(Lookup::boxes).collect();
    let tops: Vec<_> = boxes.iter().map(above).collect();
    let rows = product::verify(channel, &tops, roots.into_iter().map(root).collect())?;
    let rows = rows.receive_all(channel)?.into_iter().filter_map(row_claim).collect();
    product::verify(channel, &boxes, rows)?.receive_all(channel)
}

/// A claim on the columns of the one row above a box is one on the box's rows.
pub(super) fn row_claim<E: Copy>(leaf: LeafClaim<E>) -> Option<RootClaim<E>> {
    let value = leaf.values.first().copied()?;
    Some(RootClaim { row_point: leaf.col_point, value })
}

/// From claims on the leaves `1 + bit_s(m_t) (F_t^{2^s} + 1)` to claims on the bits alone.
fn verify_powers<C: VerifierChannel>(
    channel: &mut C,
    lookups: &[Lookup],
    gamma: F128,
    weights: &[F128],
    leaves: Vec<PowerClaim<C::Elem>>,
) -> Result<Vec<LinearClaim<C::Elem>>, VerifyError> {
    let (zero, one) = (C::Elem::from(F128::ZERO), C::Elem::from(F128::ONE));
    let mut batch = Vec::with_capacity(lookups.len());
    for (lookup, (_, leaf)) in lookups.iter().zip(&leaves) {
        let shape = Shape { n_vars: lookup.table_vars(), degree: 3 };
        batch.push((leaf_value(leaf) + one, shape));
    }
    let reduced = sumcheck::verify(channel, &batch)?;
    let n_vars = reduced.challenges.len();
    let mut expected = zero;
    let mut evaluations = Vec::new();
    let mut bit_values = Vec::with_capacity(lookups.len());
    for (i, (lookup, (_, leaf))) in lookups.iter().zip(&leaves).enumerate() {
        let k = lookup.multiplicity_bits();
        let bits = channel.receive_many("lookup multiplicity bits", k)?;
        let roots = channel.receive_many("lookup table values", k)?;
        let point = table_point(&reduced.challenges, lookup);
        let inside = C::Elem::from(prefix_indicator(&point, lookup.n_entries()));
        let mut sum = zero;
        for (s, (&bit, &root)) in bits.iter().zip(&roots).enumerate() {
            let power = root.frobenius(s as u32) + inside;
            sum += bit * power * eq_vertex(&leaf.col_point, s);
            evaluations.push(EvaluationClaim {
                vector: i,
                point: padded_root(&point, s, n_vars),
                value: root,
            });
        }
        let weight = reduced.weights.get(i).copied().unwrap_or(F128::ZERO);
        expected += sum * (weight * row_weight(&leaf.row_point, &point));
        bit_values.push((point, bits));
    }
    channel.assert_zero("lookup powers", reduced.claim + expected)?;

    let table = claims::verify(channel, n_vars, lookups.len(), &evaluations)?;
    let eq_table = kernels::eq_table(&table.point);
    for (lookup, &value) in lookups.iter().zip(&table.values) {
        let fingerprints = lookup.fingerprints(gamma, weights);
        let public = fingerprints.iter().zip(&eq_table).map(|(&f, &e)| f * e).sum();
        channel.assert_zero("lookup table", value + C::Elem::from(public))?;
    }

    let delta = channel.challenge("lookup multiplicity batching");
    let k = lookups.iter().map(Lookup::multiplicity_bits).max().unwrap_or(0);
    let degree = k.saturating_sub(1).max(1) as f64;
    channel.soundness(SoundnessTerm::schwartz_zippel("lookup multiplicity batching", degree));
    let mut claims = Vec::with_capacity(lookups.len());
    for ((row_point, bits), (matrix, _)) in bit_values.into_iter().zip(leaves) {
        let coefficients: Vec<F128> = powers(delta).take(bits.len()).collect();
        let value = bits.iter().zip(&coefficients).fold(zero, |sum, (&b, &d)| sum + b * d);
        let col_point = Vec::new();
        claims.push(LinearClaim { matrix, row_point, col_point, coefficients, value });
    }
    Ok(claims)
}

/// The last `table_vars` challenges, lowest variable first.
pub(super) fn table_point(challenges: &[F128], lookup: &Lookup) -> Vec<F128> {
    challenges.iter().rev().take(lookup.table_vars()).copied().collect()
}

/// `point^(2^-s)`, with zeros for the variables that the table does not have.
pub(super) fn padded_root(point: &[F128], s: usize, n_vars: usize) -> Vec<F128> {
    let mut root: Vec<F128> = point.iter().map(|x| x.inverse_frobenius(s as u32)).collect();
    root.resize(n_vars, F128::ZERO);
    root
}

/// `eq(leaf, point)`, the leaf's coordinates continued by zeros.
fn row_weight(leaf: &[F128], point: &[F128]) -> F128 {
    let (own, beyond) = point.split_at_checked(leaf.len()).unwrap_or((point, &[]));
    eq(leaf, own) * eq_vertex(beyond, 0)
}
