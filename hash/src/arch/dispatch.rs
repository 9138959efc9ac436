//! The choice of a backend, made once per process and read once per call.

use core::fmt;
use core::sync::atomic::{AtomicU8, Ordering};

#[cfg(target_arch = "x86_64")]
use super::x86_64::{blake3_avx2, blake3_avx512, groestl_avx2, groestl_avx512};
use crate::{Digest, HashKind};

/// The widest vectors that hashing many messages at once may use.
///
/// Each function takes the widest backend that it has, that the processor can run, and that isn't
/// beyond this limit: BLAKE3 has AVX-512F and AVX2, Groestl-256 AVX-512 with GFNI and AVX2 with VAES.
/// The limit is the environment variable `BINFER_BACKEND` at the first call, if it is `portable`,
/// `avx2` or `avx512`; other values, meant for other crates, set no limit except that `pclmul` and
/// `neon`, for which there is nothing here, are `portable`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Backend {
    /// The functions of [`HashKind`], message by message.
    Portable = 1,
    /// 256-bit vectors.
    Avx2 = 2,
    /// 512-bit vectors.
    Avx512 = 3,
}

/// The code of the limit, zero before it is known.
static LIMIT: AtomicU8 = AtomicU8::new(0);

impl Backend {
    /// Every backend, narrow to wide.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// The limit that hashing in this process observes.
    pub fn limit() -> Self {
        match LIMIT.load(Ordering::Relaxed) {
            0 => {
                let limit = match std::env::var("BINFER_BACKEND").as_deref() {
                    Ok("portable" | "pclmul" | "neon") => Self::Portable,
                    Ok("avx2") => Self::Avx2,
                    _ => Self::Avx512,
                };
                LIMIT.store(limit as u8, Ordering::Relaxed);
                limit
            }
            1 => Self::Portable,
            2 => Self::Avx2,
            _ => Self::Avx512,
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        })
    }
}

/// A function compiled for some instruction set: where it may be used, and how to call it.
macro_rules! first_supported {
    ($limit:expr; $($backend:ident: $module:ident.$name:ident($($arg:expr),*)),+) => {{
        #[cfg(target_arch = "x86_64")]
        {
            $(
                if $limit >= Backend::$backend && $module::is_supported() {
                    // SAFETY: the processor has every feature that the module enables.
                    unsafe { $module::$name($($arg),*) }
                } else
            )+
            { 0 }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            let _ = $limit;
            0
        }
    }};
}

/// Keyed BLAKE3 of each message of `len > 0` bytes.
pub(crate) fn blake3(
    limit: Backend,
    key: &[u8; 32],
    messages: &[u8],
    len: usize,
    digests: &mut [Digest],
) {
    let done = first_supported!(
        limit;
        Avx512: blake3_avx512.hash_many(key, messages, len, digests),
        Avx2: blake3_avx2.hash_many(key, messages, len, digests)
    );
    let rest = messages[done * len..].chunks_exact(len);
    for (digest, message) in digests[done..].iter_mut().zip(rest) {
        *digest = *blake3::keyed_hash(key, message).as_bytes();
    }
}

/// Groestl-256 of each message of `len > 0` bytes.
pub(crate) fn groestl256(limit: Backend, messages: &[u8], len: usize, digests: &mut [Digest]) {
    let done = first_supported!(
        limit;
        Avx512: groestl_avx512.hash_many(messages, len, digests),
        Avx2: groestl_avx2.hash_many(messages, len, digests)
    );
    let rest = messages[done * len..].chunks_exact(len);
    for (digest, message) in digests[done..].iter_mut().zip(rest) {
        *digest = HashKind::Groestl256.hash(message);
    }
}

/// The two-to-one compression of Groestl-256, of each pair.
pub(crate) fn groestl256_pairs(limit: Backend, pairs: &[[Digest; 2]], digests: &mut [Digest]) {
    let blocks: &[[u8; 64]] = bytemuck::cast_slice(pairs);
    let done = first_supported!(
        limit;
        Avx512: groestl_avx512.compress_many(blocks, digests),
        Avx2: groestl_avx2.compress_many(blocks, digests)
    );
    for (digest, [left, right]) in digests[done..].iter_mut().zip(&pairs[done..]) {
        *digest = HashKind::Groestl256.node(left, right);
    }
}
