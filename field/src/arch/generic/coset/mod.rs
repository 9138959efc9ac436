//! Sums over blocks of products of bits that are extended from a domain of 32 points to cosets.

mod bytes;
mod nibbles;
mod tables;

use super::Lanes;
use crate::coset::{Extension, Group, ProductSums};

/// Adds to `sums` what [`Extension::add_products`] says.
///
/// In each group of 64 blocks `weights[i]` holds coordinate `i` of the weights, zero beyond the last block. There are at most as many groups as
/// [`Extension::BLOCKS`] fill.
#[inline(always)]
pub(crate) fn coset_products<const N: usize>(
    isa: impl Lanes<N>,
    sums: &mut ProductSums,
    planes: &[&[u32]],
    weights: &[Group],
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
