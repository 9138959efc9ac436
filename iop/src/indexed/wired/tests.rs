//! Claims with random weights, true and false, over random shapes.

use binfer_field::{F128, kernels::eq_table};
use binfer_hash::Transcript;
use proptest::prelude::*;
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::{AddWeights, Weights, WiredClaim, WiredInput, prove, verify};
use crate::channel::{Blank, Estimator, ProofReader, ProverChannel, VerifyError, log2_sum};
use crate::indexed::onehot::OneHotClaim;
use crate::multilinear::log2_ceil;

#[derive(Debug)]
struct Case {
    rows: usize,
    cols: usize,
    width: usize,
    index: Vec<u8>,
    weights: Vec<F128>,
    index_point: Vec<F128>,
    /// Of its value in the sum.
    weight: F128,
    value: F128,
}

/// The extension of `[column][row]` values at a point.
fn extension(values: &[F128], rows: usize, row_point: &[F128], col_point: &[F128]) -> F128 {
    let (row_eq, col_eq) = (eq_table(row_point), eq_table(col_point));
    let columns = values.chunks(rows).zip(&col_eq);
    columns.flat_map(|(column, &c)| column.iter().zip(&row_eq).map(move |(&v, &r)| c * r * v)).sum()
}

impl Weights for &Case {
    fn evaluate(&self, row_point: &[F128], col_point: &[F128]) -> F128 {
        extension(&self.weights, self.rows, row_point, col_point)
    }
}

impl AddWeights for &Case {
    fn add_to(&self, scale: F128, out: &mut [F128]) {
        out.iter_mut().zip(&self.weights).for_each(|(out, &w)| *out += scale * w);
    }
}

impl Case {
    /// Another claim on the same polynomial.
    fn other(&self, seed: u64) -> Self {
        let mut other = Self::random(self.rows, self.cols, self.width, seed);
        (other.index, other.index_point) = (self.index.clone(), self.index_point.clone());
        other.value = other.one_hot().iter().zip(&other.weights).map(|(&o, &w)| o * w).sum();
        other
    }

    fn random(rows: usize, cols: usize, width: usize, seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let index: Vec<u8> =
            (0..rows * cols).map(|_| rng.random_range(0..1u32 << width) as u8).collect();
        let mut weights: Vec<F128> = (0..rows * cols).map(|_| F128::random(&mut rng)).collect();
        weights.iter_mut().step_by(3).for_each(|w| *w = F128::ZERO);
        let index_point: Vec<F128> = (0..width).map(|_| F128::random(&mut rng)).collect();
        let (weight, value) = (F128::random(&mut rng), F128::ZERO);
        let mut case = Self { rows, cols, width, index, weights, index_point, weight, value };
        case.value = case.one_hot().iter().zip(&case.weights).map(|(&o, &w)| o * w).sum();
        case
    }

    fn one_hot(&self) -> Vec<F128> {
        let eq = eq_table(&self.index_point);
        self.index.iter().map(|&i| eq[usize::from(i)]).collect()
    }

    fn claim<E, W>(&self, view: usize, weights: W, value: E) -> WiredClaim<E, W> {
        let (rows, cols, index_point) = (self.rows, self.cols, self.index_point.clone());
        WiredClaim { view, rows, cols, index_point, weights, weight: self.weight, value }
    }

    /// Stands for what comes after: evaluates the one-hot polynomial.
    fn weighted(&self, claim: &OneHotClaim<Blank>) -> F128 {
        assert_eq!(claim.index_point.len(), self.width);
        let value = extension(&self.one_hot(), self.rows, &claim.row_point, &claim.col_point);
        claim.weight * value
    }
}

/// The number of each case's view: cases with one index matrix have one view.
fn views(cases: &[Case]) -> Vec<usize> {
    let first = |case: &Case| cases.iter().position(|other| other.index == case.index);
    cases.iter().filter_map(first).collect()
}

