//! The list of kernels and the macro that compiles each for one instruction set.

/// Calls `$callback! { $context kernels... }` with the signature of every kernel.
macro_rules! for_each_kernel {
    ($callback:ident! $context:tt) => {
        $callback! { $context
            fn mul_one(a: F128, b: F128) -> F128;
            fn square_one(a: F128) -> F128;
            fn square_times(a: F128, times: u32) -> F128;
            fn pow(a: F128, exponent: u128) -> F128;
            fn add_assign(dst: &mut [F128], src: &[F128]);
            fn sum(src: &[F128]) -> F128;
            fn mul(dst: &mut [F128], a: &[F128], b: &[F128]);
            fn mul_assign(dst: &mut [F128], src: &[F128]);
            fn mul_adjacent(dst: &mut [F128], src: &[F128]);
            fn add_products(dst: &mut [F128], a: &[F128], b: &[F128]);
            fn square(dst: &mut [F128], src: &[F128]);
            fn scale(dst: &mut [F128], scalar: F128);
            fn scale_into(dst: &mut [F128], src: &[F128], scalar: F128);
            fn add_scaled(dst: &mut [F128], src: &[F128], scalar: F128);
            fn inner_product(a: &[F128], b: &[F128]) -> F128;
            fn product_round(
                w: &[F128],
                a_lo: &[F128],
                a_hi: &[F128],
                b_lo: &[F128],
                b_hi: &[F128]
            ) -> (F128, F128);
            fn table_round(
                a_lo: &[F128],
                a_hi: &[F128],
                b_lo: &[F128],
                b_hi: &[F128]
            ) -> (F128, F128);
            fn lines_round(w: &[F128], lo: &[&[F128]], hi: &[&[F128]]) -> [F128; 9];
            fn quartic_round(
                w: Option<&[F128]>,
                lo: [&[F128]; 4],
                hi: [&[F128]; 4],
                ahead: &[&[u8]]
            ) -> [F128; 4];
            fn product_grid(
                w: &[F128],
                a: [&[F128]; 4],
                b: [&[F128]; 4],
                corner: Corner
            ) -> [F128; 8];
            fn table_grid(a: [&[F128]; 4], b: [&[F128]; 4]) -> [F128; 8];
            fn fold_four(dst: &mut [F128], rest: [&[F128]; 3], weights: [F128; 3]);
            fn fold(lo: &mut [F128], hi: &[F128], r: F128);
            fn fold_into(dst: &mut [F128], lo: &[F128], hi: &[F128], r: F128);
            fn fold_adjacent(dst: &mut [F128], src: &[F128], r: F128);
            fn butterfly(lo: &mut [F128], hi: &mut [F128], twiddle: F128);
            fn butterflies(data: &mut [F128], half: usize, twiddles: &[F128], offset: F128);
            fn inverse_butterfly(lo: &mut [F128], hi: &mut [F128], twiddle: F128);
            fn eq_expand(lo: &mut [F128], hi: &mut [F128], r: F128);
            fn histogram(bins: &mut [F128], index: &[u8], weights: &[F128]);
            fn block_histograms(
                bins: &mut [[F128; 256]; 8],
                index: &[[u8; 16]],
                first: usize,
                weights: &[F128]
            );
            fn bit_sums(sums: &mut [F128; 128], words: &[F128], weights: &[F128]);
            fn gather(dst: &mut [F128], table: &[F128], index: &[u8]);
            fn gather_two(
                dst: &mut [F128],
                tables: [&[F128; 256]; 2],
                index: [&[u8]; 2],
                ahead: &[&[u8]]
            );
            fn has_byte_lanes() -> bool;
            fn nibble_sums(
                dst: &mut [F128],
                index: &[&[u8]],
                is_high: bool,
                tables: &crate::nibbles::Tables
            );
            fn gather_products(dst: &mut [F128], tables: [&[F128; 256]; 2], index: [&[u8]; 2]);
            fn gather_four_products(
                dst: &mut [F128],
                tables: [&[F128; 256]; 4],
                index: [&[u8]; 4],
                ahead: &[&[u8]]
            );
            fn gather_quartic(
                w: &[F128],
                tables: [&[F128; 256]; 8],
                index: [&[u8]; 8],
                ahead: &[&[u8]]
            ) -> [F128; 3];
            fn nibble_products(
                low: &[F128; 16],
                high: &[[F128; 16]],
                index: [&[u8]; 4]
            ) -> [[F128; 4]; 4];
            fn pack_plane(dst: &mut [F128], bytes: &[u8], plane: u32);
            fn pack_planes(planes: [&mut [F128]; 8], bytes: &[u8]);
            fn transpose(rows: &mut [F128; 128]);
            fn linear_map(
                dst: &mut [F128],
                src: &[F128],
                tables: &[[F128; 256]],
                blocks: &[[u64; 16]; 16]
            );
            fn word_map(
                dst: &mut [F128],
                src: &[&[[u8; 2]]],
                constant: F128,
                tables: &[[F128; 256]],
                blocks: &[[[u64; 8]; 4]; 16]
            );
            fn coset_products(
                sums: &mut [crate::coset::ProductSums],
                planes: &[&[u16]],
                weights: &[F128],
                extension: &crate::coset::Extension
            );
            fn tower_mul(
                dst: &mut [u8],
                a: &[u8],
                b: &[u8],
                n_bytes: usize,
                form: crate::arch::Form
            );
            fn tower_map(
                elements: &mut [u8],
                n_bytes: usize,
                form: crate::arch::Form,
                map: crate::arch::TowerMap
            );
            fn plane_butterflies(
                data: &mut [crate::planes::Plane],
                half: usize,
                n_planes: usize,
                first: usize,
                product: crate::planes::Product,
                steps: &[crate::planes::Product]
            );
        }
    };
}

/// Every kernel for one instruction set, from one list of target features: the lane token, its
/// detection and the compiled shells.
///
/// `backend!(Token, "feature", ... ; detector)` expands to `Token`, whose only constructors are
/// the shells, `is_supported`, and a shell per kernel that enables exactly those features.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! backend {
    ($token:ident, $detector:ident, [$($feature:tt),+]) => {
        /// A proof that this processor has the instructions of this backend.
        #[derive(Clone, Copy)]
        pub(super) struct $token(());

        /// Whether this processor has every feature that the shells enable.
        pub(in crate::arch) fn is_supported() -> bool {
            $($detector!($feature))&&+
        }

        for_each_kernel! { shells! { $token, [$($feature),+] } }
    };
}

/// A shell for each of a list of kernels.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! shells {
    ({ $token:ident, $features:tt } $(fn $name:ident $args:tt $(-> $ret:ty)?;)*) => {
        $(shell! { $token, $features, fn $name $args $(-> $ret)? })*
    };
}

/// One kernel with the features of its backend enabled.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! shell {
    (
        $token:ident, [$($feature:tt),+],
        fn $name:ident($($arg:ident: $ty:ty),*) $(-> $ret:ty)?
    ) => {
        $(#[target_feature(enable = $feature)])+
        pub(in crate::arch) fn $name($($arg: $ty),*) $(-> $ret)? {
            super::super::generic::$name($token(()), $($arg),*)
        }
    };
}
