//! The backend for any processor: one element at a time in general registers.

mod clmul;
mod lanes;

use super::generic;
use crate::F128;
use crate::kernels::Corner;

macro_rules! portable_kernels {
    ({} $(fn $name:ident($($arg:ident: $ty:ty),*) $(-> $ret:ty)?;)*) => {$(
        pub(super) fn $name($($arg: $ty),*) $(-> $ret)? {
            generic::$name(lanes::Portable, $($arg),*)
        }
    )*};
}

for_each_kernel! { portable_kernels! {} }
