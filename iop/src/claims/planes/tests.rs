//! Completeness over random matrices, wrong claims, tampering, messages and errors.

use binfer_field::{F128, kernels::eq_table};
use binfer_hash::Transcript;
use proptest::prelude::*;
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::*;
use crate::channel::{Blank, Estimator, ProofReader, ProverChannel, VerifyError, log2_sum};
use crate::indexed::{TileBytes, tiles};
use crate::multilinear::log2_ceil;

#[derive(Debug)]
struct Case {
    /// Shape, limb widths, limb bytes.
    matrices: Vec<(MatrixShape, Vec<usize>, Vec<Vec<u8>>)>,
    claims: Vec<LinearClaim<F128>>,
}

/// One claim on each matrix, and `n_more` on any.
fn case(shapes: &[(usize, usize)], n_more: usize, seed: u64) -> Case {
    let rng = &mut StdRng::seed_from_u64(seed);
    let matrices: Vec<_> = shapes
        .iter()
        .map(|&(rows, cols)| {
            let widths: Vec<usize> =
                (0..rng.random_range(1..3)).map(|_| rng.random_range(1..=8)).collect();
            let limbs: Vec<Vec<u8>> = widths
                .iter()
                .map(|&w| (0..rows * cols).map(|_| rng.random::<u8>() >> (8 - w)).collect())
                .collect();
            let n_planes = widths.iter().sum();
            (MatrixShape { rows, cols, n_planes }, widths, limbs)
        })
        .collect();
    let claims = (0..shapes.len() + n_more)
        .map(|i| {
            let any = rng.random_range(0..matrices.len());
            let matrix = if i < matrices.len() { i } else { any };
            let (shape, widths, limbs) = &matrices[matrix];
            let mut random = |n: usize| (0..n).map(|_| F128::random(rng)).collect::<Vec<_>>();
            let row_point = random(log2_ceil(shape.rows));
            let col_point = random(log2_ceil(shape.cols));
            let coefficients = random(shape.n_planes);
            let entries = combine(limbs, &limb_tables(widths, &coefficients), F128::ZERO);
            let (row_eq, col_eq) = (eq_table(&row_point), eq_table(&col_point));
            let weight = |i: usize| row_eq[i % shape.rows] * col_eq[i / shape.rows];
            let value = entries.iter().enumerate().map(|(i, &e)| weight(i) * e).sum();
            LinearClaim { matrix, row_point, col_point, coefficients, value }
        })
        .collect();
    Case { matrices, claims }
}

fn prove_case(case: &Case) -> Vec<u8> {
    let matrices: Vec<PlaneMatrix<'_>> = case
        .matrices
        .iter()
        .map(|(shape, widths, limbs)| {
            let limbs = widths.iter().zip(limbs).map(|(&width, bytes)| Limb { width, bytes });
            PlaneMatrix { rows: shape.rows, cols: shape.cols, limbs: limbs.collect() }
        })
        .collect();
    let mut prover = ProverChannel::new(Transcript::new("test"));
    prove(&mut prover, &matrices, &case.claims);
    prover.finish()
}

/// Verifies, and opens what is left as a commitment would.
fn verify_case(case: &Case, proof: &[u8]) -> Result<(), VerifyError> {
    let shapes: Vec<MatrixShape> = case.matrices.iter().map(|m| m.0).collect();
    let mut reader = ProofReader::new(Transcript::new("test"), proof);
    let left = verify(&mut reader, &shapes, &case.claims)?;
    reader.finish()?;
    for ((shape, widths, limbs), values) in case.matrices.iter().zip(&left.values) {
        let limb_bits = widths.iter().zip(limbs).flat_map(|(&w, l)| (0..w).map(move |b| (l, b)));
        for ((bytes, bit), values) in limb_bits.zip(values) {
            for (tile, &value) in tiles(shape.rows, shape.cols).iter().zip(values) {
                let eq = eq_table(&left.point[..tile.n_vars()]);
                let entries = TileBytes::new(tile, bytes, shape.rows);
                let set = entries.iter().zip(eq).filter(|(b, _)| **b >> bit & 1 == 1);
                if set.map(|(_, e)| e).sum::<F128>() != value {
                    return Err(VerifyError::CheckFailed { label: "test opening" });
                }
            }
        }
    }
    Ok(())
}

