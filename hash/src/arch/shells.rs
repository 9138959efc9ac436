//! The macro that compiles a generic function for one instruction set.

/// The token, detection and shells of a backend, from one list of target features.
///
/// It expands to the token, a value of which proves that the processor has the features, to
/// `is_supported`, and to shells that enable the features and pass a token to a generic function.
macro_rules! backend {
    (
        $token:ident, $detector:ident, $features:tt,
        $(fn $name:ident $arguments:tt = $generic:path),+
    ) => {
        /// A proof that this processor has the instructions of this backend.
        #[derive(Clone, Copy)]
        struct $token(());

        backend!(@detect $detector, $features);
        $(backend!(@shell $token, $features, $name $arguments $generic);)+
    };
    (@detect $detector:ident, [$($feature:tt),+]) => {
        /// Whether this processor has every feature that the shells enable.
        pub(in crate::arch) fn is_supported() -> bool {
            $($detector!($feature))&&+
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
