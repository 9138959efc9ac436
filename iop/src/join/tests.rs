//! Sums over random numbers of instances, true and false.

use binfer_field::{F128, kernels};
use binfer_hash::Transcript;
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};

use super::{Product, Term, prove, verify};
use crate::channel::{Estimator, ProofReader, ProverChannel, VerifyError, log2_sum};

struct Case {
    weights: Vec<Vec<F128>>,
    values: Vec<Vec<Vec<F128>>>,
}

impl Case {
    fn random(n: usize, factors: &[usize], seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut vector = || (0..n).map(|_| F128::random(&mut rng)).collect::<Vec<_>>();
        let weights = factors.iter().map(|_| vector()).collect();
        let values = factors.iter().map(|&k| (0..k).map(|_| vector()).collect()).collect();
        Self { weights, values }
    }

    fn sum(&self) -> F128 {
        let products = self.weights.iter().zip(&self.values).flat_map(|(weights, values)| {
            let product = |i: usize| values.iter().map(|v| v[i]).product::<F128>();
            weights.iter().enumerate().map(move |(i, &w)| w * product(i))
        });
        products.sum()
    }

    fn terms(&self) -> Vec<Term> {
        let pairs = self.weights.iter().cloned().zip(&self.values);
        pairs.map(|(weights, values)| Term { weights, factors: values.len() }).collect()
    }

    fn prove(&self) -> Vec<u8> {
        let mut channel = ProverChannel::new(Transcript::new("test"));
        let pairs = self.weights.iter().cloned().zip(self.values.iter().cloned());
        let terms = pairs.map(|(weights, factors)| Product { weights, factors }).collect();
        prove(&mut channel, "values", terms);
        channel.finish()
    }

    fn verify(&self, claim: F128, proof: &[u8]) -> Result<(), VerifyError> {
        let mut channel = ProofReader::new(Transcript::new("test"), proof);
        let joined = verify(&mut channel, "values", claim, &self.terms())?;
        channel.finish()?;
        let sent = joined.values.iter().flatten();
        for (&value, vector) in sent.zip(self.values.iter().flatten()) {
            if kernels::inner_product(vector, &joined.weights) != value {
                return Err(VerifyError::CheckFailed { label: "test opening" });
            }
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn sums_are_proved(n in 1usize..40, factors in prop::collection::vec(1usize..6, 1..4), seed: u64) {
        let case = Case::random(n, &factors, seed);
        prop_assert_eq!(case.verify(case.sum(), &case.prove()), Ok(()));
    }

    #[test]
    fn another_sum_or_value_is_rejected(n in 1usize..20, factors in prop::collection::vec(1usize..4, 1..3), seed: u64, at: prop::sample::Index) {
        let mut case = Case::random(n, &factors, seed);
        let (sum, proof) = (case.sum(), case.prove());
        prop_assert!(case.verify(sum + F128::ONE, &proof).is_err());
        case.values[0][0][at.index(n)] += F128::ONE;
        prop_assert!(case.verify(sum, &proof).is_err());
        prop_assert!(case.verify(sum, &case.prove()).is_err());
    }

    #[test]
    fn a_changed_byte_is_rejected(n in 1usize..20, factors in prop::collection::vec(1usize..4, 1..3), seed: u64, at: prop::sample::Index) {
        let case = Case::random(n, &factors, seed);
        let mut proof = case.prove();
        let at = at.index(proof.len());
        proof[at] ^= 1;
        prop_assert!(case.verify(case.sum(), &proof).is_err());
    }
}

#[test]
fn estimate_matches_the_proof_and_the_stated_error() {
    let case = Case::random(11, &[4, 2], 1);
    let mut estimator = Estimator::new();
    assert!(verify(&mut estimator, "values", crate::channel::Blank, &case.terms()).is_ok());
    assert_eq!(estimator.bytes(), case.prove().len());
    assert_eq!(estimator.bytes(), 16 * (5 * 4 + 4 + 2));
    let error = log2_sum(estimator.terms().iter().map(|t| t.log2_error)) + 128.0;
    assert!((error.exp2() - 20.0).abs() < 1e-9);
}
