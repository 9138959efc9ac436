//! The lookup prover.

use binfer_field::{F128, kernels};

use super::multiplicity::{bit, frobenius_powers, leaves, limbs, widths};
use super::statement::{GENERATOR, above, generator_powers};
use super::verify::{PowerClaim, padded_root, row_claim, split_leaves, table_point};
use super::{Lookup, LookupClaims};
use crate::channel::ProverChannel;
use crate::claims::planes::{self, Limb, LinearClaim, PlaneMatrix, combine, limb_tables};
use crate::claims::{self, EvaluationClaim};
use crate::multilinear::{eq_vertex, powers, prefix_indicator};
use crate::product::{self, LeafClaim, RootClaim, Tree};
use crate::sumcheck::{self, Instance};
use crate::zerocheck::TileSum;

/// The committed side of one lookup.
#[derive(Clone, Debug)]
pub struct LookupWitness<'a> {
    /// `lists[i][l]` is limb `l` of matrix `i`: a byte an entry, `[column][row]`.
    pub lists: Vec<Vec<&'a [u8]>>,
    /// One for each table entry; see [`multiplicities`](super::multiplicities).
    pub multiplicities: Vec<u64>,
}

/// Proves that the entries of all lists of `lookups` are in their tables.
///
/// Where one is not, or the multiplicities are wrong, the proof is rejected.
///
/// # Panics
/// Where a lookup is not well formed or a witness has not its shape.
pub fn prove(
    channel: &mut ProverChannel,
    lookups: &[Lookup],
    witnesses: &[LookupWitness<'_>],
) -> LookupClaims<F128> {
    assert_eq!(lookups.len(), witnesses.len());
    for (lookup, witness) in lookups.iter().zip(witnesses) {
        assert!(lookup.is_well_formed());
        assert_eq!(lookup.lists.len(), witness.lists.len());
        assert_eq!(lookup.n_entries(), witness.multiplicities.len());
        assert!(witness.lists.iter().all(|l| l.len() == lookup.widths.len()));
    }
    if lookups.is_empty() {
        return LookupClaims::new(Vec::new(), Vec::new(), lookups);
    }
    let gamma = channel.challenge("lookup offset");
    let n_weights = lookups.iter().map(Lookup::n_planes).max().unwrap_or(0);
    let weights = channel.challenges("lookup weights", n_weights);
    let tables: Vec<Vec<F128>> = lookups.iter().map(|l| l.fingerprints(gamma, &weights)).collect();

    let leaves = prove_products(channel, lookups, witnesses, gamma, &weights, &tables);
    let (mut linear, powers) = split_leaves(lookups, gamma, &weights, leaves);
    linear.extend(prove_powers(channel, lookups, witnesses, &tables, powers));

    let counts: Vec<Vec<Vec<u8>>> = lookups
        .iter()
        .zip(witnesses)
        .map(|(lookup, w)| limbs(&w.multiplicities, widths(lookup.multiplicity_bits()).len()))
        .collect();
    let matrices: Vec<PlaneMatrix<'_>> = lookups
        .iter()
        .zip(witnesses)
        .zip(&counts)
        .flat_map(|((lookup, witness), counts)| plane_matrices(lookup, witness, counts))
        .collect();
    let tiles = planes::prove(channel, &matrices, &linear);
    LookupClaims::new(tiles.point, tiles.values, lookups)
}

fn plane_matrices<'a>(
    lookup: &Lookup,
    witness: &LookupWitness<'a>,
    counts: &'a [Vec<u8>],
) -> Vec<PlaneMatrix<'a>> {
    let limbs = |widths: &[usize], bytes: &[&'a [u8]]| {
        widths.iter().zip(bytes).map(|(&width, &bytes)| Limb { width, bytes }).collect()
    };
    let mut matrices = Vec::new();
    for (&(rows, cols), list) in lookup.lists.iter().zip(&witness.lists) {
        matrices.push(PlaneMatrix { rows, cols, limbs: limbs(&lookup.widths, list) });
    }
    let counts: Vec<&[u8]> = counts.iter().map(Vec::as_slice).collect();
    let limbs = limbs(&widths(lookup.multiplicity_bits()), &counts);
    matrices.push(PlaneMatrix { rows: lookup.n_entries(), cols: 1, limbs });
    matrices
}

