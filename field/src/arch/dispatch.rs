//! The choice of a backend, made once per process and read once per call.

use core::fmt;
use core::sync::atomic::{AtomicU8, Ordering};

#[cfg(target_arch = "aarch64")]
use super::aarch64::neon;
use super::portable;
#[cfg(target_arch = "x86_64")]
use super::x86_64::{avx2, avx512, pclmul};
use crate::F128;
use crate::kernels::Corner;

/// An implementation of the kernels that this processor can run.
///
/// The best one is chosen when the first kernel is called. The environment variable
/// `BINFER_BACKEND`, read at that moment, names another: `portable`, `pclmul`, `avx2`, `avx512` or
/// `neon`. A name that is unknown, or that this processor cannot run, is ignored;
/// [`Backend::current`] tells what was chosen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Backend(Kind);

#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Portable = 1,
    #[cfg(target_arch = "x86_64")]
    Pclmul,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "aarch64")]
    Neon,
}

/// Every kind this processor family has, the best first.
const KINDS: &[Kind] = &[
    #[cfg(target_arch = "x86_64")]
    Kind::Avx512,
    #[cfg(target_arch = "x86_64")]
    Kind::Avx2,
    #[cfg(target_arch = "x86_64")]
    Kind::Pclmul,
    #[cfg(target_arch = "aarch64")]
    Kind::Neon,
    Kind::Portable,
];

impl Kind {
    fn is_supported(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Pclmul => pclmul::is_supported(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => avx2::is_supported(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => avx512::is_supported(),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => neon::is_supported(),
        }
    }
}

/// The current backend's kind, or 0 before the first choice. Holds supported kinds only.
static CURRENT: AtomicU8 = AtomicU8::new(0);

impl Backend {
    /// The backends that this processor can run, the best first; the last is portable.
    pub fn available() -> impl Iterator<Item = Self> {
        KINDS.iter().copied().filter(|kind| kind.is_supported()).map(Self)
    }

    /// The backend of every kernel call from now on until [`Self::select`].
    #[inline]
    pub fn current() -> Self {
        let current = CURRENT.load(Ordering::Relaxed);
        for &kind in KINDS {
            if kind as u8 == current {
                return Self(kind);
            }
        }
        Self::choose()
    }

    /// Makes this the backend of every kernel call of the process: for benches, and for tests that
    /// results do not depend on the backend.
    pub fn select(self) {
        CURRENT.store(self.0 as u8, Ordering::Relaxed);
    }

    /// The name that `BINFER_BACKEND` knows it by.
    pub const fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::Pclmul => "pclmul",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => "neon",
        }
    }

    /// Whether the kernels of this backend may use AVX2.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn has_avx2(self) -> bool {
        matches!(self.0, Kind::Avx2 | Kind::Avx512)
    }

    /// Whether the kernels of this backend may use AVX-512F.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn has_avx512(self) -> bool {
        self.0 == Kind::Avx512
    }

    #[cold]
    fn choose() -> Self {
        let chosen = Self::named_or_best(&std::env::var("BINFER_BACKEND").unwrap_or_default());
        chosen.select();
        chosen
    }

    /// The backend of this name if this processor can run it, the best one otherwise.
    pub(super) fn named_or_best(name: &str) -> Self {
        Self::available()
            .find(|backend| backend.name() == name)
            .or_else(|| Self::available().next())
            .unwrap_or(Self(Kind::Portable))
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

macro_rules! dispatched {
    ({} $(fn $name:ident($($arg:ident: $ty:ty),*) $(-> $ret:ty)?;)*) => {$(
        #[inline]
        pub(crate) fn $name(backend: Backend, $($arg: $ty),*) $(-> $ret)? {
            match backend.0 {
                Kind::Portable => portable::$name($($arg),*),
                #[cfg(target_arch = "x86_64")]
                // SAFETY: a `Backend` of this kind is only made after `pclmul::is_supported`.
                Kind::Pclmul => unsafe { pclmul::$name($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: a `Backend` of this kind is only made after `avx2::is_supported`.
                Kind::Avx2 => unsafe { avx2::$name($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: a `Backend` of this kind is only made after `avx512::is_supported`.
                Kind::Avx512 => unsafe { avx512::$name($($arg),*) },
                #[cfg(target_arch = "aarch64")]
                // SAFETY: a `Backend` of this kind is only made after `neon::is_supported`.
                Kind::Neon => unsafe { neon::$name($($arg),*) },
            }
        }
    )*};
}

for_each_kernel! { dispatched! {} }
