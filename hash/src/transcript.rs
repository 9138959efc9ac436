//! The Fiat-Shamir transcript: challenges that depend on everything said before them.

use binfer_field::{F128, count};

use crate::{HashKind, compressions};

/// Which call a frame records.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Operation {
    Protocol = 0,
    AbsorbBytes = 1,
    AbsorbElements = 2,
    Challenges = 3,
    NonzeroChallenges = 4,
    Positions = 5,
    Grind = 6,
    Nonce = 7,
}

/// BLAKE3's key-derivation context, which separates transcripts from every other use of BLAKE3.
const CONTEXT: &str = "binfer 2026-01 Fiat-Shamir transcript v1";

/// Bytes from which a hash pays for being shared by threads.
#[cfg(feature = "prover")]
const PARALLEL: usize = 1 << 17;

/// A Fiat-Shamir transcript.
///
/// Prover and verifier each hold one and make the same calls in the same order; their challenges
/// agree as long as what they absorbed does.
///
/// # Construction
///
/// Each call appends a frame to what BLAKE3 will hash: one byte for the operation, the label and the
/// argument, the last two each preceded by its length (64 bits, little-endian). Frames are prefix-free, so
/// two different sequences of calls never hash the same string. A call that draws finishes the
/// hash: the first 32 bytes of the extendable output key the hash that the following frames go
/// into, the rest are the challenges. The key is never revealed, so what has been drawn says nothing
/// about what will be.
///
/// # Soundness
///
/// In the random oracle model each draw is a uniform string of its own for every distinct history
/// of calls, up to a collision of two 256-bit keys: `q^2 / 2^257` for `q` queries, 128 bits of
/// security. Challenges are exactly uniform in GF(2^128), positions exactly uniform in their range.
/// The caller absorbs the whole statement (parameters, model, input, output) before the first draw:
/// a value absorbed after a challenge, or never, is one that a prover may choose knowing it.
#[derive(Clone)]
pub struct Transcript {
    pending: blake3::Hasher,
}

impl Transcript {
    /// An empty transcript of the protocol of this name and version, say `"binfer v1"`.
    pub fn new(protocol: &'static str) -> Self {
        let mut transcript = Self { pending: blake3::Hasher::new_derive_key(CONTEXT) };
        transcript.frame(Operation::Protocol, protocol, &[]);
        transcript
    }

    /// Absorbs a message of bytes.
    pub fn absorb_bytes(&mut self, label: &'static str, bytes: &[u8]) {
        self.frame(Operation::AbsorbBytes, label, bytes);
    }

    /// Absorbs a message of field elements.
    pub fn absorb(&mut self, label: &'static str, elements: &[F128]) {
        if cfg!(target_endian = "little") {
            self.frame(Operation::AbsorbElements, label, bytemuck::cast_slice(elements));
        } else {
            let bytes: Vec<u8> = elements.iter().flat_map(|x| x.to_le_bytes()).collect();
            self.frame(Operation::AbsorbElements, label, &bytes);
        }
    }

    /// Draws a uniform element.
    pub fn challenge(&mut self, label: &'static str) -> F128 {
        let mut bytes = [0; 16];
        self.draw(Operation::Challenges, label, &1u64.to_le_bytes()).fill(&mut bytes);
        F128::from_le_bytes(bytes)
    }

    /// Draws `n` independent uniform elements.
    pub fn challenges(&mut self, label: &'static str, n: usize) -> Vec<F128> {
        let mut output = self.draw(Operation::Challenges, label, &(n as u64).to_le_bytes());
        squeeze(&mut output, n).into_iter().map(F128::from_le_bytes).collect()
    }

    /// Draws `n` independent uniform non-zero elements, by rejection.
    pub fn nonzero_challenges(&mut self, label: &'static str, n: usize) -> Vec<F128> {
        let mut output = self.draw(Operation::NonzeroChallenges, label, &(n as u64).to_le_bytes());
        let mut elements = Vec::with_capacity(n);
        while elements.len() < n {
            let drawn = squeeze(&mut output, n - elements.len());
            elements.extend(drawn.into_iter().map(F128::from_le_bytes).filter(|x| !x.is_zero()));
        }
        elements
    }

    /// Draws `n` independent uniform positions below `2^log_size`, in no order and with repetitions.
    ///
    /// # Panics
    ///
    /// If `2^log_size` is no `usize`.
    pub fn positions(&mut self, label: &'static str, log_size: u32, n: usize) -> Vec<usize> {
        assert!(log_size < usize::BITS, "a position is below 2^{log_size}, which is no usize");
        let mut argument = [0; 12];
        argument[..4].copy_from_slice(&log_size.to_le_bytes());
        argument[4..].copy_from_slice(&(n as u64).to_le_bytes());
        let mut output = self.draw(Operation::Positions, label, &argument);
        let mask = (1u64 << log_size) - 1;
        let draws = squeeze(&mut output, n).into_iter().map(u64::from_le_bytes);
        draws.map(|draw| (draw & mask) as usize).collect()
    }

