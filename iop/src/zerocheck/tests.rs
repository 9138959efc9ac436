//! Completeness over random systems, wrong witnesses, forged factors, tampering, messages and errors.

use binfer_field::{F128, kernels::eq_table};
use binfer_hash::Transcript;
use proptest::prelude::*;
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::*;
use crate::channel::{Estimator, ProofReader, ProverChannel, VerifyError, log2_sum};

/// One system with its planes.
#[derive(Clone, Debug)]
struct Case {
    constraints: Vec<Constraint>,
    n_planes: usize,
    tile_vars: Vec<usize>,
    /// `[tile][plane][word]`
    tiles: Vec<Vec<Vec<F128>>>,
}

impl Case {
    fn tiles(&self) -> SystemTiles<'_> {
        let tiles = self.tiles.iter().map(|tile| tile.iter().map(Vec::as_slice).collect());
        SystemTiles { constraints: &self.constraints, tiles: tiles.collect() }
    }

    fn system(&self) -> System<'_> {
        let tile_vars = self.tile_vars.clone();
        System { constraints: &self.constraints, n_planes: self.n_planes, tile_vars }
    }
}

const UNSETTLED: VerifyError = VerifyError::CheckFailed { label: "test opening" };

fn bit(plane: &[F128], x: usize) -> bool {
    plane[x / 128].to_bits() >> (x % 128) & 1 == 1
}

/// Random free planes and, for each constraint, a plane that the others determine.
fn case(tile_vars: &[usize], n_free: usize, n_constraints: usize, seed: u64) -> Case {
    let rng = &mut StdRng::seed_from_u64(seed);
    let n_planes = n_free + n_constraints;
    let constraints: Vec<Constraint> = (0..n_constraints)
        .map(|c| {
            let known = n_free + c;
            let mut linear: Vec<usize> =
                (0..rng.random_range(0..3)).map(|_| rng.random_range(0..known)).collect();
            linear.push(known);
            let products = (0..rng.random_range(0..4))
                .map(|_| (rng.random_range(0..known), rng.random_range(0..known)))
                .collect();
            Constraint { products, linear, constant: rng.random() }
        })
        .collect();
    let tiles = tile_vars
        .iter()
        .map(|&n| {
            let n_words = 1 << (n - 7);
            let mut planes: Vec<Vec<F128>> =
                (0..n_free).map(|_| (0..n_words).map(|_| F128::random(rng)).collect()).collect();
            for c in &constraints {
                let word = |w: usize| {
                    let mut bits = if c.constant { u128::MAX } else { 0 };
                    for &(a, b) in &c.products {
                        bits ^= planes[a][w].to_bits() & planes[b][w].to_bits();
                    }
                    let others = c.linear.iter().filter(|&&p| p < planes.len());
                    F128::new(others.fold(bits, |bits, &p| bits ^ planes[p][w].to_bits()))
                };
                let determined = (0..n_words).map(word).collect();
                planes.push(determined);
            }
            planes
        })
        .collect();
    Case { constraints, n_planes, tile_vars: tile_vars.to_vec(), tiles }
}

fn prove_cases(cases: &[Case]) -> (Vec<u8>, ZerocheckClaim<F128>) {
    let mut prover = ProverChannel::new(Transcript::new("test"));
    let systems: Vec<_> = cases.iter().map(Case::tiles).collect();
    let claim = prove(&mut prover, &systems);
    (prover.finish(), claim)
}

fn proof_of(cases: &[Case]) -> Vec<u8> {
    prove_cases(cases).0
}

fn systems(cases: &[Case]) -> Vec<System<'_>> {
    cases.iter().map(Case::system).collect()
}

/// The weighted sum of the planes that a claim is on.
fn weighted_sum(cases: &[Case], claim: &ZerocheckClaim<F128>) -> F128 {
    let mut total = F128::ZERO;
    for (case, weights) in cases.iter().zip(&claim.weights) {
        assert_eq!(weights.len(), case.tiles.len());
        for (tile, weights) in case.tiles.iter().zip(weights) {
            assert_eq!(weights.len(), tile.len());
            for (plane, &weight) in tile.iter().zip(weights) {
                let eq = eq_table(&claim.point[..plane.len().ilog2() as usize]);
                let set = (0..128 * plane.len()).filter(|&x| bit(plane, x));
                let value = set.map(|x| eq[x / 128] * claim.bit_weights[x % 128]);
                total += weight * value.sum::<F128>();
            }
        }
    }
    total
}

