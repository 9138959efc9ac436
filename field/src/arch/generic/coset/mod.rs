//! Sums over blocks of products of bits that are extended from GF(2^4) to its cosets.

mod bytes;
mod nibbles;
mod tables;

use super::Lanes;
use crate::F128;
use crate::coset::{Extension, ProductSums};

/// Adds to `sums` what [`coset::add_products`](crate::coset::add_products) says.
#[inline(always)]
pub(crate) fn coset_products<const N: usize>(
    isa: impl Lanes<N>,
    sums: &mut [ProductSums],
    planes: &[&[u16]],
    weights: &[F128],
    extension: &Extension,
) {
    if let Some(lanes) = isa.byte_lanes() {
        bytes::add_products(lanes, sums, planes, weights, extension);
    } else if let Some(lanes) = isa.nibble_lanes() {
        nibbles::add_products(lanes, sums, planes, weights, extension);
    } else {
        tables::add_products(sums, planes, weights, extension);
    }
}
