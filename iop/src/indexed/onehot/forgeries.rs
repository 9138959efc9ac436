//! A prover that sends false nibbles whose product is right, and defends them as long as it can.

use binfer_field::{F128, kernels};
use binfer_hash::Transcript;
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::bits::Extension;
use super::domain::LOG_SIZE;
use super::prove::TileData;
use super::skip::Round;
use super::{OneHotClaim, View, halves::NibbleProduct, plane_weights, verify};
use crate::channel::{Blank, ProofReader, ProverChannel, VerifyError};
use crate::indexed::tiles;
use crate::join::Combined;
use crate::multilinear::eq;
use crate::sumcheck;

/// How far the prover keeps its lie consistent.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Lie {
    None,
    Nibbles,
    Univariate,
    Planes,
}

const ROWS: usize = 16;
const COLS: usize = 32;

fn outcome(lie: Lie) -> Result<(), VerifyError> {
    let mut rng = StdRng::seed_from_u64(5);
    let bytes: Vec<u8> = (0..ROWS * COLS).map(|_| rng.random()).collect();
    let mut point = |n: usize| -> Vec<F128> { (0..n).map(|_| F128::random(&mut rng)).collect() };
    let (row_point, col_point, index_point) = (point(4), point(5), point(8));
    let view = View { rows: ROWS, cols: COLS, planes: (0..8).collect() };
    let z_point = [row_point.clone(), col_point.clone()].concat();
    let z_eq = kernels::eq_table(&z_point);
    let index_eq = kernels::eq_table(&index_point);
    let value: F128 = bytes.iter().zip(&z_eq).map(|(&b, &e)| e * index_eq[usize::from(b)]).sum();
    let weight = F128::new(9);
    let claim = OneHotClaim { view: 0, row_point, col_point, index_point, weight, value: Blank };

    let mut channel = ProverChannel::new(Transcript::new("forgery"));
    let data = TileData::new(tiles(ROWS, COLS)[0], &view, &bytes);
    let sigma = claim.index_point.clone();
    let sigma = &sigma;
    let mut nibbles = NibbleProduct::new(&bytes, z_point, sigma);
    let (mut p, _) = sumcheck::prove_weighted(&mut channel, &mut [&mut nibbles], vec![weight]);
    p.reverse();
    let c = F128::new(3);
    let (truth, mut sent) = (nibbles.values(), nibbles.values());
    if lie >= Lie::Nibbles {
        (sent[0], sent[1]) = (sent[0] * c, sent[1] * c.invert());
    }
    // One tile alone is joined without rounds; there is none with one nibble.
    channel.send_many("nibble values", &sent);
    channel.send_many("nibble values", &[F128::ZERO]);

    let mu = channel.challenge("nibble batching");
    let error = truth[0] + sent[0] + mu * (truth[1] + sent[1]);
    let mut round = Round::new();
    round.add(sigma, &[data.bits().weighted(&p[LOG_SIZE..], F128::ONE)], mu);
    let mut round = round.finish();
    if lie >= Lie::Univariate {
        // A constant polynomial: eq sums to one over the domain.
        round.iter_mut().for_each(|value| *value += error);
    }
    channel.send_many("one-hot univariate round", &round);
    let z = channel.challenge("one-hot univariate challenge");
    let extension = Extension::to(z);
    let mut bits = data.bit_product(sigma, &extension, mu, p[LOG_SIZE..].to_vec());
    let (mut blocks, _) = sumcheck::prove_weighted(&mut channel, &mut [&mut bits], vec![F128::ONE]);
    blocks.reverse();
    let (truth, mut values): (Vec<F128>, Vec<F128>) = bits.values().map(|v| (v, v)).unzip();
    if lie >= Lie::Planes {
        // Rounds that are right keep the error, times their challenges; a wrong first bit makes up for it.
        let others = values[1..4].iter().copied().product::<F128>();
        let left = error * blocks.iter().copied().product::<F128>();
        values[0] += left * (eq(&p[LOG_SIZE..], &blocks) * others).invert();
    }
    for nibble in values.chunks(4) {
        channel.send_many("plane values", nibble);
    }
    let proof = channel.finish();

    let mut channel = ProofReader::new(Transcript::new("forgery"), &proof);
    let hot = Combined { claims: vec![claim], value: weight * value };
    let claims = verify(&mut channel, &[(ROWS, COLS); 8], &[view], &hot)?;
    channel.finish()?;
    assert_eq!((claims.bit_weights, claims.point), plane_weights(z, &blocks));
    // Stands for the commitment.
    let planes = truth.iter().zip(sigma).zip(&claims.weights);
    let sum: F128 = planes.map(|((&v, &sigma), w)| w[0] * (v + F128::ONE + sigma)).sum();
    if sum == claims.value { Ok(()) } else { Err(VerifyError::CheckFailed { label: "opening" }) }
}

#[test]
fn a_lie_is_caught_where_it_is_no_longer_defended() {
    assert_eq!(outcome(Lie::None), Ok(()));
    let caught = |label| Err(VerifyError::CheckFailed { label });
    assert_eq!(outcome(Lie::Nibbles), caught("one-hot univariate round"));
    assert_eq!(outcome(Lie::Univariate), caught("plane values"));
    assert_eq!(outcome(Lie::Planes), caught("opening"));
}
