//! The verifier of a forest of product trees.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use binfer_field::F128;

use super::shape::{FOUR, argued, factor_weights, split_challenges};
use super::{BoxShape, LeafClaim, RootClaim};
use crate::channel::{Blank, Element, SoundnessTerm, VerifierChannel, VerifyError};
use crate::join::{self, Combined, Term};
use crate::multilinear::{eq, powers};
use crate::sumcheck::{self, Shape};

/// What a verifier knows of the leaves of a forest's trees.
pub type LeafClaims<E> = Combined<LeafClaim<Blank>, E>;

const SHAPES: VerifyError = VerifyError::CheckFailed { label: "product shapes" };

/// Reduces claims on the outputs of trees to one on their leaves' factors.
///
/// # Errors
/// Those of the channel, and [`VerifyError::CheckFailed`] where a level does not close.
pub fn verify<C: VerifierChannel>(
    channel: &mut C,
    shapes: &[BoxShape],
    roots: Vec<RootClaim<C::Elem>>,
) -> Result<LeafClaims<C::Elem>, VerifyError> {
    let own = shapes;
    let shapes: &[BoxShape] = &argued(shapes);
    let one = C::Elem::from(F128::ONE);
    let mut sum = C::Elem::from(F128::ZERO);
    let mut started = 0usize;
    let values: Vec<C::Elem> = roots.iter().map(|root| root.value).collect();
    let leaf = |root: RootClaim<C::Elem>| LeafClaim {
        row_point: root.row_point,
        col_point: Vec::new(),
        weights: Vec::new(),
        values: vec![Blank],
    };
    let mut claims: Vec<LeafClaim<Blank>> = roots.into_iter().map(leaf).collect();
    let depth = shapes.iter().map(BoxShape::col_vars).max().unwrap_or(0);
    for left in (0..=depth).rev() {
        // Trees whose roots are as many levels above their leaves join.
        let joining = shapes.iter().filter(|shape| shape.col_vars() == left).count();
        let beta = if joining > 0 && started.saturating_add(joining) > 1 {
            let degree = if started > 0 { joining } else { joining.saturating_sub(1) };
            channel.soundness(SoundnessTerm::schwartz_zippel("product batching", degree as f64));
            channel.challenge("product batching")
        } else {
            F128::ONE
        };
        // The sum so far weighs one.
        let mut weights = powers(beta).skip(usize::from(started > 0));
        started = started.saturating_add(joining);
        for ((shape, claim), &value) in shapes.iter().zip(&mut claims).zip(&values) {
            if shape.col_vars() == left {
                let weight = weights.next().ok_or(SHAPES)?;
                claim.weights = vec![weight];
                sum += (value + one) * weight;
            }
        }
        if left > 0 {
            sum = verify_level(channel, shapes, &mut claims, sum, left)?;
        }
    }
    verify_factors(channel, own, Combined { claims, value: sum })
}

