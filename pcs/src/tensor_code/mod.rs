//! The tensor-code commitment of DP23: a matrix of small coefficients, its rows codewords over a small field.
//!
//! # Relation
//!
//! The multilinear whose coefficients of 1 to 32 bits lie in a matrix behind a Merkle root has a value at a point of
//! GF(2^128).
//!
//! # Messages
//!
//! The combination of the rows by the point's row coordinates, then columns of the codewords at random positions, each
//! with its Merkle path. The verifier encodes the combination and compares (B. Diamond, J. Posen, *Succinct arguments
//! over towers of binary fields*, ePrint 2023/1784, Constructions 3.7 and 3.11).
//!
//! # Cost
//!
//! Commitment takes an NTT over GF(2^16) or GF(2^32) a row and a hash of the codewords. A proof grows with the square
//! root of the data; [`Params::proof_bytes`] is its length.
//!
//! # Soundness
//!
//! [`Params::soundness`]: queries, and the proximity gap of the combination, for a point whose row coordinates are drawn
//! after the commitment. The page `docs/protocols/tensor-code.md` has the argument.
//!
//! ```
//! use binfer_hash::Transcript;
//! use binfer_pcs::tensor_code::{Alphabet, Params, commit, open, verify};
//!
//! // 2^16 bits, in the shape whose proof is shortest at 100 bits of soundness and rate 1/4.
//! let params = Params::smallest(16, 0, Alphabet::B16, 2, 100)?;
//! let oracle = commit(&params, (0..1 << 13).map(|i| (i * i) as u8).collect());
//!
//! let mut transcript = Transcript::new("example");
//! transcript.absorb_bytes("root", &oracle.root());
//! let point = transcript.challenges("point", 16);
//! let (value, proof) = open(&oracle, &point, &mut transcript.clone());
//! assert_eq!(proof.len() as u64, params.proof_bytes());
//!
//! verify(&params, &oracle.root(), &point, value, &mut transcript, &proof)?;
//! # Ok::<(), binfer_pcs::tensor_code::TensorCodeError>(())
//! ```

mod code;
mod combine;
mod params;
#[cfg(feature = "prover")]
mod prove;
mod shortest;
#[cfg(all(test, feature = "prover"))]
mod tests;
mod verify;

pub use params::{Alphabet, Params, ParamsError};
#[cfg(feature = "prover")]
pub use prove::{Oracle, commit, open};
pub use verify::{TensorCodeError, verify};
