//! The prover of a forest of product trees.

use binfer_field::F128;

use super::shape::split_challenges;
use super::{BoxProduct, BoxShape, LeafClaim, RootClaim, Tree};
use crate::channel::ProverChannel;
use crate::sumcheck::{self, Instance};

/// Reduces claims on the outputs of `trees` to claims on their leaves' factors, consuming each level
/// as it is used. `roots` must be true claims.
pub fn prove(
    channel: &mut ProverChannel,
    mut trees: Vec<Tree>,
    roots: Vec<RootClaim<F128>>,
) -> Vec<LeafClaim<F128>> {
    assert_eq!(trees.len(), roots.len());
    let leaf = |root: RootClaim<F128>| LeafClaim {
        row_point: root.row_point,
        col_point: Vec::new(),
        values: vec![root.value],
    };
    let mut claims: Vec<_> = roots.into_iter().map(leaf).collect();
    let depth = trees.iter().map(|t| t.shape.col_vars()).max().unwrap_or(0);
    for tree in &mut trees {
        tree.levels.pop();
        let largest = tree.levels.first().map_or(0, Vec::len).max(tree.factors.len());
        tree.room.reserve(largest.div_ceil(2));
    }
    for level in 0..depth {
        prove_level(channel, &mut trees, &mut claims, |tree| {
            let shape = tree.shape;
            (shape.col_vars() > level).then(|| {
                let data = tree.levels.pop().unwrap_or_default();
                (BoxShape { cols: data.len() / (2 * shape.rows), fan_in: 2, ..shape }, data)
            })
        });
        let low = channel.challenge("product column");
        for (_, claim) in trees.iter().zip(&mut claims).filter(|(t, _)| t.shape.col_vars() > level)
        {
            let (even, odd) = (claim.values[0], claim.values[1]);
            claim.values = vec![even + low * (even + odd)];
            claim.col_point.insert(0, low);
        }
    }
    prove_level(channel, &mut trees, &mut claims, |tree| {
        (tree.shape.fan_in > 1).then(|| (tree.shape, core::mem::take(&mut tree.factors)))
    });
    claims
}

fn prove_level(
    channel: &mut ProverChannel,
    trees: &mut [Tree],
    claims: &mut [LeafClaim<F128>],
    mut level: impl FnMut(&mut Tree) -> Option<(BoxShape, Vec<F128>)>,
) {
    let mut instances: Vec<(usize, usize, BoxProduct)> = Vec::new();
    for (i, tree) in trees.iter_mut().enumerate() {
        if let Some((shape, data)) = level(tree) {
            let room = core::mem::take(&mut tree.room);
            let instance = BoxProduct::new(shape, data, &claims[i]).with_room(room);
            instances.push((i, shape.col_vars(), instance));
        }
    }
    if instances.is_empty() {
        return;
    }
    let shapes: Vec<_> = instances.iter().map(|(.., instance)| instance.shape()).collect();
    let mut batch: Vec<&mut dyn Instance> =
        instances.iter_mut().map(|(.., instance)| instance as &mut dyn Instance).collect();
    let challenges = sumcheck::prove(channel, &mut batch);
    for ((i, cols, instance), shape) in instances.into_iter().zip(shapes) {
        let values = instance.values().to_vec();
        channel.send_many("product factors", &values);
        let point = &challenges[challenges.len() - shape.n_vars..];
        let (row_point, col_point) = split_challenges(point, cols);
        claims[i] = LeafClaim { row_point, col_point, values };
        trees[i].room = instance.into_room();
    }
}
