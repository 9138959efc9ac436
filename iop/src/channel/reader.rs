//! `ProofReader`: the verifier channel over the bytes of a proof.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use binfer_field::F128;
use binfer_hash::{Digest, HashKind, Transcript, n_siblings, verify_multi};

use super::{SoundnessTerm, VerifierChannel, VerifyError};

/// Reads a proof from bytes it does not trust, absorbing each message into the transcript.
pub struct ProofReader<'a> {
    transcript: Transcript,
    rest: &'a [u8],
    /// The sum of the soundness errors that were stated.
    error: f64,
}

impl<'a> ProofReader<'a> {
    /// A reader of `proof` whose transcript already holds the statement.
    pub fn new(transcript: Transcript, proof: &'a [u8]) -> Self {
        Self { transcript, rest: proof, error: 0.0 }
    }

    /// Bits of soundness so far: minus the logarithm of the union bound over all terms that the verifier has stated.
    pub fn soundness_bits(&self) -> f64 {
        -self.error.log2()
    }

    /// Ends the proof.
    ///
    /// # Errors
    /// [`VerifyError::Trailing`] where bytes are left.
    pub fn finish(self) -> Result<(), VerifyError> {
        match self.rest.len() {
            0 => Ok(()),
            bytes => Err(VerifyError::Trailing { bytes }),
        }
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], VerifyError> {
        let (head, tail) = self.rest.split_at_checked(n).ok_or(VerifyError::Truncated)?;
        self.rest = tail;
        Ok(head)
    }

    fn take_elements(&mut self, n: usize) -> Result<Vec<F128>, VerifyError> {
        let bytes = self.take(n.checked_mul(16).ok_or(VerifyError::Truncated)?)?;
        let (elements, _) = bytes.as_chunks::<16>();
        Ok(elements.iter().map(|&e| F128::from_le_bytes(e)).collect())
    }

    fn take_digest(&mut self) -> Result<Digest, VerifyError> {
        self.take(32)?.try_into().map_err(|_| VerifyError::Truncated)
    }
}

impl VerifierChannel for ProofReader<'_> {
    type Elem = F128;

    fn receive_many(&mut self, label: &'static str, n: usize) -> Result<Vec<F128>, VerifyError> {
        let elements = self.take_elements(n)?;
        self.transcript.absorb(label, &elements);
        Ok(elements)
    }

    fn receive_public(&mut self, label: &'static str, n: usize) -> Result<Vec<F128>, VerifyError> {
        self.receive_many(label, n)
    }

    fn receive_digest(&mut self, label: &'static str) -> Result<Digest, VerifyError> {
        let digest = self.take_digest()?;
        self.transcript.absorb_bytes(label, &digest);
        Ok(digest)
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
        if bits == 0 {
            return Ok(());
        }
        let nonce = self.take(8)?.try_into().map_err(|_| VerifyError::Truncated)?;
        if self.transcript.check_grinding(bits, u64::from_le_bytes(nonce)) {
            Ok(())
        } else {
            Err(VerifyError::Grinding { bits })
        }
    }

    fn receive_leaves(
        &mut self,
        hash: HashKind,
        root: &Digest,
        log_leaves: u32,
        leaf_len: usize,
        positions: &[usize],
    ) -> Result<Vec<F128>, VerifyError> {
        let leaf_bytes = leaf_len.checked_mul(16).ok_or(VerifyError::Truncated)?;
        let n_bytes = leaf_bytes.checked_mul(positions.len()).ok_or(VerifyError::Truncated)?;
        let bytes = self.take(n_bytes)?;
        let leaves: Vec<&[u8]> = bytes.chunks_exact(leaf_bytes.max(1)).collect();
        let n_siblings = n_siblings(log_leaves, positions);
        let siblings =
            (0..n_siblings).map(|_| self.take_digest()).collect::<Result<Vec<_>, _>>()?;
        verify_multi(hash, root, log_leaves, positions, &leaves, &siblings)?;
        let (elements, _) = bytes.as_chunks::<16>();
        Ok(elements.iter().map(|&e| F128::from_le_bytes(e)).collect())
    }

    fn assert_zero(&mut self, label: &'static str, value: F128) -> Result<(), VerifyError> {
        if value.is_zero() { Ok(()) } else { Err(VerifyError::CheckFailed { label }) }
    }

    fn assert_equal_public(
        &mut self,
        label: &'static str,
        left: F128,
        right: F128,
    ) -> Result<(), VerifyError> {
        self.assert_zero(label, left + right)
    }

    fn soundness(&mut self, term: SoundnessTerm) {
        self.error += term.log2_error.exp2();
    }
}

/// Positions in order, each once.
pub(super) fn sorted(mut positions: Vec<usize>) -> Vec<usize> {
    positions.sort_unstable();
    positions.dedup();
    positions
}
