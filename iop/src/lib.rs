//! Interactive arguments: each reduces a claim on polynomials to evaluation claims.
#![forbid(unsafe_code)]

#[cfg(feature = "prover")]
pub mod buffer;
pub mod channel;
pub mod claims;
pub mod indexed;
pub mod join;
pub mod lookup;
pub mod multilinear;
pub mod product;
pub mod sumcheck;
pub mod zerocheck;
