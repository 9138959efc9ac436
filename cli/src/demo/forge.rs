//! Attempts to cheat, each really made and shown to the verifier.

use binfer_ml_ops::array::{Array, ArrayData};
use binfer_ml_ops::graph::Model;
use binfer_ml_ops::{ModelCommitment, Proof, ProverKey, Rejection, Salt, run, verify};

use super::digits::classes;
use crate::failure::Failure;

/// An attempt and the verifier's answer.
pub(super) struct Forgery {
    /// What was done.
    pub(super) what: String,
    /// Why it was not accepted.
    pub(super) answer: Rejection,
}

/// A changed output, a changed weight and a changed proof.
pub(super) fn all(
    key: &ProverKey,
    salt: &Salt,
    input: &Array,
    output: &Array,
    proof: &Proof,
) -> Result<Vec<Forgery>, Failure> {
    let bytes = proof.to_bytes();
    let commitment = key.commitment();
    let attempt = |what: String, output: &Array, proof: &[u8]| {
        attempt(what, commitment, input, output, proof)
    };

    let claimed = change_output(output);
    let (was, is) = (classes(output)[0], classes(&claimed)[0]);
    let what = format!("Claim that the first image is a {is}, not a {was}");
    let changed_output = attempt(what, &claimed, &bytes)?;

    let (model, false_output) = change_weight(key.model(), input, output)?;
    let other = ProverKey::new(model, *commitment.params(), salt);
    let other = other.prove(input, &false_output, &mut |_| ()).map_err(Failure::Statement)?;
    let grafted = graft(proof, &other);
    let what = "Prove with one weight changed, under the old commitment".into();
    let changed_weight = attempt(what, &false_output, &grafted)?;

    let mut flipped = bytes;
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let changed_proof = attempt("Flip one bit of the proof".into(), output, &flipped)?;
    Ok(vec![changed_output, changed_weight, changed_proof])
}

fn attempt(
    what: String,
    commitment: &ModelCommitment,
    input: &Array,
    output: &Array,
    proof: &[u8],
) -> Result<Forgery, Failure> {
    match verify(commitment, input, output, proof) {
        Err(answer) => Ok(Forgery { what, answer }),
        Ok(()) => Err(Failure::ForgeryAccepted { what }),
    }
}

/// The output with the first row's largest and smallest logits exchanged.
fn change_output(output: &Array) -> Array {
    let (shape, mut data) = output.clone().into_parts();
    if let ArrayData::F32(logits) = &mut data {
        let row = &mut logits[..10];
        let by_value = |&a: &usize, &b: &usize| row[a].total_cmp(&row[b]);
        if let (Some(low), Some(high)) = ((0..10).min_by(by_value), (0..10).max_by(by_value)) {
            row.swap(low, high);
        }
    }
    Array::new(shape, data).unwrap_or_else(|e| unreachable!("{e}"))
}

/// The model with the first weight changed that makes a difference, and its output.
fn change_weight(model: &Model, input: &Array, output: &Array) -> Result<(Model, Array), Failure> {
    let mut changed = model.clone();
    for at in 0..model.weights[0].index.len() {
        changed.weights[0].index[at] ^= 0x40;
        let other = run(&changed, input).map_err(Failure::Statement)?;
        if other != *output {
            return Ok((changed, other));
        }
        changed.weights[0].index[at] ^= 0x40;
    }
    Err(Failure::NoForgery)
}

/// The header of `genuine` with the messages of `other`.
fn graft(genuine: &Proof, other: &Proof) -> Vec<u8> {
    let mut bytes = genuine.to_bytes();
    bytes.truncate(bytes.len() - genuine.message_bytes());
    let messages = other.to_bytes();
    bytes.extend(&messages[messages.len() - other.message_bytes()..]);
    bytes
}
