//! The verifier of a forest of product trees.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use binfer_field::F128;

use super::shape::split_challenges;
use super::{BoxShape, LeafClaim, RootClaim};
use crate::channel::{SoundnessTerm, VerifierChannel, VerifyError};
use crate::multilinear::eq;
use crate::sumcheck;

/// Reduces claims on the outputs of trees to claims on their leaves' factors.
///
/// # Errors
/// Those of the channel, and [`VerifyError::CheckFailed`] where a level does not close.
pub fn verify<C: VerifierChannel>(
    channel: &mut C,
    shapes: &[BoxShape],
    roots: Vec<RootClaim<C::Elem>>,
) -> Result<Vec<LeafClaim<C::Elem>>, VerifyError> {
    let leaf = |root: RootClaim<C::Elem>| LeafClaim {
        row_point: root.row_point,
        col_point: Vec::new(),
        values: vec![root.value],
    };
    let mut claims: Vec<_> = roots.into_iter().map(leaf).collect();
    let depth = shapes.iter().map(BoxShape::col_vars).max().unwrap_or(0);
    for level in 0..depth {
        verify_level(channel, shapes, &mut claims, |shape| {
            (shape.col_vars() > level).then_some((level, 2))
        })?;
        let low = channel.challenge("product column");
        channel.soundness(SoundnessTerm::schwartz_zippel("product column", 1.0));
        for (_, claim) in shapes.iter().zip(&mut claims).filter(|(s, _)| s.col_vars() > level) {
            if let [even, odd] = *claim.values.as_slice() {
                claim.values = vec![even + (even + odd) * low];
                claim.col_point.insert(0, low);
            }
        }
    }
    verify_level(channel, shapes, &mut claims, |shape| {
        (shape.fan_in > 1).then_some((shape.col_vars(), shape.fan_in))
    })?;
    Ok(claims)
}

/// One batched level: `active` tells which trees take part, with their column variables and factors.
fn verify_level<C: VerifierChannel>(
    channel: &mut C,
    shapes: &[BoxShape],
    claims: &mut [LeafClaim<C::Elem>],
    active: impl Fn(&BoxShape) -> Option<(usize, usize)>,
) -> Result<(), VerifyError> {
    let one = C::Elem::from(F128::ONE);
    let mut instances = Vec::new();
    for (shape, claim) in shapes.iter().zip(claims.iter()) {
        if let (Some((cols, fan_in)), Some(&value)) = (active(shape), claim.values.first()) {
            let n_vars = cols.saturating_add(shape.row_vars());
            let degree = fan_in.saturating_add(1);
            instances.push((value + one, sumcheck::Shape { n_vars, degree }));
        }
    }
    if instances.is_empty() {
        return Ok(());
    }
    let reduced = sumcheck::verify(channel, &instances)?;
    let mut expected = C::Elem::from(F128::ZERO);
    let mut batch = instances.iter().zip(&reduced.weights);
    for (shape, claim) in shapes.iter().zip(claims.iter_mut()) {
        let Some((cols, fan_in)) = active(shape) else {
            continue;
        };
        let Some((&(_, instance), &weight)) = batch.next() else {
            continue;
        };
        let values = channel.receive_many("product factors", fan_in)?;
        let (row_point, col_point) = split_challenges(reduced.point(instance.n_vars), cols);
        let weight = weight * eq(&claim.row_point, &row_point) * eq(&claim.col_point, &col_point);
        expected += (values.iter().fold(one, |p, &v| p * v) + one) * weight;
        *claim = LeafClaim { row_point, col_point, values };
    }
    channel.assert_zero("product level", reduced.claim + expected)
}
