//! Commitments to bits: interleaved Reed-Solomon rows, BaseFold over FRI, and ring switching.
//!
//! Data are words of 128 bits in rows of one length; [`commit`] encodes the rows and hashes the
//! columns of what results. [`open`] proves any number of evaluation claims on any number of such
//! oracles in one proof, which [`verify`] checks against the oracles' roots. The relation, the
//! messages, the soundness and the cost are on the page `docs/protocols/commitment.md`. [`tensor_code`] is a
//! commitment of another kind, with openings of square-root size.
//!
//! ```
//! use binfer_field::{F128, kernels};
//! use binfer_hash::Transcript;
//! use binfer_iop::channel::{ProofReader, ProverChannel};
//! use binfer_pcs::{Claim, ClaimGroup, Params, Width, commit, log_row_for, open, verify};
//!
//! // 2^14 bits, and the value of their multilinear extension at a point.
//! let words: Vec<F128> = (0..1 << 7).map(|i| F128::new(i * i)).collect();
//! let point: Vec<F128> = (0..14).map(|i| F128::new(3 + i)).collect();
//! let eq = kernels::eq_table(&point);
//! let bits = words.iter().flat_map(|w| (0..128).map(|i| w.to_bits() >> i & 1 == 1));
//! let value = bits.zip(&eq).filter(|(bit, _)| *bit).map(|(_, &e)| e).sum();
//!
//! let params = Params::default();
//! let oracle = commit(&params, log_row_for(&params, words.len()), words);
//! let claims = vec![Claim::on(0, 0, 14, value)];
//! let groups = [ClaimGroup::at(Width::Bit, &point, claims)];
//!
//! // Both ends start from a transcript that holds the statement.
//! let mut transcript = Transcript::new("example");
//! transcript.absorb_bytes("params", &params.to_bytes());
//! transcript.absorb_bytes("root", &oracle.root());
//! transcript.absorb("point", &point);
//! transcript.absorb("value", &[value]);
//!
//! let mut prover = ProverChannel::new(transcript.clone());
//! open(&params, &[&oracle], &groups, &mut prover);
//! let proof = prover.finish();
//!
//! let mut verifier = ProofReader::new(transcript, &proof);
//! verify(&params, &[(oracle.root(), oracle.shape())], &groups, &mut verifier)?;
//! verifier.finish()?;
//! # Ok::<(), binfer_iop::channel::VerifyError>(())
//! ```

#![deny(unsafe_code)]

mod claim;
mod code;
pub mod dp24;
mod layout;
mod packing;
mod params;
#[cfg(feature = "prover")]
mod prove;
mod queries;
mod size;
mod tensor;
pub mod tensor_code;
mod verify;

pub use claim::{Claim, ClaimGroup, Part, Width};
pub use layout::Shape;
pub use params::{Params, ParamsError, log_row_for};
#[cfg(feature = "prover")]
pub use prove::{Oracle, commit, encode, open, opening_bytes, oracle_bytes, store};
pub use queries::{log2_query_error, queries};
pub use size::{OpeningSize, opening_size};
pub use verify::verify;
