//! Binary fields: the Fan-Paar tower, the GHASH representation of GF(2^128), and slice kernels.

#![deny(unsafe_code)]

#[cfg(target_endian = "big")]
compile_error!("slices of field elements are read as little-endian bytes");

pub mod kernels;
pub mod tower;

#[expect(unsafe_code, reason = "vector instructions, each use with its proof")]
mod arch;
mod f128;
mod field;
mod frobenius;
mod linear;

pub use arch::dispatch::Backend;
pub use f128::F128;
pub use field::{ExtensionField, Field};
pub use linear::LinearMap;
pub use tower::{Tower1, Tower2, Tower4, Tower8, Tower16, Tower32, Tower64, Tower128};
