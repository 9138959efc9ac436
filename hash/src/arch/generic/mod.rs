//! The hash functions over the lanes of a vector, one message a lane.

pub(super) mod blake3;
pub(super) mod groestl;
