//! Binary fields: the Fan-Paar tower, the GHASH representation of GF(2^128), and slice kernels.

#![deny(unsafe_code)]

pub mod kernels;

#[expect(unsafe_code, reason = "vector instructions, each use with its proof")]
mod arch;
mod f128;
mod linear;

pub use arch::dispatch::Backend;
pub use f128::F128;
pub use linear::LinearMap;
