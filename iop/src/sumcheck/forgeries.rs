//! A prover that makes a false claim on a small instance and hides it in the rounds before that one joins.
//!
//! In characteristic two `s(0) + s(1)` does not depend on the constant of `s`, so a prover may add anything to a
//! running claim that is right. A claim that entered the sum only when its instance joins could be cancelled
//! by what was added a round earlier; claims therefore enter before the first round.

use binfer_field::{F128, kernels};
use binfer_hash::Transcript;
use rand::{SeedableRng, rngs::StdRng};

use super::{Instance, Shape, verify};
use crate::channel::{ProofReader, ProverChannel, VerifierChannel, VerifyError};
use crate::claims::InnerProduct;

/// Variables of the two instances.
const VARS: [usize; 2] = [3, 1];

/// What the small instance weighs in the rounds that it takes part in.
#[derive(Clone, Copy)]
enum Weight {
    /// The power of the batching challenge.
    Power,
    /// That times the challenges of the rounds before.
    Scaled,
}

/// Proves two inner products, the second claim false by `lie`, with the lie added to the constant of the last
/// round before the second instance joins.
fn outcome(lie: F128, weight: Weight) -> Result<(), VerifyError> {
    let mut rng = StdRng::seed_from_u64(17);
    let mut vector =
        |n: usize| -> Vec<F128> { (0..1 << n).map(|_| F128::random(&mut rng)).collect() };
    let vectors = VARS.map(|n| (vector(n), vector(n)));
    let sums = [0, 1].map(|i| kernels::inner_product(&vectors[i].0, &vectors[i].1));
    let mut instances = [0, 1]
        .map(|i| InnerProduct::new(vectors[i].0.clone(), vectors[i].1.clone(), VARS[i], sums[i]));

    let mut channel = ProverChannel::new(Transcript::new("forgery"));
    let beta = channel.challenge("sumcheck batching");
    let mut small = beta;
    for left in (1..=VARS[0]).rev() {
        let joined = left <= VARS[1];
        let mut round = instances[0].round();
        if joined {
            round.iter_mut().zip(instances[1].round()).for_each(|(s, c)| *s += small * c);
        }
        if left == VARS[1] + 1 {
            round[0] += small * lie;
        }
        let r = super::send_round(&mut channel, &round, 2);
        instances[0].bind(r);
        if joined {
            instances[1].bind(r);
        } else if matches!(weight, Weight::Scaled) {
            small *= r;
        }
    }
    let proof = channel.finish();

    let mut channel = ProofReader::new(Transcript::new("forgery"), &proof);
    let shape = |n_vars| Shape { n_vars, degree: 2 };
    let claims = [(sums[0], shape(VARS[0])), (sums[1] + lie, shape(VARS[1]))];
    let reduced = verify(&mut channel, &claims)?;
    let value = |(vector, n): (&[F128], usize)| {
        kernels::inner_product(vector, &kernels::eq_table(reduced.point(n)))
    };
    let values = vectors.iter().zip(VARS).map(|((a, b), n)| value((a, n)) * value((b, n)));
    let expected: F128 = values.zip(&reduced.weights).map(|(v, &w)| v * w).sum();
    channel.assert_zero("forged sum", reduced.claim + expected)?;
    channel.finish()
}

#[test]
fn a_lie_about_a_small_instance_cannot_be_cancelled_before_it_joins() {
    assert_eq!(outcome(F128::ZERO, Weight::Scaled), Ok(()));
    let caught = Err(VerifyError::CheckFailed { label: "forged sum" });
    for weight in [Weight::Power, Weight::Scaled] {
        assert_eq!(outcome(F128::new(7), weight), caught);
    }
}
