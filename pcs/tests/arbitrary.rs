//! The verifier on arbitrary bytes for arbitrary statements: an error each time, never a panic.

use binfer_field::F128;
use binfer_hash::{HashKind, Transcript};
use binfer_iop::channel::{ProofReader, ProverChannel};
use binfer_pcs::tensor_code::{self, Alphabet};
use binfer_pcs::{Claim, ClaimGroup, Params, Part, Shape, Width, commit, open, verify};
use proptest::collection::vec;
use proptest::prelude::*;

/// Small numbers and any.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0u64..40, 1 => (0u32..64).prop_map(|i| 1 << i), 1 => any::<u64>()]
}

fn params() -> impl Strategy<Value = Params> {
    (0u32..4, number(), number(), 0u32..6).prop_map(|(rate, security, grinding, arity)| Params {
        log_inv_rate: rate,
        security_bits: security as u32 % 140,
        grinding_bits: grinding as u32 % 50,
        hash: HashKind::Blake3,
        log_arity: arity,
    })
}

fn shape() -> impl Strategy<Value = Shape> {
    (number(), number()).prop_map(|(log_row, n_rows)| Shape {
        log_row: log_row as u32 % 70,
        n_rows: n_rows as usize,
    })
}

fn group() -> impl Strategy<Value = ClaimGroup<F128>> {
    let part = (0usize..3, number(), number(), any::<u128>()).prop_map(
        |(oracle, offset, n_vars, weight)| Part {
            oracle,
            offset: offset as usize,
            n_vars: n_vars as u32,
            weight: F128::new(weight),
        },
    );
    let claim = vec(part, 0..3).prop_map(|parts| Claim { parts, value: F128::ONE });
    (0usize..4, 0usize..50, vec(claim, 0..4)).prop_map(|(width, n, claims)| {
        ClaimGroup::at(Width::ALL[width], &vec![F128::new(5); n], claims)
    })
}

fn tensor_params() -> impl Strategy<Value = tensor_code::Params> {
    let number = || prop_oneof![8 => 0u32..12, 1 => any::<u32>()];
    (0u32..7, any::<bool>(), number(), number(), 0u32..10, 0usize..6).prop_map(
        |(log_coefficient, wide, log_rows, log_cols, log_inv_rate, queries)| tensor_code::Params {
            log_coefficient,
            alphabet: if wide { Alphabet::B32 } else { Alphabet::B16 },
            log_rows,
            log_cols,
            log_inv_rate,
            queries,
            hash: HashKind::Blake3,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn arbitrary_tensor_code_proofs(
        params in tensor_params(),
        n_vars in prop::option::of(0usize..30),
        root: [u8; 32],
        pattern in vec(any::<u8>(), 1..200),
        n_bytes in prop::option::weighted(0.3, 0usize..5000),
    ) {
        // Mostly of the right length, so that more than lengths is looked at; zeros have the value zero.
        let n_vars = n_vars.unwrap_or((params.n_vars() as usize).min(60));
        let n_bytes = n_bytes.unwrap_or(params.proof_bytes().min(1 << 20) as usize);
        let zero_row = params.row_bytes().min(1 << 20) as usize;
        let mut proof: Vec<u8> = pattern.into_iter().cycle().take(n_bytes).collect();
        proof.iter_mut().take(zero_row).for_each(|byte| *byte = 0);
        let point = vec![F128::new(5); n_vars];
        let mut transcript = Transcript::new("arbitrary");
        let result =
            tensor_code::verify(&params, &root, &point, F128::ZERO, &mut transcript, &proof);
        prop_assert!(result.is_err());
    }

    #[test]
    fn arbitrary_statements_and_bytes(
        params in params(),
        log_row in prop::option::of(0u32..8),
        shapes in vec(shape(), 0..3),
        groups in vec(group(), 0..3),
        proof in vec(any::<u8>(), 0..4000),
    ) {
        let commitments: Vec<_> = shapes
            .into_iter()
            .map(|shape| ([7; 32], Shape { log_row: log_row.unwrap_or(shape.log_row), ..shape }))
            .collect();
        let mut channel = ProofReader::new(Transcript::new("arbitrary"), &proof);
        let result = verify(&params, &commitments, &groups, &mut channel);
        let any_claim = groups.iter().any(|group| !group.claims.is_empty());
        prop_assert!(result.is_err() || !any_claim);
    }

    #[test]
    fn other_statements_than_proven(
        seed in any::<u64>(),
        shapes in vec(shape(), 1..3),
        groups in vec(group(), 1..3),
    ) {
        let params = Params { security_bits: 6, ..Params::default() };
        let words = (0..100).map(|i| F128::new(u128::from(seed) << i)).collect();
        let oracle = commit(&params, 4, words);
        let claims = vec![Claim::on(0, 0, 9, F128::ONE)];
        let proven = ClaimGroup::at(Width::Bit, &[F128::new(5); 9], claims);
        let mut channel = ProverChannel::new(Transcript::new("arbitrary"));
        open(&params, &[&oracle], &[proven], &mut channel);
        let proof = channel.finish();

        let commitments: Vec<_> =
            shapes.into_iter().map(|s| (oracle.root(), Shape { log_row: 4, ..s })).collect();
        let mut channel = ProofReader::new(Transcript::new("arbitrary"), &proof);
        let result = verify(&params, &commitments, &groups, &mut channel);
        let any_claim = groups.iter().any(|group| !group.claims.is_empty());
        prop_assert!(result.is_err() || !any_claim);
    }
}
