//! `Estimator`: a verifier channel without a proof, which counts bytes and collects soundness terms.

use core::ops::{Add, AddAssign, Mul};

use binfer_field::F128;
use binfer_hash::{Digest, HashKind, Transcript, n_siblings};

use super::reader::sorted;
use super::{Element, SoundnessTerm, VerifierChannel, VerifyError};

/// Runs a verifier on no proof at all: messages are blanks, every check passes, and what is left is
/// the count of messages and bytes and the list of soundness terms.
///
/// Bytes are exact but for the Merkle paths, whose pruning depends on the positions drawn.
pub struct Estimator {
    transcript: Transcript,
    sent: Vec<Sent>,
    terms: Vec<SoundnessTerm>,
}

/// What a prover sends under one label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The label, or what kind of message it is.
    pub label: &'static str,
    /// Messages.
    pub messages: usize,
    /// Their bytes.
    pub bytes: usize,
}

impl Estimator {
    /// An empty count.
    pub fn new() -> Self {
        let transcript = Transcript::new("binfer estimate");
        Self { transcript, sent: Vec::new(), terms: Vec::new() }
    }

    /// Prover messages so far.
    pub fn messages(&self) -> usize {
        self.sent.iter().fold(0usize, |sum, sent| sum.saturating_add(sent.messages))
    }

    /// Proof bytes so far.
    pub fn bytes(&self) -> usize {
        self.sent.iter().fold(0usize, |sum, sent| sum.saturating_add(sent.bytes))
    }

    /// Messages and bytes so far by label, in the order in which labels first came.
    pub fn sent(&self) -> &[Sent] {
        &self.sent
    }

    /// Soundness terms so far.
    pub fn terms(&self) -> &[SoundnessTerm] {
        &self.terms
    }

    fn count(&mut self, label: &'static str, bytes: usize) {
        match self.sent.iter_mut().find(|sent| sent.label == label) {
            Some(sent) => {
                sent.messages = sent.messages.saturating_add(1);
                sent.bytes = sent.bytes.saturating_add(bytes);
            }
            None => self.sent.push(Sent { label, messages: 1, bytes }),
        }
    }
}

impl Default for Estimator {
    fn default() -> Self {
        Self::new()
    }
}

/// A message that was never sent.
#[derive(Clone, Copy, Debug)]
pub struct Blank;

impl From<F128> for Blank {
    fn from(_: F128) -> Self {
        Self
    }
}

impl Add for Blank {
    type Output = Self;
    fn add(self, _: Self) -> Self {
        Self
    }
}

impl AddAssign for Blank {
    fn add_assign(&mut self, _: Self) {}
}

impl Mul for Blank {
    type Output = Self;
    fn mul(self, _: Self) -> Self {
        Self
    }
}

impl Mul<F128> for Blank {
    type Output = Self;
    fn mul(self, _: F128) -> Self {
        Self
    }
}

impl Element for Blank {
    fn square(self) -> Self {
        Self
    }
}

impl VerifierChannel for Estimator {
    type Elem = Blank;

    fn receive_many(&mut self, label: &'static str, n: usize) -> Result<Vec<Blank>, VerifyError> {
        self.count(label, n.saturating_mul(16));
        Ok(vec![Blank; n])
    }

    fn receive_public(&mut self, label: &'static str, n: usize) -> Result<Vec<F128>, VerifyError> {
        self.count(label, n.saturating_mul(16));
        Ok(vec![F128::ZERO; n])
    }

    fn receive_digest(&mut self, label: &'static str) -> Result<Digest, VerifyError> {
        self.count(label, 32);
        Ok([0; 32])
    }

    fn challenge(&mut self, label: &'static str) -> F128 {
        self.transcript.challenge(label)
    }

    fn challenges(&mut self, label: &'static str, n: usize) -> Vec<F128> {
        self.transcript.challenges(label, n)
    }

    fn nonzero_challenges(&mut self, label: &'static str, n: usize) -> Vec<F128> {
        self.transcript.nonzero_challenges(label, n)
    }

    fn positions(&mut self, label: &'static str, log_size: u32, n: usize) -> Vec<usize> {
        sorted(self.transcript.positions(label, log_size, n))
    }

    fn check_grinding(&mut self, bits: u32) -> Result<(), VerifyError> {
        if bits > 0 {
            self.count("proof of work", 8);
        }
        Ok(())
    }

    fn receive_leaves(
        &mut self,
        _: HashKind,
        _: &Digest,
        log_leaves: u32,
        leaf_len: usize,
        positions: &[usize],
    ) -> Result<Vec<F128>, VerifyError> {
        let elements = leaf_len.saturating_mul(positions.len());
        let siblings = n_siblings(log_leaves, positions).saturating_mul(32);
        self.count("leaves", elements.saturating_mul(16));
        self.count("paths", siblings);
        Ok(vec![F128::ZERO; elements])
    }

    fn assert_zero(&mut self, _: &'static str, _: Blank) -> Result<(), VerifyError> {
        Ok(())
    }

    fn assert_equal_public(
        &mut self,
        _: &'static str,
        _: F128,
        _: F128,
    ) -> Result<(), VerifyError> {
        Ok(())
    }

    fn soundness(&mut self, term: SoundnessTerm) {
        self.terms.push(term);
    }
}
