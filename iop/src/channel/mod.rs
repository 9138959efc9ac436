//! Channels: what a prover writes to and a verifier reads from, whatever the element type.
//!
//! A verifier is written once over [`VerifierChannel`]. [`ProofReader`] reads a real proof;
//! [`Estimator`] reads nothing and counts messages, bytes and soundness terms instead.

mod element;
mod error;
mod estimate;
#[cfg(feature = "prover")]
mod prover;
mod reader;
mod soundness;

pub use element::Element;
pub use error::VerifyError;
pub use estimate::{Blank, Estimator, Sent};
#[cfg(feature = "prover")]
pub use prover::ProverChannel;
pub use reader::ProofReader;
pub use soundness::{SoundnessTerm, log2_sum};

use binfer_field::F128;
use binfer_hash::{Digest, HashKind};

/// The verifier's end: messages in, public-coin challenges out.
///
/// Every `label` enters the transcript, so prover and verifier must agree on it.
pub trait VerifierChannel {
    /// The type of a prover's message; challenges are always plain field elements.
    type Elem: Element;

    /// The next prover message, one element.
    fn receive(&mut self, label: &'static str) -> Result<Self::Elem, VerifyError> {
        let mut one = self.receive_many(label, 1)?;
        one.pop().ok_or(VerifyError::Truncated)
    }

    /// The next prover message, `n` elements, absorbed together.
    fn receive_many(
        &mut self,
        label: &'static str,
        n: usize,
    ) -> Result<Vec<Self::Elem>, VerifyError>;

    /// The next prover message, `n` elements that are public in every mode (never masked).
    fn receive_public(&mut self, label: &'static str, n: usize) -> Result<Vec<F128>, VerifyError>;

    /// The next prover message, the root of a Merkle tree.
    fn receive_digest(&mut self, label: &'static str) -> Result<Digest, VerifyError>;

    /// Draws one challenge.
    fn challenge(&mut self, label: &'static str) -> F128;

    /// Draws `n` challenges.
    fn challenges(&mut self, label: &'static str, n: usize) -> Vec<F128>;

    /// Draws `n` challenges, none of them zero.
    fn nonzero_challenges(&mut self, label: &'static str, n: usize) -> Vec<F128>;

    /// Draws `n` uniform positions below `2^log_size`, sorted and without repetition.
    fn positions(&mut self, label: &'static str, log_size: u32, n: usize) -> Vec<usize>;

    /// Checks a proof of work of `bits` bits on the transcript so far (none where `bits` is 0).
    fn check_grinding(&mut self, bits: u32) -> Result<(), VerifyError>;

    /// The leaves of a Merkle tree at `positions` (sorted, distinct), `leaf_len` elements each, one
    /// after the other, authenticated against `root`.
    fn receive_leaves(
        &mut self,
        hash: HashKind,
        root: &Digest,
        log_leaves: u32,
        leaf_len: usize,
        positions: &[usize],
    ) -> Result<Vec<F128>, VerifyError>;

    /// Requires `value` to be zero.
    fn assert_zero(&mut self, label: &'static str, value: Self::Elem) -> Result<(), VerifyError>;

    /// Requires two public values to be equal.
    fn assert_equal_public(
        &mut self,
        label: &'static str,
        left: F128,
        right: F128,
    ) -> Result<(), VerifyError>;

    /// States one term of the soundness error; readers of proofs add them up.
    fn soundness(&mut self, term: SoundnessTerm);
}