fn prove_all(cases: &[Case]) -> Vec<u8> {
    let mut channel = ProverChannel::new(Transcript::new("test"));
    let mut inputs = Vec::new();
    for (view, case) in views(cases).into_iter().zip(cases) {
        let claim = case.claim(view, case, case.value);
        inputs.push(WiredInput { claim, indices: &case.index });
    }
    prove(&mut channel, &inputs);
    channel.finish()
}

fn verify_all(cases: &[Case], proof: &[u8]) -> Result<(), VerifyError> {
    let mut channel = ProofReader::new(Transcript::new("test"), proof);
    let numbers = views(cases);
    let claims: Vec<_> =
        numbers.iter().zip(cases).map(|(&v, case)| case.claim(v, case, Blank)).collect();
    let sum = cases.iter().map(|case| case.weight * case.value).sum();
    let hot = verify(&mut channel, &claims, sum)?;
    channel.finish()?;
    let sum: F128 = hot.claims.iter().map(|claim| cases[claim.view].weighted(claim)).sum();
    if sum == hot.value { Ok(()) } else { Err(VerifyError::CheckFailed { label: "test opening" }) }
}

fn cases() -> impl Strategy<Value = Vec<Case>> {
    let case = (1usize..40, 1usize..20, 1usize..=8, any::<u64>());
    prop::collection::vec(case, 1..4).prop_map(|cases| {
        let case = |(r, c, w, s)| Case::random(r, c, w, s);
        let mut cases: Vec<Case> = cases.into_iter().map(case).collect();
        let other = cases[0].other(cases[0].index_point[0].to_le_bytes()[0].into());
        cases.push(other);
        cases
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn true_claims_are_proved(cases in cases()) {
        prop_assert_eq!(verify_all(&cases, &prove_all(&cases)), Ok(()));
    }

    #[test]
    fn a_false_claim_is_rejected(mut cases in cases(), which: prop::sample::Index) {
        let i = which.index(cases.len());
        cases[i].value += F128::ONE;
        prop_assert!(verify_all(&cases, &prove_all(&cases)).is_err());
    }

    #[test]
    fn other_weights_or_indices_are_rejected(mut cases in cases(), which: prop::sample::Index, at: prop::sample::Index) {
        let proof = prove_all(&cases);
        let i = which.index(cases.len());
        let at = at.index(cases[i].index.len());
        cases[i].weights[at] += F128::ONE;
        prop_assert!(verify_all(&cases, &proof).is_err());
        cases[i].weights[at] += F128::ONE;
        let index = cases[i].index.clone();
        cases.iter_mut().filter(|case| case.index == index).for_each(|case| case.index[at] ^= 1);
        prop_assert!(verify_all(&cases, &proof).is_err());
    }
}

#[test]
fn a_change_of_any_element_is_rejected() {
    let first = Case::random(5, 3, 8, 1);
    let cases = [first.other(3), first, Case::random(17, 6, 3, 2)];
    let proof = prove_all(&cases);
    for element in 0..proof.len() / 16 {
        let mut changed = proof.clone();
        changed[16 * element + element % 16] ^= 1;
        assert!(verify_all(&cases, &changed).is_err(), "element {element}");
    }
}

#[test]
fn estimate_matches_the_proof_and_the_stated_error() {
    let first = Case::random(20, 12, 8, 1);
    let cases = [first.other(3), first, Case::random(3, 5, 2, 2)];
    let numbers = views(&cases);
    let claims: Vec<_> =
        numbers.iter().zip(&cases).map(|(&view, case)| case.claim(view, case, Blank)).collect();
    let mut estimator = Estimator::new();
    assert!(verify(&mut estimator, &claims, Blank).is_ok());
    assert_eq!(estimator.bytes(), prove_all(&cases).len());
    // Two of the three are one in the sumcheck; the other two are joined in one round.
    let n = log2_ceil(20) + log2_ceil(12);
    assert_eq!(estimator.bytes(), 16 * (2 * n + 2 + 1));
    let error = log2_sum(estimator.terms().iter().map(|t| t.log2_error)) + 128.0;
    assert!((error.exp2() - (2 * n + 2) as f64).abs() < 1e-9);
}
