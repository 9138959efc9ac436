//! Lanes for aarch64, a file for each hash function.

pub(super) mod blake3_neon;
pub(super) mod groestl_neon;
