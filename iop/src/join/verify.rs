//! The verifier of joined instances.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use binfer_field::{F128, kernels};

use crate::channel::{VerifierChannel, VerifyError};
use crate::multilinear::log2_ceil;
use crate::sumcheck::verify_round;

/// The products of one kind.
#[derive(Clone, Debug)]
pub struct Term {
    /// The weight of each instance's product.
    pub weights: Vec<F128>,
    /// Factors of a product.
    pub factors: usize,
}

/// What is known of the values in the end.
#[derive(Clone, Debug)]
pub struct Joined<E> {
    /// `eq(r, i)` for each instance.
    pub weights: Vec<F128>,
    /// For each term and factor, the sum of the instances' values times these weights.
    pub values: Vec<Vec<E>>,
}

/// Verifies a sum over instances of weighted products of their values; `label` is that of the values and of their check.
///
/// # Errors
/// Those of the channel, and a failed check where the sum has another value.
pub fn verify<C: VerifierChannel>(
    channel: &mut C,
    label: &'static str,
    mut claim: C::Elem,
    terms: &[Term],
) -> Result<Joined<C::Elem>, VerifyError> {
    let n = terms.iter().map(|term| term.weights.len()).max().unwrap_or(0);
    let most = terms.iter().map(|term| term.factors).max().unwrap_or(0);
    let mut point = Vec::new();
    for _ in 0..log2_ceil(n) {
        let (r, next) = verify_round(channel, claim, most.saturating_add(1))?;
        point.push(r);
        claim = next;
    }
    let mut weights = kernels::eq_table(&point);
    weights.truncate(n);
    let one = C::Elem::from(F128::ONE);
    let mut values = Vec::with_capacity(terms.len());
    for term in terms {
        let own = channel.receive_many(label, term.factors)?;
        let weight = term.weights.iter().zip(&weights).map(|(&w, &eq)| w * eq).sum::<F128>();
        claim += own.iter().fold(one, |product, &value| product * value) * weight;
        values.push(own);
    }
    channel.assert_zero(label, claim)?;
    Ok(Joined { weights, values })
}
