//! Commitments to bits: interleaved Reed-Solomon rows, BaseFold over FRI, and ring switching.
//!
//! The relation, the messages, the soundness and the cost are on the page
//! `docs/protocols/commitment.md`.

#![forbid(unsafe_code)]

mod claim;
mod code;
mod layout;
mod packing;
mod params;
#[cfg(feature = "prover")]
mod prove;
mod tensor;
mod verify;

pub use claim::{Claim, ClaimGroup, Width};
pub use layout::Shape;
pub use params::{Params, ParamsError, log_row_for};
#[cfg(feature = "prover")]
pub use prove::{Oracle, commit, open};
pub use verify::verify;
