//! Data that begins where a line of the cache does.

/// Of a value whose parts are a register each, none lies across two lines.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Aligned<T>(pub(crate) T);
