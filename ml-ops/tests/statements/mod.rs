//! Random statements of a network: proved and accepted, and rejected with a false output or other bytes.

use binfer_ml_ops::array::{Array, ArrayData};
use binfer_ml_ops::graph::Model;
use binfer_ml_ops::{GroupSize, ProverKey, estimate_in_groups, run, verify};
use binfer_pcs::Params;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use rand::{Rng, SeedableRng, rngs::StdRng};

/// Where the size of groups begins in a proof.
const GROUP_SIZE: usize = 16;

/// Random codes for `batch` samples.
pub(crate) fn input(model: &Model, batch: usize, seed: u64) -> Array {
    let mut rng = StdRng::seed_from_u64(seed ^ 1);
    let n = model.graph.tensors[0].per_sample();
    let data = (0..batch * n).map(|_| rng.random()).collect();
    Array::new(vec![batch, n], ArrayData::U8(data)).unwrap()
}

/// The array with element `at` one unit larger, round the ends.
fn bumped(array: &Array, at: usize) -> Array {
    let data = match array.data() {
        ArrayData::I8(v) => {
            let mut v = v.clone();
            v[at] = v[at].wrapping_add(1);
            ArrayData::I8(v)
        }
        ArrayData::I64(v) => {
            let mut v = v.clone();
            v[at] += 1;
            ArrayData::I64(v)
        }
        other => panic!("no test gives {other:?}"),
    };
    Array::new(array.shape().to_vec(), data).unwrap()
}

/// Proves a batch of random inputs in groups of `2^log_group`, with an estimate of 100 bits at least; `at` says what is
/// spoiled.
pub(crate) fn check(
    model: Model,
    batch: usize,
    seed: u64,
    log_group: u32,
    at: prop::sample::Index,
) -> Result<(), TestCaseError> {
    let x = input(&model, batch, seed);
    let y = run(&model, &x).unwrap();
    let mut key = ProverKey::new(model, Params::default(), &[7; 32]);
    let group_size = GroupSize::new(log_group).unwrap();
    key.set_group_size(group_size);
    let proof = key.prove(&x, &y, &mut |_| ()).unwrap().to_bytes();
    let commitment = key.commitment();
    prop_assert_eq!(verify(commitment, &x, &y, &proof), Ok(()));
    prop_assert!(estimate_in_groups(commitment, batch, group_size).soundness_bits >= 100.0);

    let wrong = bumped(&y, at.index(y.data().len()));
    prop_assert!(verify(commitment, &x, &wrong, &proof).is_err());
    let mut flipped = proof.clone();
    let i = at.index(flipped.len());
    // A proof of a network without relations is one in groups of any size that there is.
    flipped[i] ^= if i == GROUP_SIZE { 0x80 } else { 1 };
    prop_assert!(verify(commitment, &x, &y, &flipped).is_err());
    let cut = &proof[..at.index(proof.len())];
    prop_assert!(verify(commitment, &x, &y, cut).is_err());
    let mut longer = proof;
    longer.push(0);
    prop_assert!(verify(commitment, &x, &y, &longer).is_err());
    Ok(())
}
