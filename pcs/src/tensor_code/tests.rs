//! Completeness over shapes and widths, exact sizes, and forgeries.

use binfer_field::{F128, Tower128, kernels};
use binfer_hash::{HashKind, MerkleError, Transcript};
use proptest::prelude::*;
use rand::{RngCore, SeedableRng, rngs::StdRng};

use super::prove::open_with_row;
use super::*;

fn params(log_coefficient: u32, alphabet: Alphabet, log_rows: u32, log_cols: u32) -> Params {
    let hash = HashKind::default();
    Params { log_coefficient, alphabet, log_rows, log_cols, log_inv_rate: 2, queries: 20, hash }
}

fn random_matrix(params: &Params, seed: u64) -> Vec<u8> {
    let mut matrix = vec![0; params.message_bytes() as usize];
    StdRng::seed_from_u64(seed).fill_bytes(&mut matrix);
    matrix
}

/// The transcript and the point that the verifier draws once it holds the commitment.
fn draw_point(oracle: &Oracle) -> (Transcript, Vec<F128>) {
    let mut transcript = Transcript::new("tensor code test");
    transcript.absorb_bytes("root", &oracle.root());
    let point = transcript.challenges("point", oracle.params().n_vars() as usize);
    (transcript, point)
}

fn check(oracle: &Oracle, value: F128, proof: &[u8]) -> Result<(), TensorCodeError> {
    let (mut transcript, point) = draw_point(oracle);
    verify(oracle.params(), &oracle.root(), &point, value, &mut transcript, proof)
}

fn opened(oracle: &Oracle) -> (F128, Vec<u8>) {
    let (mut transcript, point) = draw_point(oracle);
    open(oracle, &point, &mut transcript)
}

/// The multilinear's value by its definition.
fn evaluate(params: &Params, matrix: &[u8], point: &[F128]) -> F128 {
    let width = 1usize << params.log_coefficient;
    let coefficient = |i: usize| {
        let bit = |b: usize| u128::from(matrix[b / 8] >> (b % 8) & 1);
        let bits = (0..width).map(|j| bit(i * width + j) << j).sum();
        F128::from(Tower128::new(bits))
    };
    kernels::eq_table(point).into_iter().enumerate().map(|(i, eq)| coefficient(i) * eq).sum()
}

