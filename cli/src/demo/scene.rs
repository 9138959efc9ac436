//! What happens in the demonstration: its figures and its files.

use std::time::{Duration, Instant};

use binfer_ml_ops::array::Array;
use binfer_ml_ops::{ModelCommitment, ProverKey, estimate_of, random_salt, run, verify};

use super::digits::{Digits, Network, PIXELS, classes};
use super::forge::{self, Forgery};
use crate::failure::Failure;
use crate::native::{Native, time_inference};
use crate::progress::Phases;

/// The demonstration's outcome.
pub(super) struct Scene {
    digits: Digits,
    /// The input.
    pub(super) input: Array,
    /// The output.
    pub(super) output: Array,
    /// The commitment.
    pub(super) commitment: ModelCommitment,
    /// The proof's bytes.
    pub(super) proof: Vec<u8>,
    /// Images in the batch.
    pub(super) batch: usize,
    /// Held-out images read rightly.
    pub(super) right: usize,
    /// Those in the batch.
    pub(super) right_in_batch: usize,
    /// Native inference of the batch.
    pub(super) native: Duration,
    /// Committing to the weights.
    pub(super) commit: Duration,
    /// Proving the batch.
    pub(super) prove: Duration,
    /// Verifying it.
    pub(super) verify: Duration,
    /// Bits of security.
    pub(super) soundness_bits: f64,
    /// What was tried in vain.
    pub(super) forgeries: Vec<Forgery>,
}

/// An image and what the model says of it.
pub(super) struct Picture<'a> {
    /// Its pixels, 0 to 16, by rows.
    pub(super) pixels: &'a [f32],
    /// What the model reads.
    pub(super) read: u8,
    /// What it is.
    pub(super) label: u8,
}

impl Scene {
    /// Does all of it with `network` for the first `batch` images.
    pub(super) fn play(network: Network, batch: usize) -> Result<Self, Failure> {
        let digits = Digits::load(network)?;
        let read = classes(
            &run(&digits.model, &digits.batch(digits.labels.len())).map_err(Failure::Statement)?,
        );
        let right = |n: usize| read[..n].iter().zip(&digits.labels).filter(|(a, b)| a == b).count();
        let (right, right_in_batch) = (right(digits.labels.len()), right(batch));

        let input = digits.batch(batch);
        let mut phases = Phases::shown();
        phases.start("native inference");
        let native = native_time(&digits, &input)?;

        phases.start("commit");
        let salt = random_salt(&mut rand::rng());
        let model = digits.model.clone();
        let start = Instant::now();
        let key = ProverKey::new(model, Default::default(), &salt);
        let commit = start.elapsed();

        let output = key.run(&input).map_err(Failure::Statement)?;
        let start = Instant::now();
        let proof = key
            .prove(&input, &output, &mut |phase| phases.start(phase))
            .map_err(Failure::Statement)?;
        let prove = start.elapsed();

        phases.start("verify");
        let bytes = proof.to_bytes();
        let start = Instant::now();
        verify(key.commitment(), &input, &output, &bytes).map_err(Failure::Rejected)?;
        let verify = start.elapsed();

        let estimate = estimate_of(&proof).map_err(|e| Failure::Rejected(e.into()))?;
        phases.start("forgeries");
        let forgeries = forge::all(&key, &salt, &input, &output, &proof)?;
        phases.finish();
        Ok(Self {
            commitment: key.commitment().clone(),
            soundness_bits: estimate.soundness_bits,
            proof: bytes,
            digits,
            input,
            output,
            batch,
            right,
            right_in_batch,
            native,
            commit,
            prove,
            verify,
            forgeries,
        })
    }

    /// The first images of the batch, at most `n`.
    pub(super) fn pictures(&self, n: usize) -> Vec<Picture<'_>> {
        let images = self.digits.images.chunks_exact(PIXELS);
        let read = classes(&self.output);
        images
            .zip(read)
            .zip(&self.digits.labels)
            .take(n)
            .map(|((pixels, read), &label)| Picture { pixels, read, label })
            .collect()
    }

    /// What the network is.
    pub(super) fn network(&self) -> &'static str {
        self.digits.network.name()
    }

    /// Number of held-out images.
    pub(super) fn held_out(&self) -> usize {
        self.digits.labels.len()
    }

    /// Number of weights.
    pub(super) fn weights(&self) -> usize {
        let weights = self.commitment.graph().weights.iter();
        weights.map(|w| w.k * w.n).sum()
    }
}

fn native_time(digits: &Digits, input: &Array) -> Result<Duration, Failure> {
    let graph = &digits.model.graph;
    let (codes, batch) = graph.encode(input.as_ref())?;
    let native = Native::new(&digits.model);
    let codes = native.input(codes, batch.size);
    Ok(time_inference(&native, &codes, batch.size)?)
}
