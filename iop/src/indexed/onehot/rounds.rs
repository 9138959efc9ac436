//! What tests of the stages' instances share.

use binfer_field::F128;
use proptest::prelude::*;

use crate::sumcheck::{Instance, univariate};

/// Coordinates of eq's points, and challenges, zero and one more often than by chance.
pub(super) fn coordinate() -> impl Strategy<Value = F128> {
    prop_oneof![2 => any::<u128>().prop_map(F128::new), 1 => Just(F128::ONE), 1 => Just(F128::ZERO)]
}

/// Runs all rounds, each of which has to add up to the claim that the one before left: the point, lowest variable first, and the
/// last claim.
pub(super) fn last_claim(
    instance: &mut impl Instance,
    mut claim: F128,
    mut challenges: Vec<F128>,
) -> Result<(Vec<F128>, F128), TestCaseError> {
    for &r in &challenges {
        let round = instance.round();
        prop_assert_eq!(univariate(&round, F128::ZERO) + univariate(&round, F128::ONE), claim);
        claim = univariate(&round, r);
        instance.bind(r);
    }
    challenges.reverse();
    Ok((challenges, claim))
}
