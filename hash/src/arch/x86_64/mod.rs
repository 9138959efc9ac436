//! Lanes for x86-64, a file for each hash function and vector length.

pub(super) mod blake3_avx2;
pub(super) mod blake3_avx512;
pub(super) mod groestl_avx2;
pub(super) mod groestl_avx512;
pub(super) mod vision_avx512;
