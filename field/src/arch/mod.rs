//! Instruction-set backends: each algorithm once over a lane trait, thin shells per processor.
//!
//! `generic` holds the algorithms, `portable`, `x86_64` and `aarch64` the lanes and the shells that
//! enable their instructions, and `dispatch` is the only place that chooses between them.

#[macro_use]
mod shells;

pub(crate) mod dispatch;

mod generic;
pub(crate) mod integers;
mod portable;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tower_tests;

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

pub(crate) use generic::{Form, TowerMap, matrix as byte_matrix};
