//! Completeness over random constraints and tiles, wrong witnesses, tampering, messages and errors.

use binfer_field::{F128, kernels::eq_table};
use binfer_hash::Transcript;
use proptest::prelude::*;
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::*;
use crate::channel::{Estimator, ProofReader, ProverChannel, VerifyError, log2_sum};

#[derive(Debug)]
struct Case {
    constraints: Vec<Constraint>,
    n_planes: usize,
    tile_vars: Vec<usize>,
    /// `[tile][plane][word]`
    tiles: Vec<Vec<Vec<F128>>>,
}

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

fn prove_case(case: &Case) -> Vec<u8> {
    let mut prover = ProverChannel::new(Transcript::new("test"));
    let tiles: Vec<Vec<&[F128]>> =
        case.tiles.iter().map(|t| t.iter().map(Vec::as_slice).collect()).collect();
    let claims = prove(&mut prover, &case.constraints, &tiles);
    assert_eq!(claims.values.len(), tiles.len());
    prover.finish()
}

/// Verifies, and opens what is left as a commitment would.
fn verify_case(case: &Case, proof: &[u8]) -> Result<(), VerifyError> {
    let mut reader = ProofReader::new(Transcript::new("test"), proof);
    let claims = verify(&mut reader, &case.constraints, case.n_planes, &case.tile_vars)?;
    reader.finish()?;
    for ((tile, values), &n) in case.tiles.iter().zip(&claims.values).zip(&case.tile_vars) {
        let eq = eq_table(&claims.point[..n]);
        for (plane, &value) in tile.iter().zip(values) {
            let set = (0..1 << n).filter(|&x| bit(plane, x));
            if set.map(|x| eq[x]).sum::<F128>() != value {
                return Err(VerifyError::CheckFailed { label: "test opening" });
            }
        }
    }
    Ok(())
}

fn any_case() -> impl Strategy<Value = Case> {
    (prop::collection::vec(7usize..13, 1..4), 1usize..5, 0usize..5, any::<u64>())
        .prop_map(|(tile_vars, n_free, n_c, seed)| case(&tile_vars, n_free, n_c, seed))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn satisfied_constraints_are_proved(case in any_case()) {
        prop_assert_eq!(verify_case(&case, &prove_case(&case)), Ok(()));
    }

    #[test]
    fn one_wrong_bit_is_rejected(mut case in any_case(), at: prop::sample::Index, which: prop::sample::Index) {
        prop_assume!(!case.constraints.is_empty());
        // The last plane is determined by the others and determines none.
        let tile = which.index(case.tiles.len());
        let plane = case.tiles[tile].last_mut().unwrap();
        let x = at.index(128 * plane.len());
        plane[x / 128] += F128::new(1 << (x % 128));
        prop_assert!(verify_case(&case, &prove_case(&case)).is_err());
    }
}

#[test]
fn a_change_of_any_element_is_rejected() {
    let case = case(&[9, 7], 3, 2, 5);
    let proof = prove_case(&case);
    for element in 0..proof.len() / 16 {
        let mut changed = proof.clone();
        changed[16 * element + element % 16] ^= 1 << (element % 8);
        assert!(verify_case(&case, &changed).is_err(), "element {element}");
    }
}

#[test]
fn truncated_and_extended_proofs_are_rejected() {
    let case = case(&[8, 8], 2, 1, 6);
    let mut proof = prove_case(&case);
    for end in [0, 1, 16 * 64, proof.len() - 1] {
        assert_eq!(verify_case(&case, &proof[..end]), Err(VerifyError::Truncated));
    }
    proof.push(0);
    assert_eq!(verify_case(&case, &proof), Err(VerifyError::Trailing { bytes: 1 }));
}

#[test]
fn a_bad_statement_is_rejected() {
    let mut case = case(&[8], 2, 1, 7);
    let proof = prove_case(&case);
    case.constraints[0].linear.push(3);
    let expected = VerifyError::CheckFailed { label: "zerocheck plane index" };
    assert_eq!(verify_case(&case, &proof), Err(expected));
    case.tile_vars = vec![6];
    let expected = VerifyError::CheckFailed { label: "zerocheck tile size" };
    assert_eq!(verify_case(&case, &proof), Err(expected));
}

#[test]
fn no_tiles_need_no_proof() {
    let case = case(&[], 1, 1, 8);
    assert_eq!(prove_case(&case), []);
    assert_eq!(verify_case(&case, &[]), Ok(()));
}

#[test]
fn relu_on_bit_planes_is_a_constraint() {
    // y_t = u_t (1 + s) for 8 value bits and a sign.
    let constraint =
        |t| Constraint { products: vec![(8 + t, 16)], linear: vec![t, 8 + t], constant: false };
    let rng = &mut StdRng::seed_from_u64(9);
    let mut inputs: Vec<Vec<F128>> =
        (0..9).map(|_| (0..16).map(|_| F128::random(rng)).collect()).collect();
    let sign = inputs.pop().unwrap();
    let relu = |u: &Vec<F128>| {
        u.iter().zip(&sign).map(|(u, s)| F128::new(u.to_bits() & !s.to_bits())).collect()
    };
    let mut planes: Vec<Vec<F128>> = inputs.iter().map(relu).collect();
    planes.extend(inputs);
    planes.push(sign);
    let constraints = (0..8).map(constraint).collect();
    let case = Case { constraints, n_planes: 17, tile_vars: vec![11], tiles: vec![planes] };
    assert_eq!(verify_case(&case, &prove_case(&case)), Ok(()));
}

#[test]
fn estimate_matches_the_proof_and_the_stated_error() {
    let case = case(&[10, 12, 7], 4, 3, 10);
    let mut estimator = Estimator::new();
    assert!(verify(&mut estimator, &case.constraints, case.n_planes, &case.tile_vars).is_ok());
    assert_eq!(estimator.bytes(), prove_case(&case).len());
    let (c, tiles, planes, n) = (3, 3, 7, 12);
    assert_eq!(estimator.bytes(), 16 * (64 + tiles + 2 * tiles * planes + 3 * (n - 6) + 12));
    let numerator = (c - 1)
        + (tiles - 1)
        + (n - 9)
        + 127
        + (3 * (n - 6) + tiles)
        + (tiles * planes - 1)
        + (2 * 6 + 1);
    let error = log2_sum(estimator.terms().iter().map(|t| t.log2_error)) + 128.0;
    assert!((error.exp2() - numerator as f64).abs() < 1e-6);
}
