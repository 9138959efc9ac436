//! Lanes and shells for x86-64, a file for each hash function and vector length.

/// The token, detection and shells of a backend, from one list of target features.
///
/// It expands to the token, a value of which proves that the processor has the features, to
/// `is_supported`, and to shells that enable the features and pass a token to a generic function.
macro_rules! backend {
    (
        $token:ident, $features:tt,
        $(fn $name:ident $arguments:tt = $generic:path),+
    ) => {
        /// A proof that this processor has the instructions of this backend.
        #[derive(Clone, Copy)]
        struct $token(());

        backend!(@detect $features);
        $(backend!(@shell $token, $features, $name $arguments $generic);)+
    };
    (@detect [$($feature:tt),+]) => {
        /// Whether this processor has every feature that the shells enable.
        pub(in crate::arch) fn is_supported() -> bool {
            $(std::arch::is_x86_feature_detected!($feature))&&+
        }
    };
    (
        @shell $token:ident, [$($feature:tt),+],
        $name:ident ($($argument:ident: $type:ty),*) $generic:path
    ) => {
        #[doc = concat!("[`", stringify!($generic), "`] on these lanes.")]
        $(#[target_feature(enable = $feature)])+
        pub(in crate::arch) fn $name($($argument: $type),*) -> usize {
            $generic($token(()), $($argument),*)
        }
    };
}

pub(super) mod blake3_avx2;
pub(super) mod blake3_avx512;
pub(super) mod groestl_avx2;
pub(super) mod groestl_avx512;
