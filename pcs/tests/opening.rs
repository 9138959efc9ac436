//! Commit, open, verify: what is true is accepted, what was changed is not.

mod common;

use binfer_field::F128;
use binfer_hash::HashKind;
use binfer_iop::channel::{VerifyError, log2_sum};
use binfer_pcs::{Claim, ClaimGroup, Params, Shape, Width, commit, log_row_for};
use common::{Case, evaluate, random_case, random_words};
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};

fn few_queries(log_inv_rate: u32) -> Params {
    Params { log_inv_rate, security_bits: 8, ..Params::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn complete(
        seed: u64,
        log_row in 0u32..8,
        sizes in prop::collection::vec(0usize..400, 1..3),
        groups in 0usize..4,
        log_inv_rate in 1u32..3,
    ) {
        let case = random_case(few_queries(log_inv_rate), seed, log_row, &sizes, groups);
        prop_assert_eq!(case.verify(), Ok(()));
    }

    #[test]
    fn wrong_values_are_rejected(seed: u64, log_row in 0u32..6, size in 1usize..200) {
        let mut rng = StdRng::seed_from_u64(seed);
        let oracle = commit(&few_queries(1), log_row, random_words(&mut rng, size));
        let point = random_words(&mut rng, 7);
        let mut claims: Vec<Claim<F128>> = (0..oracle.words().len())
            .map(|offset| {
                let value = evaluate(Width::Bit, &oracle.words()[offset..][..1], &point);
                Claim::on(0, offset, 7, value)
            })
            .collect();
        let wrong = seed as usize % claims.len();
        claims[wrong].value += F128::random(&mut rng);
        let groups = vec![ClaimGroup::at(Width::Bit, &point, claims)];
        prop_assert!(Case::prove(few_queries(1), &[&oracle], groups).verify().is_err());
    }
}

#[test]
fn long_rows_fold_several_times() {
    for (log_row, sizes) in [(15, vec![3 << 15, 40_000]), (13, vec![1 << 13])] {
        let case = random_case(few_queries(1), 7, log_row, &sizes, 3);
        assert_eq!(case.verify(), Ok(()));
    }
}

#[test]
fn every_hash_and_grinding() {
    for hash in HashKind::ALL {
        let params = Params { hash, grinding_bits: 5, ..few_queries(1) };
        assert_eq!(random_case(params, 3, 5, &[100], 2).verify(), Ok(()));
    }
}

#[test]
fn profiles_are_complete_and_sound() {
    for params in [Params::fast(), Params::small()] {
        let case = random_case(params, 11, 12, &[20_000], 2);
        assert_eq!(case.verify(), Ok(()));
        let terms = case.estimate().unwrap();
        let error = log2_sum(terms.terms().iter().map(|term| term.log2_error));
        assert!(error < -102.5, "2^{error} with {params:?}");
    }
}

#[test]
fn less_work_than_asked_for_is_rejected() {
    // As many queries as with the work that is asked for, so that all else agrees.
    let asked = Params { security_bits: 40, grinding_bits: 32, ..few_queries(1) };
    let done = Params { security_bits: 10, grinding_bits: 2, ..few_queries(1) };
    assert_eq!(asked.queries(), done.queries());
    let mut case = random_case(done, 13, 5, &[100], 2);
    assert_eq!(case.verify(), Ok(()));
    case.params = asked;
    assert_eq!(case.verify(), Err(VerifyError::Grinding { bits: 32 }));
}

/// A proof with all kinds of messages in it.
fn full_case(seed: u64) -> Case {
    let params = Params { security_bits: 30, grinding_bits: 4, ..Params::default() };
    let mut rng = StdRng::seed_from_u64(seed);
    let first = commit(&params, 12, random_words(&mut rng, 5 << 12));
    let second = commit(&params, 12, random_words(&mut rng, 100));
    let point = random_words(&mut rng, 22);
    let claim = |oracle: usize, offset: usize, n_vars: u32| {
        let mut words = [&first, &second][oracle].words()[offset..].to_vec();
        words.resize(1 << (n_vars - 7), F128::ZERO);
        let value = evaluate(Width::Bit, &words, &point[..n_vars as usize]);
        Claim::on(oracle, offset, n_vars, value)
    };
    let claims = vec![claim(0, 0, 22), claim(0, 1 << 13, 20), claim(1, 64, 12)];
    let groups = vec![ClaimGroup::at(Width::Bit, &point, claims)];
    Case::prove(params, &[&first, &second], groups)
}

#[test]
fn changed_proofs_are_rejected() {
    let case = full_case(1);
    let other = full_case(2).proof;
    assert_eq!(case.verify(), Ok(()));
    let n = case.proof.len();
    let mut rng = StdRng::seed_from_u64(5);
    let step = n / 700;
    let sampled = (0..2100.min(n)).chain((0..n).step_by(step.max(1))).chain(n - 40..n);
    for position in sampled {
        let mut proof = case.proof.clone();
        proof[position] ^= 1 << (F128::random(&mut rng).to_bits() % 8);
        assert!(case.verify_bytes(&proof).is_err(), "byte {position} of {n}");
    }
    for cut in (0..n).step_by(step.max(1)).chain(n - 40..n) {
        assert!(case.verify_bytes(&case.proof[..cut]).is_err(), "cut at {cut}");
    }
    assert_eq!(case.verify_bytes(&case.proof[..n - 1]), Err(VerifyError::Truncated));
    let extended = [case.proof.as_slice(), &[0]].concat();
    assert_eq!(case.verify_bytes(&extended), Err(VerifyError::Trailing { bytes: 1 }));
    assert!(case.verify_bytes(&other).is_err());
    for start in (0..n.min(other.len()) - 32).step_by(n / 50) {
        let mut proof = case.proof.clone();
        proof[start..start + 32].copy_from_slice(&other[start..start + 32]);
        assert!(case.verify_bytes(&proof).is_err(), "32 bytes of another proof at {start}");
    }
}

#[test]
fn changed_statements_are_rejected() {
    let change = |change: &dyn Fn(&mut Case)| {
        let mut case = full_case(1);
        change(&mut case);
        case.verify()
    };
    assert!(change(&|case| case.commitments[0].0[3] ^= 1).is_err());
    assert!(change(&|case| case.commitments.swap(0, 1)).is_err());
    assert!(change(&|case| case.commitments[1].1.n_rows = 2).is_err());
    assert!(change(&|case| case.groups[0].point[9] += F128::ONE).is_err());
    assert!(change(&|case| case.groups[0].claims[1].parts[0].offset = 0).is_err());
    assert!(change(&|case| case.groups[0].claims[2].parts[0].n_vars = 11).is_err());
    assert!(change(&|case| case.groups[0].claims[2].parts[0].weight += F128::ONE).is_err());
    assert!(change(&|case| case.params.log_inv_rate = 2).is_err());
    assert!(change(&|case| case.params.log_arity = 2).is_err());
}

#[test]
fn senseless_statements_are_errors() {
    let label = |change: &dyn Fn(&mut Case)| {
        let mut case = full_case(1);
        change(&mut case);
        // Labels of structural errors; the transcript differs as well.
        let mut channel = binfer_iop::channel::ProofReader::new(
            common::transcript(&full_case(1).commitments, &full_case(1).groups),
            &case.proof,
        );
        match binfer_pcs::verify(&case.params, &case.commitments, &case.groups, &mut channel) {
            Err(VerifyError::CheckFailed { label }) => label,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(label(&|case| case.params.log_inv_rate = 0), "commitment parameters");
    assert_eq!(
        label(&|case| case.commitments[1].1.log_row = 11),
        "oracles of one opening have rows of one length"
    );
    assert_eq!(
        label(&|case| case.commitments.iter_mut().for_each(|c| c.1.log_row = 99)),
        "row length"
    );
    assert_eq!(label(&|case| case.commitments[1].1.n_rows = usize::MAX), "number of rows");
    assert_eq!(label(&|case| case.groups[0].claims[1].parts[0].oracle = 2), "claim on no oracle");
    assert_eq!(label(&|case| case.groups[0].claims[1].parts[0].n_vars = 6), "claim below a word");
    assert_eq!(
        label(&|case| case.groups[0].claims[1].parts[0].n_vars = 23),
        "claim longer than its point"
    );
    assert_eq!(label(&|case| case.groups[0].claims[1].parts[0].offset += 1), "claim's alignment");
}

#[test]
fn empty_oracles_hold_zeros() {
    let params = few_queries(1);
    let oracle = commit(&params, 4, Vec::new());
    assert_eq!((oracle.shape(), oracle.root()), (Shape { log_row: 4, n_rows: 0 }, [0; 32]));
    let group = |value| {
        let claims = vec![Claim::on(0, 0, 8, value)];
        vec![ClaimGroup::at(Width::Bit, &[F128::new(3); 8], claims)]
    };
    let case = Case::prove(params, &[&oracle], group(F128::ZERO));
    assert_eq!(case.verify(), Ok(()));
    let label = "claim on empty oracles";
    let case = Case::prove(params, &[&oracle], group(F128::ONE));
    assert_eq!(case.verify(), Err(VerifyError::CheckFailed { label }));
}

#[test]
fn sizes_and_soundness() {
    // KiB of an optimised FRI with ring switching at 100 bits and rate 1/4, whose query phase alone
    // has 100 bits, from DP24's successors.
    for (log_bits, published) in [(20, 84.0), (24, 162.0)] {
        let params = Params { log_inv_rate: 2, security_bits: 100, ..Params::default() };
        let n_words = 1usize << (log_bits - 7);
        let log_row = log_row_for(&params, n_words);
        let mut rng = StdRng::seed_from_u64(1);
        let oracle = commit(&params, log_row, random_words(&mut rng, n_words));
        let point = random_words(&mut rng, log_bits);
        let value = evaluate(Width::Bit, oracle.words(), &point);
        let claims = vec![Claim::on(0, 0, log_bits as u32, value)];
        let group = ClaimGroup::at(Width::Bit, &point, claims);
        let case = Case::prove(params, &[&oracle], vec![group]);
        assert_eq!(case.verify(), Ok(()));
        let kib = case.proof.len() as f64 / 1024.0;
        println!("2^{log_bits} bits: {kib:.1} KiB, published {published}");
        assert!(kib < 1.25 * published);

        let estimate = case.estimate().unwrap();
        let counted = estimate.bytes() as f64 / 1024.0;
        assert!((counted / kib - 1.0).abs() < 0.05, "estimated {counted} of {kib}");
        let total = log2_sum(estimate.terms().iter().map(|term| term.log2_error));
        assert!((-101.0..=-100.0).contains(&total), "{total}: {:?}", estimate.terms());
    }
    let estimate = random_case(Params::default(), 1, 8, &[4000], 2).estimate().unwrap();
    assert!(log2_sum(estimate.terms().iter().map(|term| term.log2_error)) < -100.0);
}
