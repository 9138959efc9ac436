//! Binary fields: the Fan-Paar tower, the GHASH representation of GF(2^128), and slice kernels.

pub mod kernels;

mod f128;
mod linear;

pub use f128::F128;
pub use linear::LinearMap;
