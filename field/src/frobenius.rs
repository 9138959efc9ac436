//! The Frobenius map of GF(2^128) repeated, with tables for every eight times.

use std::sync::LazyLock;

use crate::arch::dispatch::{self, Backend};
use crate::{F128, LinearMap, count};

/// `x -> x^(2^8)`, `x^(2^16)`, `x^(2^32)` and `x^(2^64)`.
static MAPS: [LazyLock<LinearMap>; 4] = [
    LazyLock::new(|| map(|x| dispatch::square_times(Backend::current(), x, 8))),
    LazyLock::new(|| twice(&MAPS[0])),
    LazyLock::new(|| twice(&MAPS[1])),
    LazyLock::new(|| twice(&MAPS[2])),
];

fn map(image: impl Fn(F128) -> F128) -> LinearMap {
    LinearMap::new(&core::array::from_fn(|i| image(F128::new(1 << i))))
}

fn twice(once: &LinearMap) -> LinearMap {
    map(|x| once.apply(once.apply(x)))
}

/// `x^(2^times)` for `times < 128`.
pub(crate) fn apply(mut x: F128, times: u32) -> F128 {
    for (i, map) in MAPS.iter().enumerate() {
        if times >> (3 + i) & 1 == 1 {
            x = map.apply(x);
        }
    }
    count::scalar(0, times % 8, 0);
    dispatch::square_times(Backend::current(), x, times % 8)
}

/// The elements worked on at a time by [`apply_slice`], 4 KiB.
const CHUNK: usize = 256;

/// Each element's power with exponent `2^times`, for `times < 128`.
pub(crate) fn apply_slice(elements: &mut [F128], times: u32) {
    let backend = Backend::current();
    let mut copy = [F128::ZERO; CHUNK];
    for chunk in elements.chunks_mut(CHUNK) {
        let copy = &mut copy[..chunk.len()];
        for (i, map) in MAPS.iter().enumerate() {
            if times >> (3 + i) & 1 == 1 {
                copy.copy_from_slice(chunk);
                map.apply_slice_on(backend, chunk, copy);
            }
        }
        for _ in 0..times % 8 {
            copy.copy_from_slice(chunk);
            dispatch::square(backend, chunk, copy);
        }
    }
}