/// Sends the products and reduces them to claims on the leaves of every box.
fn prove_products(
    channel: &mut ProverChannel,
    lookups: &[Lookup],
    witnesses: &[LookupWitness<'_>],
    gamma: F128,
    weights: &[F128],
    tables: &[Vec<F128>],
) -> Vec<LeafClaim<F128>> {
    let (mut tops, mut bottoms, mut roots) = (Vec::new(), Vec::new(), Vec::new());
    for ((lookup, witness), table) in lookups.iter().zip(witnesses).zip(tables) {
        let limb_tables = limb_tables(&lookup.widths, weights);
        let mut boxes: Vec<Vec<F128>> =
            witness.lists.iter().map(|list| combine(list, &limb_tables, gamma)).collect();
        let (n, k) = (lookup.n_entries(), lookup.multiplicity_bits());
        boxes.push(leaves(&witness.multiplicities, frobenius_powers(table, k)));
        let generators = generator_powers(k).into_iter().map(|g| vec![g; n]);
        boxes.push(leaves(&witness.multiplicities, generators));

        let first = tops.len();
        for (shape, leaves) in lookup.boxes().into_iter().zip(boxes) {
            let bottom = Tree::new(shape, leaves);
            tops.push(Tree::new(above(&shape), bottom.outputs().to_vec()));
            bottoms.push(bottom);
        }
        let products: Vec<F128> =
            tops[first..][..lookup.lists.len()].iter().map(|top| top.outputs()[0]).collect();
        channel.send_many("lookup products", &products);
        let all = products.iter().copied().product();
        let count = GENERATOR.pow(lookup.n_lookups() as u128);
        roots.extend(products.into_iter().chain([all, count]));
    }
    let root = |value| RootClaim { row_point: Vec::new(), value };
    let rows = product::prove(channel, tops, roots.into_iter().map(root).collect());
    rows.iter().for_each(|claim| claim.send(channel));
    let rows = rows.into_iter().filter_map(row_claim).collect();
    let leaves = product::prove(channel, bottoms, rows);
    leaves.iter().for_each(|claim| claim.send(channel));
    leaves
}

/// From claims on the leaves `1 + bit_s(m_t) (F_t^{2^s} + 1)` to claims on the bits alone.
fn prove_powers(
    channel: &mut ProverChannel,
    lookups: &[Lookup],
    witnesses: &[LookupWitness<'_>],
    tables: &[Vec<F128>],
    leaves: Vec<PowerClaim<F128>>,
) -> Vec<LinearClaim<F128>> {
    let mut instances: Vec<TileSum> = lookups
        .iter()
        .zip(witnesses)
        .zip(tables)
        .zip(&leaves)
        .map(|(((lookup, witness), table), (_, leaf))| power_sum(lookup, witness, table, leaf))
        .collect();
    let mut batch: Vec<&mut dyn Instance> =
        instances.iter_mut().map(|i| i as &mut dyn Instance).collect();
    let challenges = sumcheck::prove(channel, &mut batch);
    let n_vars = challenges.len();
    let mut evaluations = Vec::new();
    let mut bit_values = Vec::new();
    for (i, ((lookup, witness), instance)) in
        lookups.iter().zip(witnesses).zip(&instances).enumerate()
    {
        let point = table_point(&challenges, lookup);
        let weights = kernels::eq_table(&point);
        let inside = prefix_indicator(&point, lookup.n_entries());
        let bit_value = |s: usize| -> F128 {
            let counts = witness.multiplicities.iter().zip(&weights);
            counts.filter(|(m, _)| bit(**m, s)).map(|(_, &w)| w).sum()
        };
        let bits: Vec<F128> = (0..lookup.multiplicity_bits()).map(bit_value).collect();
        let root = |(s, (_, powers)): (usize, &(Vec<F128>, Vec<F128>))| {
            (powers[0] + inside).inverse_frobenius(s as u32)
        };
        let roots: Vec<F128> = instance.products.iter().enumerate().map(root).collect();
        channel.send_many("lookup multiplicity bits", &bits);
        channel.send_many("lookup table values", &roots);
        evaluations.extend(roots.into_iter().enumerate().map(|(s, value)| EvaluationClaim {
            vector: i,
            point: padded_root(&point, s, n_vars),
            value,
        }));
        bit_values.push((point, bits));
    }
    let vectors: Vec<&[F128]> = tables.iter().map(Vec::as_slice).collect();
    claims::prove(channel, n_vars, &vectors, &evaluations);

    let delta = channel.challenge("lookup multiplicity batching");
    let mut claims = Vec::with_capacity(lookups.len());
    for ((row_point, bits), (matrix, _)) in bit_values.into_iter().zip(leaves) {
        let coefficients: Vec<F128> = powers(delta).take(bits.len()).collect();
        let value = kernels::inner_product(&bits, &coefficients);
        let col_point = Vec::new();
        claims.push(LinearClaim { matrix, row_point, col_point, coefficients, value });
    }
    claims
}

/// `sum_t eq(x, t) sum_s eq(y, s) bit_s(m_t) (F_t^{2^s} + 1)` for a claim at `(x, y)`.
fn power_sum(
    lookup: &Lookup,
    witness: &LookupWitness<'_>,
    table: &[F128],
    leaf: &LeafClaim<F128>,
) -> TileSum {
    let size = 1 << lookup.table_vars();
    let mut point = leaf.row_point.clone();
    point.resize(lookup.table_vars(), F128::ZERO);
    let product = |(s, mut powers): (usize, Vec<F128>)| {
        let weight = eq_vertex(&leaf.col_point, s);
        let weigh = |&m: &u64| if bit(m, s) { weight } else { F128::ZERO };
        let mut bits: Vec<F128> = witness.multiplicities.iter().map(weigh).collect();
        powers.iter_mut().for_each(|p| *p += F128::ONE);
        bits.resize(size, F128::ZERO);
        powers.resize(size, F128::ZERO);
        (bits, powers)
    };
    let powers = frobenius_powers(table, lookup.multiplicity_bits());
    let products = powers.enumerate().map(product).collect();
    let claim = leaf.values[0] + F128::ONE;
    TileSum::new(products, vec![F128::ZERO; size], point, claim)
}