/// The batch of a level `left` levels above the leaves: from `sum_i w_i (V_i(z_i) + 1)` over the trees for which `factors` tells
/// how many values `V_i` is the product of there, to the sum of those products at the batch's end, where the claims move to.
/// Returns it with the products' weights.
fn verify_batch<C: VerifierChannel>(
    channel: &mut C,
    shapes: &[BoxShape],
    claims: &mut [LeafClaim<Blank>],
    sum: C::Elem,
    left: usize,
    factors: impl Fn(&BoxShape) -> Option<usize>,
) -> Result<(C::Elem, Vec<F128>), VerifyError> {
    let (mut active, mut batch, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    for (shape, claim) in shapes.iter().zip(claims) {
        let Some(factors) = factors(shape) else { continue };
        let cols = shape.col_vars().checked_sub(left).ok_or(SHAPES)?;
        let n_vars = cols.saturating_add(shape.row_vars());
        batch.push(Shape { n_vars, degree: factors.saturating_add(1) });
        weights.push(claim.weights.first().copied().ok_or(SHAPES)?);
        active.push((claim, cols));
    }
    let reduced = sumcheck::verify_weighted(channel, sum, &batch, weights)?;
    let mut weights = Vec::with_capacity(batch.len());
    for (((claim, cols), own), &weight) in active.into_iter().zip(&batch).zip(&reduced.weights) {
        let (rows, cols) = split_challenges(reduced.point(own.n_vars), cols);
        weights.push(weight * eq(&claim.row_point, &rows) * eq(&claim.col_point, &cols));
        (claim.row_point, claim.col_point) = (rows, cols);
    }
    // The summands are the products plus one.
    let all = C::Elem::from(weights.iter().copied().sum());
    Ok((reduced.claim + all, weights))
}

/// One level, `left` levels above the leaves: from `sum_i w_i (V_i(z_i) + 1)` over the trees that have it to the same
/// of the level below.
fn verify_level<C: VerifierChannel>(
    channel: &mut C,
    shapes: &[BoxShape],
    claims: &mut [LeafClaim<Blank>],
    sum: C::Elem,
    left: usize,
) -> Result<C::Elem, VerifyError> {
    let has_level = |shape: &BoxShape| shape.col_vars() >= left;
    let halves = |shape: &BoxShape| has_level(shape).then_some(2);
    let (sum, weights) = verify_batch(channel, shapes, claims, sum, left, halves)?;
    let joined = join::verify(channel, "product level", sum, &[Term { weights, factors: 2 }])?;
    let low = channel.challenge("product column");
    channel.soundness(SoundnessTerm::schwartz_zippel("product column", 1.0));
    let Some([even, odd]) = joined.values.first().map(Vec::as_slice) else { return Err(SHAPES) };
    let of_trees = shapes.iter().zip(claims).filter(|(shape, _)| has_level(shape));
    for ((_, claim), &weight) in of_trees.zip(&joined.weights) {
        claim.col_point.insert(0, low);
        claim.weights = vec![weight];
    }
    Ok(*even + (*even + *odd) * low + C::Elem::from(joined.weights.iter().copied().sum()))
}

/// Takes leaves, which are products of `fan_in` factors each, apart: from the sum of `w_i (L_i(z_i) + 1)` over the trees to a
/// sum over all factors. A claim has one weight here, and a weight a factor afterwards.
///
/// # Errors
/// Those of the channel, and a failed check where the sumcheck does not close.
pub fn verify_factors<C: VerifierChannel>(
    channel: &mut C,
    shapes: &[BoxShape],
    leaves: LeafClaims<C::Elem>,
) -> Result<LeafClaims<C::Elem>, VerifyError> {
    let Combined { mut claims, mut value } = leaves;
    let own_shapes = shapes;
    let shapes: &[BoxShape] = &argued(shapes);
    let fan_ins = fan_ins(shapes);
    if fan_ins.is_empty() {
        return Ok(Combined { claims, value });
    }
    // Leaves of one factor are what they were.
    let has_single = shapes.iter().any(|shape| shape.fan_in <= 1);
    let single =
        if has_single { channel.receive("single factors")? } else { C::Elem::from(F128::ZERO) };
    value += single;
    let factors = |shape: &BoxShape| (shape.fan_in > 1).then_some(shape.fan_in);
    let (sum, weights) = verify_batch(channel, shapes, &mut claims, value, 0, factors)?;
    let own = || shapes.iter().filter(|shape| shape.fan_in > 1);
    let term = |&factors: &usize| Term { weights: of_fan_in(own(), &weights, factors), factors };
    let terms: Vec<Term> = fan_ins.iter().map(term).collect();
    let joined = join::verify(channel, "product factors", sum, &terms)?;
    let gamma = channel.challenge("factor batching");
    let place = if fan_ins.contains(&FOUR) {
        channel.soundness(SoundnessTerm::schwartz_zippel("column of four", 2.0));
        channel.challenges("column of four", 2)
    } else {
        vec![]
    };
    let n_powers = fan_ins
        .iter()
        .fold(0usize, |n, &fan_in| n.saturating_add(if fan_in == FOUR { 1 } else { fan_in }));
    let degree = if has_single { n_powers } else { n_powers.saturating_sub(1) };
    channel.soundness(SoundnessTerm::schwartz_zippel("factor batching", degree as f64));
    let gammas = factor_weights(&fan_ins, has_single, gamma, &place);
    value = single;
    for ((&fan_in, values), gammas) in fan_ins.iter().zip(&joined.values).zip(&gammas) {
        let inside = of_fan_in(own(), &joined.weights, fan_in).into_iter().sum::<F128>();
        for (&factor, &gamma) in values.iter().zip(gammas) {
            value += (factor + C::Elem::from(inside)) * gamma;
        }
        let of_trees = shapes.iter().zip(own_shapes).zip(claims.iter_mut());
        let of_trees = of_trees.filter(|((shape, _), _)| shape.fan_in > 1).zip(&joined.weights);
        for (((_, own), claim), &weight) in
            of_trees.filter(|(((shape, _), _), _)| shape.fan_in == fan_in)
        {
            claim.weights = gammas.iter().map(|&gamma| gamma * weight).collect();
            claim.values = vec![Blank; fan_in];
            if own.is_in_fours() {
                claim.out_of_fours(&place, Blank);
            }
        }
    }
    Ok(Combined { claims, value })
}

/// The numbers of factors above one that leaves have, each once.
pub(super) fn fan_ins(shapes: &[BoxShape]) -> Vec<usize> {
    let mut fan_ins: Vec<usize> = shapes.iter().map(|s| s.fan_in).filter(|&f| f > 1).collect();
    fan_ins.sort_unstable();
    fan_ins.dedup();
    fan_ins
}

/// The weights of the trees whose leaves have `fan_in` factors, zero for others.
pub(super) fn of_fan_in<'a>(
    shapes: impl Iterator<Item = &'a BoxShape>,
    weights: &[F128],
    fan_in: usize,
) -> Vec<F128> {
    let own = |(shape, &weight): (&BoxShape, &F128)| {
        if shape.fan_in == fan_in { weight } else { F128::ZERO }
    };
    shapes.zip(weights).map(own).collect()
}

impl LeafClaim<Blank> {
    /// Receives the value of the only factor of a tree's leaves, and takes it out of the sum `left` that is known of all.
    ///
    /// # Errors
    /// Those of the channel, and a failed check where there are more factors.
    pub fn receive<C: VerifierChannel>(
        &self,
        channel: &mut C,
        left: &mut C::Elem,
    ) -> Result<C::Elem, VerifyError> {
        let [weight] = self.weights[..] else { return Err(SHAPES) };
        let value = channel.receive("leaf value")?;
        *left += (value + C::Elem::from(F128::ONE)) * weight;
        Ok(value)
    }
}

impl<E: Element> LeafClaims<E> {
    /// Receives the values of all trees' leaves, which have one factor each.
    ///
    /// # Errors
    /// Those of [`LeafClaim::receive`], and a failed check where they do not add up.
    pub fn receive_all<C: VerifierChannel<Elem = E>>(
        self,
        channel: &mut C,
    ) -> Result<Vec<LeafClaim<E>>, VerifyError> {
        let mut left = self.value;
        let mut claims = Vec::with_capacity(self.claims.len());
        for claim in self.claims {
            let values = vec![claim.receive(channel, &mut left)?];
            let LeafClaim { row_point, col_point, weights, .. } = claim;
            claims.push(LeafClaim { row_point, col_point, weights, values });
        }
        channel.assert_zero("leaf values", left)?;
        Ok(claims)
    }
}
