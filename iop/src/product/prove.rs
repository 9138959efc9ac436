//! The prover of a forest of product trees.

use binfer_field::F128;
use binfer_field::kernels::{self, eq_table};
use rayon::prelude::*;

use super::pairs::PairProduct;
use super::shape::{FOUR, argued, factor_weights, split_challenges};
use super::verify::{fan_ins, of_fan_in};
use super::{BoxProduct, BoxShape, LeafClaim, RootClaim, Tree};
use crate::channel::ProverChannel;
use crate::join::{self, Product};
use crate::multilinear::{eq, powers};
use crate::sumcheck::{self, Instance};

/// Reduces claims on the outputs of `trees` to one on their leaves' factors, spoiling each level
/// as it is used. `roots` must be true claims.
pub fn prove(
    channel: &mut ProverChannel,
    mut trees: Vec<Tree<'_>>,
    roots: Vec<RootClaim<F128>>,
) -> Vec<LeafClaim<F128>> {
    assert_eq!(trees.len(), roots.len());
    let leaf = |root: RootClaim<F128>| LeafClaim {
        row_point: root.row_point,
        col_point: Vec::new(),
        weights: Vec::new(),
        values: vec![root.value],
    };
    let mut claims: Vec<_> = roots.into_iter().map(leaf).collect();
    // The values of a level's even and odd columns, which the level below takes apart.
    let mut known: Vec<Option<[F128; 2]>> = vec![None; trees.len()];
    let own: Vec<BoxShape> = trees.iter().map(Tree::shape).collect();
    let shapes: Vec<BoxShape> = argued(&own);
    let depth = shapes.iter().map(BoxShape::col_vars).max().unwrap_or(0);
    let mut started = 0;
    for left in (0..=depth).rev() {
        let joining: Vec<usize> =
            (0..shapes.len()).filter(|&i| shapes[i].col_vars() == left).collect();
        let is_drawn = !joining.is_empty() && started + joining.len() > 1;
        let beta = if is_drawn { channel.challenge("product batching") } else { F128::ONE };
        let weights = powers(beta).skip(usize::from(started > 0));
        started += joining.len();
        for (i, weight) in joining.into_iter().zip(weights) {
            claims[i].weights = vec![weight];
        }
        if left == 0 {
            break;
        }
        let joined =
            trees.par_iter_mut().enumerate().filter(|&(i, _)| shapes[i].col_vars() >= left);
        let instances: Vec<(usize, PairProduct<'_>)> =
            joined.map(|(i, tree)| (i, tree.level(left - 1, &claims[i], known[i]))).collect();
        let (ends, instances) = prove_level(channel, &shapes, &mut claims, instances, left);
        let side = |k: usize| instances.iter().map(|(_, instance)| instance.values()[k]).collect();
        let factors = vec![side(0), side(1)];
        let joined =
            join::prove(channel, "product level", vec![Product { weights: ends, factors }]);
        let low = channel.challenge("product column");
        for ((i, instance), weight) in instances.into_iter().zip(joined.weights) {
            let [even, odd] = instance.values();
            known[i] = Some([even, odd]);
            claims[i].values = vec![even + low * (even + odd)];
            claims[i].col_point.insert(0, low);
            claims[i].weights = vec![weight];
        }
    }
    let splits = trees.par_iter_mut().zip(claims.par_iter().zip(known));
    let instances = splits.map(|(tree, (claim, known))| tree.split(claim, known)).collect();
    drop(trees);
    prove_factors(channel, &own, claims, instances)
}

/// Takes leaves, which are products of factors, apart: `claims` have one value and weight each, `instances` the sumchecks
/// of those with more than one factor.
pub fn prove_factors(
    channel: &mut ProverChannel,
    shapes: &[BoxShape],
    mut claims: Vec<LeafClaim<F128>>,
    instances: Vec<Option<BoxProduct<'_>>>,
) -> Vec<LeafClaim<F128>> {
    let own_shapes = shapes;
    let shapes: &[BoxShape] = &argued(shapes);
    let fan_ins = fan_ins(shapes);
    if fan_ins.is_empty() {
        return claims;
    }
    let mut single = shapes.iter().zip(&claims).filter(|(shape, _)| shape.fan_in <= 1).peekable();
    let has_single = single.peek().is_some();
    if has_single {
        let value = |claim: &LeafClaim<F128>| claim.weights[0] * (claim.values[0] + F128::ONE);
        channel.send("single factors", single.map(|(_, claim)| value(claim)).sum());
    }
    let instances =
        instances.into_iter().enumerate().filter_map(|(i, instance)| Some((i, instance?)));
    let (ends, instances) = prove_level(channel, shapes, &mut claims, instances.collect(), 0);
    let values: Vec<Vec<F128>> = instances.iter().map(|(_, instance)| instance.values()).collect();
    let own = || instances.iter().map(|&(i, _)| &shapes[i]);
    let term = |&fan_in: &usize| {
        let value = |g: usize| {
            let of_tree = |((i, _), values): (&(usize, BoxProduct<'_>), &Vec<F128>)| {
                if shapes[*i].fan_in == fan_in { values[g] } else { F128::ZERO }
            };
            instances.iter().zip(&values).map(of_tree).collect()
        };
        let weights = of_fan_in(own(), &ends, fan_in);
        Product { weights, factors: (0..fan_in).map(value).collect() }
    };
    let joined = join::prove(channel, "product factors", fan_ins.iter().map(term).collect());
    let gamma = channel.challenge("factor batching");
    let place =
        if fan_ins.contains(&FOUR) { channel.challenges("column of four", 2) } else { vec![] };
    let gammas = factor_weights(&fan_ins, has_single, gamma, &place);
    let eq = eq_table(&place);
    for (((i, _), values), &weight) in instances.iter().zip(values).zip(&joined.weights) {
        let gammas = fan_ins.iter().zip(&gammas).filter(|&(&f, _)| f == shapes[*i].fan_in);
        let gammas = gammas.flat_map(|(_, gammas)| gammas);
        let claim = &mut claims[*i];
        claim.weights = gammas.map(|&gamma| gamma * weight).collect();
        claim.values = values;
        if own_shapes[*i].is_in_fours() {
            let value = kernels::inner_product(&claim.values, &eq);
            claim.out_of_fours(&place, value);
        }
    }
    claims
}

/// Proves the batch of a level `left` levels above the leaves, and moves the claims to its end; returns the weights of the
/// products there.
fn prove_level<I: Instance>(
    channel: &mut ProverChannel,
    shapes: &[BoxShape],
    claims: &mut [LeafClaim<F128>],
    mut instances: Vec<(usize, I)>,
    left: usize,
) -> (Vec<F128>, Vec<(usize, I)>) {
    let own: Vec<usize> = instances.iter().map(|(_, instance)| instance.shape().n_vars).collect();
    let weights = instances.iter().map(|&(i, _)| claims[i].weights[0]).collect();
    let mut batch: Vec<&mut dyn Instance> =
        instances.iter_mut().map(|(_, instance)| instance as &mut dyn Instance).collect();
    let (challenges, mut weights) = sumcheck::prove_weighted(channel, &mut batch, weights);
    for ((&(i, _), n_vars), weight) in instances.iter().zip(own).zip(&mut weights) {
        let point = &challenges[challenges.len() - n_vars..];
        let (rows, cols) = split_challenges(point, shapes[i].col_vars() - left);
        let claim = &mut claims[i];
        *weight = *weight * eq(&claim.row_point, &rows) * eq(&claim.col_point, &cols);
        (claim.row_point, claim.col_point) = (rows, cols);
    }
    (weights, instances)
}

impl LeafClaim<F128> {
    /// Sends the value of the only factor of a tree's leaves, which takes it out of the sum.
    pub fn send(&self, channel: &mut ProverChannel) {
        channel.send("leaf value", self.values[0]);
    }
}