fn any_case() -> impl Strategy<Value = Case> {
    (prop::collection::vec((1usize..40, 1usize..40), 1..4), 0usize..3, any::<u64>())
        .prop_map(|(shapes, n_more, seed)| case(&shapes, n_more, seed))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn true_claims_are_proved(case in any_case()) {
        prop_assert_eq!(verify_case(&case, &prove_case(&case)), Ok(()));
    }

    #[test]
    fn a_wrong_claim_is_rejected(mut case in any_case(), which: prop::sample::Index) {
        let i = which.index(case.claims.len());
        case.claims[i].value += F128::ONE;
        prop_assert!(verify_case(&case, &prove_case(&case)).is_err());
    }
}

#[test]
fn a_change_of_any_element_is_rejected() {
    let case = case(&[(5, 3), (16, 9)], 1, 4);
    let proof = prove_case(&case);
    for element in 0..proof.len() / 16 {
        let mut changed = proof.clone();
        changed[16 * element + element % 16] ^= 1;
        assert!(verify_case(&case, &changed).is_err(), "element {element}");
    }
}

#[test]
fn truncated_and_extended_proofs_are_rejected() {
    let case = case(&[(6, 7)], 1, 5);
    let mut proof = prove_case(&case);
    let cut = &proof[..proof.len() - 1];
    assert_eq!(verify_case(&case, cut), Err(VerifyError::Truncated));
    proof.push(0);
    assert_eq!(verify_case(&case, &proof), Err(VerifyError::Trailing { bytes: 1 }));
}

#[test]
fn claims_outside_the_statement_are_rejected() {
    let mut case = case(&[(4, 4), (8, 8)], 0, 6);
    let proof = prove_case(&case);
    let expected = Err(VerifyError::CheckFailed { label: "linear claim" });
    case.claims[0].coefficients.push(F128::ONE);
    assert_eq!(verify_case(&case, &proof), expected);
    case.claims[0].coefficients.pop();
    case.claims[0].matrix = 2;
    assert_eq!(verify_case(&case, &proof), expected);
    case.claims.remove(0);
    assert_eq!(verify_case(&case, &proof), expected);
}

#[test]
fn estimate_matches_the_proof_and_the_stated_error() {
    let case = case(&[(20, 12), (3, 5)], 1, 7);
    let shapes: Vec<MatrixShape> = case.matrices.iter().map(|m| m.0).collect();
    let blank = |c: &LinearClaim<F128>| LinearClaim {
        matrix: c.matrix,
        row_point: c.row_point.clone(),
        col_point: c.col_point.clone(),
        coefficients: c.coefficients.clone(),
        value: Blank,
    };
    let claims: Vec<_> = case.claims.iter().map(blank).collect();
    let mut estimator = Estimator::new();
    assert!(verify(&mut estimator, &shapes, &claims).is_ok());
    assert_eq!(estimator.bytes(), prove_case(&case).len());
    let n_tiles = |m: usize| tiles(shapes[m].rows, shapes[m].cols).len();
    let n_claimed: usize = claims.iter().map(|c| n_tiles(c.matrix)).sum();
    let n_values: usize = (0..2).map(|m| n_tiles(m) * shapes[m].n_planes).sum();
    let n = 7; // 16 x 8 is the largest tile
    assert_eq!(estimator.bytes(), 16 * (2 * n + n_claimed + n_values));
    let error = log2_sum(estimator.terms().iter().map(|t| t.log2_error)) + 128.0;
    assert!((error.exp2() - (n_claimed + 2 * n) as f64).abs() < 1e-9);
}
