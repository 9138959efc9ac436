//! The aarch64 backend: PMULL of the cryptographic extension.

pub(super) mod neon;

mod nibbles;
