//! Many messages at once: each hash function once over a lane trait, thin shells per processor.
//!
//! `generic` holds the algorithms, `x86_64` and `aarch64` the lanes and the shells that enable their
//! instructions, [`dispatch`] is the only place that chooses between them. Messages that do not fill
//! a group of lanes, and processors without a backend here, go through the scalar functions of
//! [`HashKind`](crate::HashKind).

pub(crate) mod dispatch;

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod generic;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[macro_use]
mod shells;

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;
