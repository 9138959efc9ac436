//! Completeness over random shapes, wrong claims, tampering and the count of messages and errors.

use binfer_field::{F128, kernels::eq_table};
use binfer_hash::Transcript;
use proptest::prelude::*;
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::*;
use crate::channel::{Blank, Estimator, ProofReader, ProverChannel, VerifyError, log2_sum};

fn evaluate(vector: &[F128], point: &[F128]) -> F128 {
    vector.iter().zip(eq_table(point)).map(|(&f, e)| f * e).sum()
}

struct Case {
    n_vars: usize,
    vectors: Vec<Vec<F128>>,
    claims: Vec<EvaluationClaim<F128>>,
}

fn case(n_vars: usize, n_vectors: usize, n_claims: usize, seed: u64) -> Case {
    let rng = &mut StdRng::seed_from_u64(seed);
    let vectors: Vec<Vec<F128>> = (0..n_vectors)
        .map(|_| (0..rng.random_range(0..=1 << n_vars)).map(|_| F128::random(rng)).collect())
        .collect();
    let claims = (0..n_claims)
        .map(|_| {
            let vector = rng.random_range(0..n_vectors);
            let point: Vec<F128> = (0..n_vars).map(|_| F128::random(rng)).collect();
            let value = evaluate(&vectors[vector], &point);
            EvaluationClaim { vector, point, value }
        })
        .collect();
    Case { n_vars, vectors, claims }
}

/// Proves, tampers, verifies, and opens what is left as a commitment would.
fn run(case: &Case, tamper: impl Fn(&mut Vec<u8>)) -> Result<(), VerifyError> {
    let mut prover = ProverChannel::new(Transcript::new("test"));
    let vectors: Vec<&[F128]> = case.vectors.iter().map(Vec::as_slice).collect();
    prove(&mut prover, case.n_vars, &vectors, &case.claims);
    let mut proof = prover.finish();
    tamper(&mut proof);
    let mut reader = ProofReader::new(Transcript::new("test"), &proof);
    let left = verify(&mut reader, case.n_vars, vectors.len(), &case.claims)?;
    reader.finish()?;
    for (vector, &value) in vectors.iter().zip(&left.values) {
        if evaluate(vector, &left.point) != value {
            return Err(VerifyError::CheckFailed { label: "test opening" });
        }
    }
    Ok(())
}

fn any_case() -> impl Strategy<Value = Case> {
    (0usize..8, 1usize..4, 0usize..6, any::<u64>())
        .prop_map(|(n_vars, n_vectors, n_claims, seed)| case(n_vars, n_vectors, n_claims, seed))
}

impl core::fmt::Debug for Case {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let lengths: Vec<usize> = self.vectors.iter().map(Vec::len).collect();
        write!(f, "{} variables, lengths {lengths:?}, {} claims", self.n_vars, self.claims.len())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn true_claims_are_proved(case in any_case()) {
        prop_assert_eq!(run(&case, |_| ()), Ok(()));
    }

    #[test]
    fn a_wrong_claim_is_rejected(mut case in any_case(), which: prop::sample::Index) {
        prop_assume!(!case.claims.is_empty());
        let i = which.index(case.claims.len());
        case.claims[i].value += F128::ONE;
        prop_assert!(run(&case, |_| ()).is_err());
    }

    #[test]
    fn a_changed_byte_is_rejected(case in any_case(), at: prop::sample::Index) {
        let flip = |proof: &mut Vec<u8>| { let i = at.index(proof.len()); proof[i] ^= 1; };
        prop_assert!(run(&case, flip).is_err());
    }
}

#[test]
fn truncated_and_extended_proofs_are_rejected() {
    let case = case(4, 2, 3, 1);
    assert_eq!(run(&case, |p| p.truncate(p.len() - 1)), Err(VerifyError::Truncated));
    assert_eq!(run(&case, |p| p.push(0)), Err(VerifyError::Trailing { bytes: 1 }));
}

#[test]
fn claims_outside_the_statement_are_rejected() {
    for (vector, n_coordinates) in [(1, 3), (0, 2)] {
        let point = vec![F128::ONE; n_coordinates];
        let claims = [EvaluationClaim { vector, point, value: F128::ZERO }];
        let mut reader = ProofReader::new(Transcript::new("test"), &[]);
        let expected = VerifyError::CheckFailed { label: "claims shape" };
        assert_eq!(verify(&mut reader, 3, 1, &claims), Err(expected));
    }
}

#[test]
fn estimate_matches_the_proof_and_the_stated_error() {
    let case = case(6, 2, 5, 3);
    let blank = |c: &EvaluationClaim<F128>| EvaluationClaim {
        vector: c.vector,
        point: c.point.clone(),
        value: Blank,
    };
    let claims: Vec<_> = case.claims.iter().map(blank).collect();
    let mut estimator = Estimator::new();
    assert!(verify(&mut estimator, 6, 2, &claims).is_ok());
    assert_eq!(estimator.bytes(), 16 * (2 * 6 + 2));
    let most = (0..2).map(|j| claims.iter().filter(|c| c.vector == j).count()).max().unwrap();
    let error = log2_sum(estimator.terms().iter().map(|t| t.log2_error)) + 128.0;
    assert!((error.exp2() - (most - 1 + 2 + 2 * 6) as f64).abs() < 1e-9);
}
