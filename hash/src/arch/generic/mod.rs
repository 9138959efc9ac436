//! The hash functions over the lanes of a vector, one message a lane.

pub(super) mod blake3;
pub(super) mod groestl;
#[cfg(target_arch = "x86_64")]
pub(super) mod vision;
