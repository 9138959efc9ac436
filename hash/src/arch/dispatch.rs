//! The choice of a backend, made once per process and read once per call.

use core::fmt;
use core::sync::atomic::{AtomicU8, Ordering};

#[cfg(target_arch = "aarch64")]
use super::aarch64::{blake3_neon, groestl_neon};
#[cfg(target_arch = "x86_64")]
use super::x86_64::{blake3_avx2, blake3_avx512, groestl_avx2, groestl_avx512, vision_avx512};
use crate::{Digest, HashKind, compressions, groestl, vision};
use binfer_field::count;

/// The widest vectors that hashing many messages at once may use.
///
/// Each function takes the widest backend that it has, that the processor can run, and that isn't
/// beyond this limit:
///
/// | | [`Neon`](Self::Neon) | [`Avx2`](Self::Avx2) | [`Avx512`](Self::Avx512) |
/// |---|---|---|---|
/// | BLAKE3 | NEON | AVX2 | AVX-512F |
/// | Groestl-256 | NEON, AES | AVX2, VAES | AVX-512F, BW and VBMI, GFNI |
/// | Vision Mark-32 | – | – | AVX-512F and BW, GFNI |
///
/// The limit is what the environment variable `BINFER_BACKEND` names at the first call: `portable`,
/// `neon`, `avx2` or `avx512`. `pclmul`, a backend of the field, is `portable` here; other values set
/// no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Backend {
    /// The functions of [`HashKind`], message by message.
    Portable = 1,
    /// 128-bit vectors of aarch64.
    Neon = 2,
    /// 256-bit vectors of x86-64.
    Avx2 = 3,
    /// 512-bit vectors of x86-64.
    Avx512 = 4,
}

/// The limit as a number, zero before it is known.
static LIMIT: AtomicU8 = AtomicU8::new(0);

impl Backend {
    /// Every backend, narrow to wide.
    pub const ALL: [Self; 4] = [Self::Portable, Self::Neon, Self::Avx2, Self::Avx512];

    /// The limit that this process observes.
    pub fn limit() -> Self {
        let known = LIMIT.load(Ordering::Relaxed);
        if let Some(limit) = Self::ALL.into_iter().find(|&backend| backend as u8 == known) {
            return limit;
        }
        let limit = match std::env::var("BINFER_BACKEND").as_deref() {
            Ok("portable" | "pclmul") => Self::Portable,
            Ok("neon") => Self::Neon,
            Ok("avx2") => Self::Avx2,
            _ => Self::Avx512,
        };
        LIMIT.store(limit as u8, Ordering::Relaxed);
        limit
    }

    /// The name that `BINFER_BACKEND` knows it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Neon => "neon",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Calls the first function of the list that this processor can run within the limit; zero, the
/// number of messages done, if there is none.
macro_rules! first_supported {
    ($limit:ident; $($arch:literal $backend:ident $module:ident $name:ident $arguments:tt;)+) => {{
        // Some processors have no function of the list.
        let (done, _) = (None::<usize>, $limit);
        $(
            #[cfg(target_arch = $arch)]
            let done = done.or_else(|| {
                let is_supported = $limit >= Backend::$backend && $module::is_supported();
                // SAFETY: the processor has every feature that the module enables.
                is_supported.then(|| unsafe { $module::$name $arguments })
            });
        )+
        done.unwrap_or(0)
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
    count::compressions(digests.len() * compressions::of_hash(HashKind::Blake3, len));
    let done = first_supported! { limit;
        "x86_64" Avx512 blake3_avx512 hash_many(key, messages, len, digests);
        "x86_64" Avx2 blake3_avx2 hash_many(key, messages, len, digests);
        "aarch64" Neon blake3_neon hash_many(key, messages, len, digests);
    };
    let rest = messages[done * len..].chunks_exact(len);
    for (digest, message) in digests[done..].iter_mut().zip(rest) {
        *digest = *blake3::keyed_hash(key, message).as_bytes();
    }
}

/// Groestl-256 of each message of `len > 0` bytes.
pub(crate) fn groestl256(limit: Backend, messages: &[u8], len: usize, digests: &mut [Digest]) {
    count::compressions(digests.len() * compressions::of_hash(HashKind::Groestl256, len));
    let done = first_supported! { limit;
        "x86_64" Avx512 groestl_avx512 hash_many(messages, len, digests);
        "x86_64" Avx2 groestl_avx2 hash_many(messages, len, digests);
        "aarch64" Neon groestl_neon hash_many(messages, len, digests);
    };
    let rest = messages[done * len..].chunks_exact(len);
    for (digest, message) in digests[done..].iter_mut().zip(rest) {
        *digest = groestl::groestl256(message);
    }
}

/// The two-to-one compression of Groestl-256, of each pair.
pub(crate) fn groestl256_pairs(limit: Backend, pairs: &[[Digest; 2]], digests: &mut [Digest]) {
    count::compressions(digests.len() * compressions::of_node(HashKind::Groestl256));
    let done = first_supported! { limit;
        "x86_64" Avx512 groestl_avx512 compress_many(bytemuck::cast_slice(pairs), digests);
        "x86_64" Avx2 groestl_avx2 compress_many(bytemuck::cast_slice(pairs), digests);
        "aarch64" Neon groestl_neon compress_many(bytemuck::cast_slice(pairs), digests);
    };
    for (digest, [left, right]) in digests[done..].iter_mut().zip(&pairs[done..]) {
        *digest = groestl::compress_pair(left, right);
    }
}

/// Vision Mark-32 of each message of `len > 0` bytes.
pub(crate) fn vision32(limit: Backend, messages: &[u8], len: usize, digests: &mut [Digest]) {
    count::compressions(digests.len() * compressions::of_hash(HashKind::Vision32, len));
    let done = first_supported! { limit;
        "x86_64" Avx512 vision_avx512 hash_many(messages, len, digests);
    };
    let rest = messages[done * len..].chunks_exact(len);
    for (digest, message) in digests[done..].iter_mut().zip(rest) {
        *digest = vision::vision32(message);
    }
}

/// The two-to-one compression of Vision Mark-32, of each pair.
pub(crate) fn vision32_pairs(limit: Backend, pairs: &[[Digest; 2]], digests: &mut [Digest]) {
    count::compressions(digests.len() * compressions::of_node(HashKind::Vision32));
    let done = first_supported! { limit;
        "x86_64" Avx512 vision_avx512 compress_many(bytemuck::cast_slice(pairs), digests);
    };
    for (digest, [left, right]) in digests[done..].iter_mut().zip(&pairs[done..]) {
        *digest = vision::compress_pair(left, right);
    }
}
