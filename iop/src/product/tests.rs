//! Completeness over random forests, and tampering.

use binfer_field::{F128, kernels::eq_table};
use binfer_hash::Transcript;
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};

use super::*;
use crate::channel::{ProofReader, ProverChannel, VerifierChannel, VerifyError};

/// The extension of a box `[col][row]` that is one outside.
fn evaluate(data: &[F128], rows: usize, row_point: &[F128], col_point: &[F128]) -> F128 {
    let (row_eq, col_eq) = (eq_table(row_point), eq_table(col_point));
    let inside = data.chunks(rows).zip(&col_eq).flat_map(|(column, &c)| {
        column.iter().zip(&row_eq).map(move |(&x, &r)| c * r * (x + F128::ONE))
    });
    F128::ONE + inside.sum::<F128>()
}

fn random_forest(shapes: &[BoxShape], seed: u64) -> Vec<Vec<F128>> {
    let mut rng = StdRng::seed_from_u64(seed);
    let size = |s: &BoxShape| s.rows * s.cols * s.fan_in;
    shapes.iter().map(|s| (0..size(s)).map(|_| F128::random(&mut rng)).collect()).collect()
}

fn run(
    shapes: &[BoxShape],
    factors: &[Vec<F128>],
    corrupt_root: F128,
    tamper: impl Fn(&mut Vec<u8>),
) -> Result<(), VerifyError> {
    let mut prover = ProverChannel::new(Transcript::new("test"));
    let trees: Vec<_> = shapes.iter().zip(factors).map(|(&s, f)| Tree::new(s, f.clone())).collect();
    let roots: Vec<_> = trees
        .iter()
        .map(|t| {
            let row_point = prover.challenges("rows", t.shape().row_vars());
            let value = evaluate(t.outputs(), t.shape().rows, &row_point, &[]) + corrupt_root;
            prover.send("root", value);
            RootClaim { row_point, value }
        })
        .collect();
    prove(&mut prover, trees, roots);
    let mut proof = prover.finish();
    tamper(&mut proof);

    let mut reader = ProofReader::new(Transcript::new("test"), &proof);
    let mut roots = Vec::new();
    for s in shapes {
        let row_point = reader.challenges("rows", s.row_vars());
        roots.push(RootClaim { row_point, value: reader.receive("root")? });
    }
    let claims = verify(&mut reader, shapes, roots)?;
    reader.finish()?;
    for ((shape, claim), data) in shapes.iter().zip(claims).zip(factors) {
        for (g, &value) in claim.values.iter().enumerate() {
            let factor: Vec<F128> = data
                .chunks(shape.rows * shape.fan_in)
                .flat_map(|block| &block[g * shape.rows..][..shape.rows])
                .copied()
                .collect();
            if evaluate(&factor, shape.rows, &claim.row_point, &claim.col_point) != value {
                return Err(VerifyError::CheckFailed { label: "test opening" });
            }
        }
    }
    Ok(())
}

fn any_shape() -> impl Strategy<Value = BoxShape> {
    (1usize..12, 1usize..12, 1usize..5).prop_map(|(rows, cols, fan_in)| BoxShape {
        rows,
        cols,
        fan_in,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_forests_are_proved(shapes in prop::collection::vec(any_shape(), 1..5), seed: u64) {
        let factors = random_forest(&shapes, seed);
        prop_assert_eq!(run(&shapes, &factors, F128::ZERO, |_| ()), Ok(()));
    }

    #[test]
    fn a_wrong_product_is_rejected(shapes in prop::collection::vec(any_shape(), 1..4), seed: u64) {
        let factors = random_forest(&shapes, seed);
        prop_assert!(run(&shapes, &factors, F128::ONE, |_| ()).is_err());
    }

    #[test]
    fn a_changed_byte_is_rejected(shapes in prop::collection::vec(any_shape(), 1..4), seed: u64, at: prop::sample::Index) {
        let factors = random_forest(&shapes, seed);
        let flip = |proof: &mut Vec<u8>| { let i = at.index(proof.len()); proof[i] ^= 1; };
        prop_assert!(run(&shapes, &factors, F128::ZERO, flip).is_err());
    }
}

#[test]
fn a_truncated_or_extended_proof_is_rejected() {
    let shapes = [BoxShape { rows: 3, cols: 5, fan_in: 2 }];
    let factors = random_forest(&shapes, 1);
    assert_eq!(
        run(&shapes, &factors, F128::ZERO, |p| p.truncate(p.len() - 1)),
        Err(VerifyError::Truncated)
    );
    assert_eq!(
        run(&shapes, &factors, F128::ZERO, |p| p.push(0)),
        Err(VerifyError::Trailing { bytes: 1 })
    );
}
