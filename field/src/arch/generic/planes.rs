//! Butterflies of additive NTTs over `Tower16` and `Tower32` in byte planes.
//!
//! With byte lanes a map of planes is one affine instruction for 64 elements. Without them it is, for each bit of
//! the argument, a mask that selects the bit's image: plain loops over 64 bytes, which the compiler vectorizes.

use super::{ByteLanes, Lanes};
use crate::planes::{Plane, Product, add};

/// One layer; see [`crate::planes::Twiddles::butterflies`]. `product` is that by the first block's twiddle.
#[inline(always)]
pub(crate) fn plane_butterflies<const N: usize>(
    isa: impl Lanes<N>,
    data: &mut [Plane],
    half: usize,
    n_planes: usize,
    first: usize,
    mut product: Product,
    steps: &[Product],
) {
    let lanes = isa.byte_lanes();
    for (k, block) in (first..).zip(data.chunks_exact_mut(2 * half * n_planes)) {
        let (lo, hi) = block.split_at_mut(half * n_planes);
        match (n_planes, lanes) {
            (2, Some(lanes)) => affine_block::<_, 2>(lanes, lo, hi, &product),
            (4, Some(lanes)) => affine_block::<_, 4>(lanes, lo, hi, &product),
            (2, None) => masked_block::<2>(lo, hi, &product),
            (4, None) => masked_block::<4>(lo, hi, &product),
            _ => unreachable!("no planar field has {n_planes} bytes"),
        }
        if let Some(step) = steps.get((k + 1).trailing_zeros() as usize) {
            add(&mut product, step);
        }
    }
}

#[inline(always)]
fn affine_block<B: ByteLanes, const W: usize>(
    lanes: B,
    lo: &mut [Plane],
    hi: &mut [Plane],
    product: &Product,
) {
    let (lo, hi) = (lo.as_chunks_mut::<W>().0, hi.as_chunks_mut::<W>().0);
    for (lo, hi) in lo.iter_mut().zip(hi) {
        let mut h = [lanes.load_bytes(&hi[0]); W];
        for i in 1..W {
            h[i] = lanes.load_bytes(&hi[i]);
        }
        for j in 0..W {
            let mut sum = lanes.load_bytes(&lo[j]);
            for i in 0..W {
                sum = lanes.xor_bytes(sum, lanes.affine(h[i], product[j * W + i]));
            }
            lanes.store_bytes(&mut lo[j], sum);
            lanes.store_bytes(&mut hi[j], lanes.xor_bytes(sum, h[j]));
        }
    }
}

#[inline(always)]
fn masked_block<const W: usize>(lo: &mut [Plane], hi: &mut [Plane], product: &Product) {
    let mut images = [[[0; W]; 8]; W];
    for (i, images) in images.iter_mut().enumerate() {
        for (bit, images) in images.iter_mut().enumerate() {
            for (j, image) in images.iter_mut().enumerate() {
                // Byte 7 - r of a map selects the bits that make bit r.
                let rows = product[j * W + i].to_be_bytes();
                *image = (0..8).map(|r| (rows[r] >> bit & 1) << r).sum();
            }
        }
    }
    let (lo, hi) = (lo.as_chunks_mut::<W>().0, hi.as_chunks_mut::<W>().0);
    for (lo, hi) in lo.iter_mut().zip(hi) {
        for (plane, images) in hi.iter().zip(&images) {
            for (bit, images) in images.iter().enumerate() {
                let mask = plane.map(|x| (x >> bit & 1).wrapping_neg());
                for (sum, &image) in lo.iter_mut().zip(images) {
                    for (sum, mask) in sum.iter_mut().zip(mask) {
                        *sum ^= mask & image;
                    }
                }
            }
        }
        for (hi, lo) in hi.as_flattened_mut().iter_mut().zip(lo.as_flattened()) {
            *hi ^= lo;
        }
    }
}
