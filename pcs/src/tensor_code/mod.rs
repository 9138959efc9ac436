//! The tensor-code commitment of DP23: a matrix of small coefficients, its rows Reed-Solomon codewords over a small
//! field, opened by one combination of the rows and some columns.

mod code;
mod combine;
mod params;
#[cfg(feature = "prover")]
mod prove;
#[cfg(all(test, feature = "prover"))]
mod tests;
mod verify;

pub use params::{Alphabet, Params, ParamsError};
#[cfg(feature = "prover")]
pub use prove::{Oracle, commit, open};
pub use verify::{TensorCodeError, verify};