    /// Proof of work, the prover's side: finds and absorbs the least nonce that
    /// [`Self::check_grinding`] accepts, in about `2^bits` hashes.
    ///
    /// Grinding before a draw multiplies the cost of each attempt at a favourable one by `2^bits`.
    ///
    /// # Panics
    ///
    /// If `bits` exceeds 63.
    #[cfg(feature = "prover")]
    pub fn grind(&mut self, bits: u32) -> u64 {
        assert!(bits < 64, "grinding {bits} bits does not end");
        let key = self.grinding_key(bits);
        let nonce = grinding::least_nonce(&key, bits);
        self.absorb_nonce(nonce);
        nonce
    }

    /// Proof of work, the verifier's side: absorbs `nonce`, and tells whether its digest under a key
    /// drawn from the transcript ends in `bits` zero bits. Without bits the only nonce is zero.
    #[must_use]
    pub fn check_grinding(&mut self, bits: u32, nonce: u64) -> bool {
        let key = self.grinding_key(bits);
        self.absorb_nonce(nonce);
        if bits == 0 {
            return nonce == 0;
        }
        trailing_zeros(blake3::keyed_hash(&key, &nonce.to_le_bytes()).as_bytes()) >= bits
    }

    fn grinding_key(&mut self, bits: u32) -> [u8; 32] {
        let mut key = [0; 32];
        self.draw(Operation::Grind, "", &bits.to_le_bytes()).fill(&mut key);
        key
    }

    fn absorb_nonce(&mut self, nonce: u64) {
        self.frame(Operation::Nonce, "", &nonce.to_le_bytes());
    }

    fn frame(&mut self, operation: Operation, label: &str, argument: &[u8]) {
        self.pending.update(&[operation as u8]);
        for part in [label.as_bytes(), argument] {
            self.pending.update(&(part.len() as u64).to_le_bytes());
            #[cfg(feature = "prover")]
            if part.len() >= PARALLEL {
                self.pending.update_rayon(part);
                continue;
            }
            self.pending.update(part);
        }
    }

    fn draw(&mut self, operation: Operation, label: &str, argument: &[u8]) -> blake3::OutputReader {
        self.frame(operation, label, argument);
        let absorbed = usize::try_from(self.pending.count()).unwrap_or(usize::MAX);
        count::compressions(compressions::of_hash(HashKind::Blake3, absorbed));
        let mut output = self.pending.finalize_xof();
        let mut key = [0; 32];
        output.fill(&mut key);
        self.pending = blake3::Hasher::new_keyed(&key);
        output
    }
}

/// The next `n` strings of `N` bytes.
fn squeeze<const N: usize>(output: &mut blake3::OutputReader, n: usize) -> Vec<[u8; N]> {
    // One for each block of output beyond the first.
    count::compressions((32 + n * N).div_ceil(64) - 1);
    let mut strings = vec![[0; N]; n];
    output.fill(strings.as_flattened_mut());
    strings
}

/// Zero bits at the low end of the first eight bytes, read as a little-endian number.
fn trailing_zeros(digest: &[u8; 32]) -> u32 {
    let [a, b, c, d, e, f, g, h, ..] = *digest;
    u64::from_le_bytes([a, b, c, d, e, f, g, h]).trailing_zeros()
}

/// The search for a nonce, many at once.
#[cfg(feature = "prover")]
mod grinding {
    use rayon::prelude::*;

    use super::trailing_zeros;
    use crate::Digest;
    use crate::arch::dispatch::{self, Backend};

    /// Nonces hashed in one call.
    const BATCH: usize = 256;
    /// Batches between two looks at whether a nonce was found.
    const ROUND: u64 = 64;

    pub(super) fn least_nonce(key: &[u8; 32], bits: u32) -> u64 {
        (0..)
            .step_by(ROUND as usize)
            .find_map(|round| {
                (round..round + ROUND)
                    .into_par_iter()
                    .find_map_first(|batch| least_in_batch(key, bits, batch * BATCH as u64))
            })
            .expect("a nonce of 64 bits leaves fewer than 64 zeros")
    }

    fn least_in_batch(key: &[u8; 32], bits: u32, start: u64) -> Option<u64> {
        let mut nonces = [[0; 8]; BATCH];
        for (nonce, bytes) in (start..).zip(&mut nonces) {
            *bytes = nonce.to_le_bytes();
        }
        let mut digests = [Digest::default(); BATCH];
        dispatch::blake3(Backend::limit(), key, nonces.as_flattened(), 8, &mut digests);
        let hit = digests.iter().position(|digest| trailing_zeros(digest) >= bits)?;
        Some(start + hit as u64)
    }
}
