//! The x86-64 backends: PCLMULQDQ, and VPCLMULQDQ on 256 and 512 bits.

pub(super) mod avx2;
pub(super) mod avx512;
pub(super) mod pclmul;

mod gfni;
mod nibbles;