fn arbitrary_params() -> impl Strategy<Value = Params> {
    (0u32..=5, any::<bool>(), 0u32..9, 0u32..7, 1u32..4, 1usize..30, 0usize..3).prop_map(
        |(log_coefficient, wide, log_rows, log_message, log_inv_rate, queries, hash)| {
            let wide = wide || log_coefficient == 5;
            let alphabet = if wide { Alphabet::B32 } else { Alphabet::B16 };
            let log_cols = log_message + alphabet.log_bits() - log_coefficient;
            let hash = HashKind::ALL[hash];
            Params { log_coefficient, alphabet, log_rows, log_cols, log_inv_rate, queries, hash }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn openings_verify_and_have_the_size_stated(params in arbitrary_params(), seed: u64) {
        let matrix = random_matrix(&params, seed);
        let oracle = commit(&params, matrix);
        let (value, proof) = opened(&oracle);
        prop_assert_eq!(proof.len() as u64, params.proof_bytes());
        prop_assert_eq!(value, evaluate(&params, oracle.matrix(), &draw_point(&oracle).1));
        prop_assert_eq!(check(&oracle, value, &proof), Ok(()));
    }

    #[test]
    fn changed_bytes_are_rejected(params in arbitrary_params(), seed: u64, at: usize, bit in 0..8) {
        let oracle = commit(&params, random_matrix(&params, seed));
        let (value, mut proof) = opened(&oracle);
        let at = at % proof.len();
        proof[at] ^= 1u8 << bit;
        prop_assert!(check(&oracle, value, &proof).is_err(), "byte {}", at);
    }
}

#[test]
fn proofs_of_published_size() {
    // Variables, logarithm of a coefficient's bits.
    for (n_vars, log_coefficient, alphabet, bytes) in [
        (20, 0, Alphabet::B16, 188_672),
        (20, 3, Alphabet::B16, 202_880),
        (20, 5, Alphabet::B32, 277_888),
        (24, 0, Alphabet::B16, 622_080),
    ] {
        let params = Params::smallest(n_vars, log_coefficient, alphabet, 2, 100).unwrap();
        let oracle = commit(&params, random_matrix(&params, 1));
        let (value, proof) = opened(&oracle);
        assert_eq!((proof.len(), params.proof_bytes()), (bytes, bytes as u64));
        assert_eq!(check(&oracle, value, &proof), Ok(()));
    }
}

#[test]
fn every_part_of_a_proof_is_checked() {
    let params = params(0, Alphabet::B16, 7, 9);
    let oracle = commit(&params, random_matrix(&params, 2));
    let (value, proof) = opened(&oracle);
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut proof = proof.clone();
        change(&mut proof);
        check(&oracle, value, &proof).unwrap_err()
    };
    let row = params.row_bytes() as usize;
    let query = params.query_bytes() as usize;
    let mismatch = MerkleError::RootMismatch;

    assert_eq!(with(&|p| p[0] ^= 1), TensorCodeError::Value);
    let column = TensorCodeError::Merkle { query: 3, source: mismatch };
    assert_eq!(with(&|p| p[row + 3 * query] ^= 1), column);
    let path = TensorCodeError::Merkle { query: 0, source: mismatch };
    assert_eq!(with(&|p| p[row + query - 1] ^= 1), path);
    let last = TensorCodeError::Merkle { query: 19, source: mismatch };
    assert_eq!(with(&|p| *p.last_mut().unwrap() ^= 128), last);
    let expected = params.proof_bytes();
    for got in [0, 1, row, row + query, proof.len() - 1] {
        let length = TensorCodeError::Length { expected, got: got as u64 };
        assert_eq!(with(&|p| p.truncate(got)), length);
    }
    assert_eq!(with(&|p| p.push(0)), TensorCodeError::Length { expected, got: expected + 1 });
    assert_eq!(check(&oracle, value + F128::ONE, &proof), Err(TensorCodeError::Value));

    // Columns of other positions, although committed.
    let swapped = with(&|p| {
        let (a, b) = p[row..].split_at_mut(query);
        a.swap_with_slice(&mut b[..query]);
    });
    assert!(matches!(swapped, TensorCodeError::Merkle { query: 0, .. }), "{swapped:?}");
}

#[test]
fn statements_are_bound() {
    let params = params(3, Alphabet::B16, 5, 6);
    let oracle = commit(&params, random_matrix(&params, 3));
    let (value, proof) = opened(&oracle);
    let (transcript, point) = draw_point(&oracle);
    let root = oracle.root();
    let check = |params: &Params, root, point: &[F128], value| {
        verify(params, root, point, value, &mut transcript.clone(), &proof)
    };
    assert_eq!(check(&params, &root, &point, value), Ok(()));
    assert_eq!(
        check(&params, &root, &point[1..], value),
        Err(TensorCodeError::PointLength { expected: 11, got: 10 })
    );
    let invalid = Params { log_inv_rate: 0, ..params };
    assert_eq!(
        check(&invalid, &root, &point, value),
        Err(TensorCodeError::Params(ParamsError::Rate { got: 0 }))
    );
    let mut other = root;
    other[5] ^= 1;
    assert!(matches!(
        check(&params, &other, &point, value),
        Err(TensorCodeError::Merkle { query: 0, source: MerkleError::RootMismatch })
    ));
    let mut moved = point.clone();
    moved[10] += F128::ONE;
    assert!(check(&params, &root, &moved, value).is_err());
    let hash = Params { hash: HashKind::Sha256, ..params };
    assert!(check(&hash, &root, &point, value).is_err());
    // A transcript with another past draws other columns.
    let mut later = transcript.clone();
    later.absorb_bytes("more", &[]);
    assert!(verify(&params, &root, &point, value, &mut later, &proof).is_err());
}

#[test]
fn a_wrong_value_needs_a_wrong_row_which_columns_reveal() {
    let params = params(0, Alphabet::B16, 6, 10);
    let oracle = commit(&params, random_matrix(&params, 4));
    let (value, proof) = opened(&oracle);
    let (mut transcript, point) = draw_point(&oracle);
    let (row, _) = proof.split_at(params.row_bytes() as usize);
    let mut row: Vec<F128> =
        row.as_chunks::<16>().0.iter().map(|&e| F128::from_le_bytes(e)).collect();
    // One entry is moved such that the row has the value that is claimed.
    let claimed = value + F128::ONE;
    row[77] += kernels::eq_table(&point[..10])[77].invert();
    let forged = open_with_row(&oracle, &point, claimed, &row, &mut transcript);
    assert!(matches!(check(&oracle, claimed, &forged), Err(TensorCodeError::Column { .. })));

    // Another matrix behind the same root.
    let mut matrix = oracle.matrix().to_vec();
    matrix[5] ^= 4;
    let other = oracle.with_matrix(matrix);
    let (claimed, forged) = opened(&other);
    assert_ne!(claimed, value);
    assert!(matches!(check(&other, claimed, &forged), Err(TensorCodeError::Column { .. })));
}

#[test]
fn rows_far_from_codewords_are_rejected_as_often_as_the_queries_promise() {
    // 3/8 of the positions is half the code's distance at rate 1/4, 5/8 the query error.
    let params = Params { queries: 3, ..params(0, Alphabet::B16, 4, 10) };
    let length = 1 << params.log_length();
    let n_noisy = length * 3 / 8 + 1;
    let mut accepted = 0;
    let n = 300;
    for seed in 0..n {
        let mut rng = StdRng::seed_from_u64(seed);
        let offset = rng.next_u32() as usize;
        let noisy = (0..n_noisy).map(|i| (i * 3 + offset) % length);
        let oracle = commit(&params, random_matrix(&params, seed)).with_noise(noisy, 0x5a);
        let (value, proof) = opened(&oracle);
        match check(&oracle, value, &proof) {
            Ok(()) => accepted += 1,
            error => assert!(matches!(error, Err(TensorCodeError::Column { .. })), "{error:?}"),
        }
    }
    let rate = f64::from(accepted) / n as f64;
    assert!((0.15..0.34).contains(&rate), "{rate}, not about (5/8)^3 = 0.244");

    // With the queries of 100 bits none is.
    let params = Params { queries: 148, ..params };
    let noisy = (0..n_noisy).map(|i| i * 3 % length);
    let oracle = commit(&params, random_matrix(&params, 9)).with_noise(noisy, 0x5a);
    let (value, proof) = opened(&oracle);
    assert!(matches!(check(&oracle, value, &proof), Err(TensorCodeError::Column { .. })));
}

#[test]
fn a_point_that_was_chosen_hides_rows() {
    // Why the row coordinates have to be drawn after the root: at a corner only one row is combined, and noise in another
    // row passes unseen.
    let params = params(0, Alphabet::B16, 4, 10);
    let length = 1 << params.log_length();
    let oracle = commit(&params, random_matrix(&params, 5)).with_noise(0..length, 0x5a);
    let (transcript, mut point) = draw_point(&oracle);
    point[10..].fill(F128::ONE);
    let (value, proof) = open(&oracle, &point, &mut transcript.clone());
    let root = oracle.root();
    assert_eq!(verify(&params, &root, &point, value, &mut transcript.clone(), &proof), Ok(()));
}
