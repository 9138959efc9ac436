//! Binary fields: the Fan-Paar tower, the GHASH representation of GF(2^128), and slice kernels.
//!
//! - [`F128`] is GF(2^128) modulo `x^128 + x^7 + x^2 + x + 1`, the field of the protocols.
//! - [`Tower1`] to [`Tower128`] are the fields of the [`tower`]; each converts into every larger
//!   one and into [`F128`], and [`Tower128`] and [`F128`] into each other.
//! - [`Field`] and [`ExtensionField`] state their laws.
//! - [`coset`] extends bits to points of GF(2^8) and sums products of extensions.
//! - [`planes`] transforms elements of small fields, 64 at a time.
//! - [`count`] counts operations, with the feature `count-operations`.
//! - [`kernels`] computes on slices, and [`LinearMap`] applies GF(2)-linear maps to them.
//!
//! # Backends
//!
//! A kernel chooses its [`Backend`] once per call from what the processor has, whatever the
//! compiler was told to build for:
//!
//! | `BINFER_BACKEND` | instructions | elements at a time |
//! |---|---|---|
//! | `avx512` | AVX-512 F, BW, VL and VBMI, VPCLMULQDQ, GFNI | 4 |
//! | `avx2` | AVX2, VPCLMULQDQ | 2 |
//! | `pclmul` | SSSE3, PCLMULQDQ | 1 |
//! | `neon` | PMULL of the aarch64 cryptographic extension | 1 |
//! | `portable` | integer multiplication | 1 |
//!
//! # Example
//!
//! ```
//! use binfer_field::{F128, Tower8, Tower128, kernels};
//!
//! let a: Vec<F128> = (1..=100).map(F128::new).collect();
//! let mut squares = vec![F128::ZERO; a.len()];
//! kernels::mul(&mut squares, &a, &a);
//! assert_eq!(squares[2], F128::new(3) * F128::new(3));
//! assert_eq!(kernels::inner_product(&a, &a), squares.iter().copied().sum());
//!
//! let byte = Tower8::new(0x5d);
//! assert_eq!(Tower128::from(F128::from(byte)), Tower128::from(byte));
//! ```

#![deny(unsafe_code)]

#[cfg(target_endian = "big")]
compile_error!("slices of field elements are read as little-endian bytes");

pub mod coset;
pub mod count;
pub mod kernels;
pub mod planes;
pub mod tower;

mod aligned;
#[expect(unsafe_code, reason = "vector instructions, each use with its proof")]
mod arch;
mod f128;
mod field;
mod frobenius;
mod linear;
mod nibbles;

pub use arch::dispatch::Backend;
pub use f128::F128;
pub use field::{ExtensionField, Field};
pub use linear::{LinearMap, WordMap, subset_sums, transpose_bits};
pub use nibbles::NibbleSums;
pub use tower::{Tower1, Tower2, Tower4, Tower8, Tower16, Tower32, Tower64, Tower128};