fn claim_of(cases: &[Case], proof: &[u8]) -> Result<ZerocheckClaim<F128>, VerifyError> {
    let mut reader = ProofReader::new(Transcript::new("test"), proof);
    let claim = verify(&mut reader, &systems(cases))?;
    reader.finish()?;
    Ok(claim)
}

/// Verifies, and settles what is left as a commitment would.
fn verify_cases(cases: &[Case], proof: &[u8]) -> Result<(), VerifyError> {
    let claim = claim_of(cases, proof)?;
    if weighted_sum(cases, &claim) == claim.value { Ok(()) } else { Err(UNSETTLED) }
}

fn any_case() -> impl Strategy<Value = Case> {
    (prop::collection::vec(7usize..12, 1..4), 1usize..5, 0usize..5, any::<u64>())
        .prop_map(|(tile_vars, n_free, n_c, seed)| case(&tile_vars, n_free, n_c, seed))
}

fn any_cases() -> impl Strategy<Value = Vec<Case>> {
    prop::collection::vec(any_case(), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn satisfied_constraints_are_proved(cases in any_cases()) {
        let (proof, claim) = prove_cases(&cases);
        prop_assert_eq!(verify_cases(&cases, &proof), Ok(()));
        prop_assert_eq!(claim_of(&cases, &proof), Ok(claim));
    }

    #[test]
    fn one_wrong_bit_is_rejected(mut cases in any_cases(), at: prop::sample::Index, which: [prop::sample::Index; 2]) {
        let system = which[0].index(cases.len());
        let case = &mut cases[system];
        prop_assume!(!case.constraints.is_empty());
        // The last plane is determined by the others and determines none.
        let tile = which[1].index(case.tiles.len());
        let plane = case.tiles[tile].last_mut().unwrap();
        let x = at.index(128 * plane.len());
        plane[x / 128] += F128::new(1 << (x % 128));
        prop_assert!(verify_cases(&cases, &proof_of(&cases)).is_err());
    }
}

#[test]
fn equal_errors_do_not_cancel() {
    let mut satisfied = case(&[8], 2, 1, 11);
    satisfied.tiles.push(satisfied.tiles[0].clone());
    satisfied.tile_vars.push(8);
    let proof = proof_of(&[satisfied.clone(), satisfied.clone()]);
    assert_eq!(verify_cases(&[satisfied.clone(), satisfied.clone()], &proof), Ok(()));
    let wrong = |tiles: &[usize]| {
        let mut case = satisfied.clone();
        tiles.iter().for_each(|&tile| case.tiles[tile].last_mut().unwrap()[0] += F128::ONE);
        case
    };
    for cases in [[wrong(&[0]), wrong(&[0])], [wrong(&[0, 1]), wrong(&[])]] {
        assert!(verify_cases(&cases, &proof_of(&cases)).is_err());
    }
}

#[test]
fn a_change_of_any_element_is_rejected() {
    let cases = [case(&[9, 7], 3, 2, 5), case(&[8], 2, 2, 12)];
    let proof = proof_of(&cases);
    for element in 0..proof.len() / 16 {
        let mut changed = proof.clone();
        changed[16 * element + element % 16] ^= 1 << (element % 8);
        assert!(verify_cases(&cases, &changed).is_err(), "element {element}");
    }
}

#[test]
fn false_factors_with_the_true_product_leave_a_false_claim() {
    let cases = [relu(9), relu(13)];
    let proof = proof_of(&cases);
    let n_factors = 2 * cases.len();
    let element = |bytes: &[u8]| F128::from_le_bytes(bytes.try_into().unwrap());
    for system in 0..cases.len() {
        let start = proof.len() - 16 * (n_factors - 2 * system);
        let factors = [0, 16].map(|at| element(&proof[start + at..][..16]));
        let c = F128::new(5);
        let forged = [factors[0] * c, factors[1] * c.invert()];
        assert_eq!(forged[0] * forged[1], factors[0] * factors[1]);
        let mut changed = proof.clone();
        for (at, factor) in [0, 16].into_iter().zip(forged) {
            changed[start + at..][..16].copy_from_slice(&factor.to_le_bytes());
        }
        assert_eq!(verify_cases(&cases, &changed), Err(UNSETTLED));
    }
}

#[test]
fn truncated_and_extended_proofs_are_rejected() {
    let cases = [case(&[8, 8], 2, 1, 6)];
    let mut proof = proof_of(&cases);
    for end in [0, 1, 16 * 64, proof.len() - 1] {
        assert_eq!(verify_cases(&cases, &proof[..end]), Err(VerifyError::Truncated));
    }
    proof.push(0);
    assert_eq!(verify_cases(&cases, &proof), Err(VerifyError::Trailing { bytes: 1 }));
}

#[test]
fn a_bad_statement_is_rejected() {
    let mut cases = [case(&[8], 2, 1, 7), case(&[8], 2, 1, 7)];
    let proof = proof_of(&cases);
    cases[1].constraints[0].linear.push(3);
    let expected = VerifyError::CheckFailed { label: "zerocheck plane index" };
    assert_eq!(verify_cases(&cases, &proof), Err(expected));
    cases[1].tile_vars = vec![6];
    let expected = VerifyError::CheckFailed { label: "zerocheck tile size" };
    assert_eq!(verify_cases(&cases, &proof), Err(expected));
}

#[test]
fn no_tiles_need_no_proof() {
    let cases = [case(&[], 1, 1, 8)];
    assert_eq!(proof_of(&cases), []);
    assert_eq!(verify_cases(&cases, &[]), Ok(()));
}

/// `y_t = u_t (1 + s)` for 8 value bits and a sign, on one tile of 11 variables.
fn relu(seed: u64) -> Case {
    let constraint =
        |t| Constraint { products: vec![(8 + t, 16)], linear: vec![t, 8 + t], constant: false };
    let rng = &mut StdRng::seed_from_u64(seed);
    let mut plane = || -> Vec<F128> { (0..16).map(|_| F128::random(rng)).collect() };
    let sign = plane();
    let inputs: Vec<Vec<F128>> = (0..8).map(|_| plane()).collect();
    let relu = |u: &Vec<F128>| {
        u.iter().zip(&sign).map(|(u, s)| F128::new(u.to_bits() & !s.to_bits())).collect()
    };
    let mut planes: Vec<Vec<F128>> = inputs.iter().map(relu).collect();
    planes.extend(inputs);
    planes.push(sign);
    let constraints = (0..8).map(constraint).collect();
    Case { constraints, n_planes: 17, tile_vars: vec![11], tiles: vec![planes] }
}

#[test]
fn relu_on_bit_planes_is_one_product() {
    let case = relu(9);
    assert_eq!(n_products(&case.constraints), 1);
    let cases = [case];
    assert_eq!(verify_cases(&cases, &proof_of(&cases)), Ok(()));
}

#[test]
fn estimate_matches_the_proof_and_the_stated_error() {
    let cases = [case(&[10, 12, 7], 4, 3, 10), relu(3), case(&[9], 2, 2, 4)];
    let mut estimator = Estimator::new();
    assert!(verify(&mut estimator, &systems(&cases)).is_ok());
    assert_eq!(estimator.bytes(), proof_of(&cases).len());
    let of_case = |case: &Case| 2 * case.tiles.len() * n_products(&case.constraints);
    let factors: usize = cases.iter().map(of_case).sum();
    let (c, tiles, n) = (8, 5, 12);
    assert_eq!(estimator.bytes(), 16 * (64 + 3 * (n - 6) + factors));
    let numerator = (c - 1) + (tiles - 1) + (n - 9) + 127 + 3 * (n - 6) + factors;
    let error = log2_sum(estimator.terms().iter().map(|t| t.log2_error)) + 128.0;
    assert!((error.exp2() - numerator as f64).abs() < 1e-6);
}
