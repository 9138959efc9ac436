//! `ProverChannel`: the prover's end, whose messages become the proof.

use binfer_field::F128;
use binfer_hash::{Digest, MerkleTree, Transcript};

use super::reader::sorted;

/// Appends messages to the proof and absorbs them; the mirror of
/// [`VerifierChannel`](super::VerifierChannel), call for call.
pub struct ProverChannel {
    transcript: Transcript,
    proof: Vec<u8>,
}

impl ProverChannel {
    /// A channel whose transcript already holds the statement.
    pub fn new(transcript: Transcript) -> Self {
        Self { transcript, proof: Vec::new() }
    }

    /// The proof's bytes.
    pub fn finish(self) -> Vec<u8> {
        self.proof
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> usize {
        self.proof.len()
    }

    /// Sends one element.
    pub fn send(&mut self, label: &'static str, element: F128) {
        self.send_many(label, &[element]);
    }

    /// Sends a list of elements whose length the verifier knows.
    pub fn send_many(&mut self, label: &'static str, elements: &[F128]) {
        self.transcript.absorb(label, elements);
        self.proof.extend(elements.iter().flat_map(|e| e.to_le_bytes()));
    }

    /// Sends elements that are public in every mode.
    pub fn send_public(&mut self, label: &'static str, elements: &[F128]) {
        self.send_many(label, elements);
    }

    /// Sends the root of a Merkle tree.
    pub fn send_digest(&mut self, label: &'static str, digest: &Digest) {
        self.transcript.absorb_bytes(label, digest);
        self.proof.extend(digest);
    }

    /// Draws one challenge.
    pub fn challenge(&mut self, label: &'static str) -> F128 {
        self.transcript.challenge(label)
    }

    /// Draws `n` challenges.
    pub fn challenges(&mut self, label: &'static str, n: usize) -> Vec<F128> {
        self.transcript.challenges(label, n)
    }

    /// Draws `n` challenges, none of them zero.
    pub fn nonzero_challenges(&mut self, label: &'static str, n: usize) -> Vec<F128> {
        self.transcript.nonzero_challenges(label, n)
    }

    /// Draws `n` uniform positions below `2^log_size`, sorted and without repetition.
    pub fn positions(&mut self, label: &'static str, log_size: u32, n: usize) -> Vec<usize> {
        sorted(self.transcript.positions(label, log_size, n))
    }

    /// Sends a proof of work of `bits` bits (nothing where `bits` is 0).
    pub fn grind(&mut self, bits: u32) {
        if bits > 0 {
            let nonce = self.transcript.grind(bits);
            self.proof.extend(nonce.to_le_bytes());
        }
    }

    /// Sends the leaves at `positions` (sorted, distinct; `leaves` holds them one after the other)
    /// with the siblings that authenticate them.
    pub fn send_leaves<D: AsRef<[Digest]>>(
        &mut self,
        tree: &MerkleTree<D>,
        positions: &[usize],
        leaves: &[F128],
    ) {
        self.proof.extend(leaves.iter().flat_map(|e| e.to_le_bytes()));
        for sibling in tree.open(positions) {
            self.proof.extend(sibling);
        }
    }
}
