//! The prover of a forest of product trees.

use binfer_field::F128;

use super::pairs::PairProduct;
use super::shape::split_challenges;
use super::{BoxProduct, LeafClaim, RootClaim, Tree};
use crate::channel::ProverChannel;
use crate::sumcheck::{self, Instance};

/// Reduces claims on the outputs of `trees` to claims on their leaves' factors, spoiling each level
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
        values: vec![root.value],
    };
    let mut claims: Vec<_> = roots.into_iter().map(leaf).collect();
    // The values of a level's even and odd columns, which the level below takes apart.
    let mut known: Vec<Option<[F128; 2]>> = vec![None; trees.len()];
    let depth = trees.iter().map(|t| t.shape().col_vars()).max().unwrap_or(0);
    for above in 0..depth {
        let mut instances: Vec<(usize, PairProduct<'_>)> = Vec::new();
        for (i, tree) in trees.iter_mut().enumerate() {
            if let Some(level) = tree.shape().col_vars().checked_sub(above + 1) {
                instances.push((i, tree.level(level, &claims[i], known[i])));
            }
        }
        for (i, point, instance) in prove_level(channel, instances) {
            let values = instance.values();
            channel.send_many("product factors", &values);
            known[i] = Some(values);
            let (row_point, col_point) = split_challenges(&point, above);
            claims[i] = LeafClaim { row_point, col_point, values: Vec::new() };
        }
        let low = channel.challenge("product column");
        for (claim, known) in claims.iter_mut().zip(&known) {
            if let (true, Some([even, odd])) = (claim.values.is_empty(), known) {
                claim.values = vec![*even + low * (*even + *odd)];
                claim.col_point.insert(0, low);
            }
        }
    }
    let mut instances = Vec::new();
    for (i, tree) in trees.iter_mut().enumerate() {
        let shape = tree.shape();
        if shape.fan_in > 1 {
            instances.push((i, BoxProduct::new(shape, tree.take_factors(), &claims[i])));
        }
    }
    drop(trees);
    for (i, point, instance) in prove_level(channel, instances) {
        let values = instance.values().to_vec();
        channel.send_many("product factors", &values);
        let (row_point, col_point) = split_challenges(&point, claims[i].col_point.len());
        claims[i] = LeafClaim { row_point, col_point, values };
    }
    claims
}

/// Proves one batch; returns each instance with its own challenges.
fn prove_level<I: Instance>(
    channel: &mut ProverChannel,
    mut instances: Vec<(usize, I)>,
) -> Vec<(usize, Vec<F128>, I)> {
    if instances.is_empty() {
        return Vec::new();
    }
    let shapes: Vec<_> = instances.iter().map(|(_, instance)| instance.shape()).collect();
    let mut batch: Vec<&mut dyn Instance> =
        instances.iter_mut().map(|(_, instance)| instance as &mut dyn Instance).collect();
    let challenges = sumcheck::prove(channel, &mut batch);
    let own = |n_vars: usize| challenges[challenges.len() - n_vars..].to_vec();
    let points = shapes.iter().map(|shape| own(shape.n_vars));
    instances.into_iter().zip(points).map(|((i, instance), point)| (i, point, instance)).collect()
}
