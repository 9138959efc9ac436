//! Elements of `Tower16` and `Tower32` in byte planes, and the butterflies of additive NTTs on them.
//!
//! Sixty-four elements of `n` bytes are `n` planes: plane `i` holds byte `i` of each. The product by one factor is
//! then, for each pair of planes, a map of eight bits that is linear over GF(2).

use bytemuck::Pod;

use crate::arch::byte_matrix;
use crate::arch::dispatch::{self, Backend};
use crate::{Field, Tower16, Tower32};

/// One byte of each of 64 elements.
pub type Plane = [u8; 64];

/// The maps from plane to plane of the product by one factor: entry `j * n + i` takes plane `i` to a summand
/// of plane `j`.
pub(crate) type Product = [u64; 16];

/// A field whose elements are worked on in planes.
pub trait Planar: Field + Pod + sealed::Sealed {
    /// Planes of 64 elements: the bytes of an element.
    const PLANES: usize = size_of::<Self>();
}

mod sealed {
    pub trait Sealed {}
}

impl sealed::Sealed for Tower16 {}
impl Planar for Tower16 {}
impl sealed::Sealed for Tower32 {}
impl Planar for Tower32 {}

/// The twiddles `sum_m k_m basis_m` of all numbers `k` with bits `k_m`.
pub struct Twiddles {
    n_planes: usize,
    /// Entry `m`: the product by the sum of the first `m + 1` elements of the basis, which is what `k + 1` has and
    /// `k` has not, or the reverse, where `k + 1` ends in `m` zeros.
    steps: Vec<Product>,
}

impl Twiddles {
    /// The twiddles of this basis.
    pub fn new<T: Planar>(basis: &[T]) -> Self {
        let mut sum = T::ZERO;
        let prefixes = basis.iter().map(|&b| {
            sum += b;
            product_by(sum)
        });
        Self { n_planes: T::PLANES, steps: prefixes.collect() }
    }

    /// One layer of an additive NTT, 64 codewords together. `data` is blocks of `2 half` positions, a position being
    /// as many planes as an element has bytes; block `j` has the twiddle `t` of `first + j`. For `lo` in the first
    /// half of a block, and `hi` as far into its second: `lo += t hi`, then `hi += lo`.
    ///
    /// # Panics
    /// If `data` is not whole blocks, or a number of a block has more bits than the basis has elements.
    pub fn butterflies(&self, data: &mut [Plane], half: usize, first: usize) {
        self.butterflies_on(Backend::current(), data, half, first);
    }

    /// [`Self::butterflies`] on a backend of choice.
    pub(crate) fn butterflies_on(
        &self,
        backend: Backend,
        data: &mut [Plane],
        half: usize,
        first: usize,
    ) {
        let block = 2 * half * self.n_planes;
        assert!(block > 0 && data.len().is_multiple_of(block), "data are whole blocks");
        let last = first + (data.len() / block).saturating_sub(1);
        assert!(
            last.checked_shr(self.steps.len() as u32).unwrap_or(0) == 0,
            "the basis has too few elements"
        );
        let mut start = [0; 16];
        for m in (0..usize::BITS).filter(|m| first >> m & 1 == 1) {
            // The element of index m is the difference of two sums.
            let below = m.checked_sub(1).map_or([0; 16], |below| self.steps[below as usize]);
            add(&mut start, &self.steps[m as usize]);
            add(&mut start, &below);
        }
        dispatch::plane_butterflies(backend, data, half, self.n_planes, first, start, &self.steps);
    }
}

/// Adds the product by another factor.
pub(crate) fn add(product: &mut Product, other: &Product) {
    for (a, b) in product.iter_mut().zip(other) {
        *a ^= b;
    }
}

/// The product by `factor`, from the images of the basis elements over GF(2).
fn product_by<T: Planar>(factor: T) -> Product {
    let mut maps = [0; 16];
    for i in 0..T::PLANES {
        let images: [u128; 8] =
            core::array::from_fn(|bit| (factor * T::from_bits(1 << (8 * i + bit))).to_bits());
        for j in 0..T::PLANES {
            maps[j * T::PLANES + i] = byte_matrix(images.map(|image| (image >> (8 * j)) as u8));
        }
    }
    maps
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    fn element<T: Planar>(planes: &[Plane], lane: usize) -> T {
        let byte = |(i, plane): (usize, &Plane)| u128::from(plane[lane]) << (8 * i);
        T::from_bits(planes.iter().enumerate().map(byte).sum())
    }

    fn check<T: Planar>(seed: u64) {
        let mut rng = StdRng::seed_from_u64(seed);
        let basis: Vec<T> = (0..5).map(|_| T::random(&mut rng)).collect();
        let twiddles = Twiddles::new(&basis);
        let n = T::PLANES;
        for (half, n_blocks, first) in [(1, 8, 0), (1, 5, 3), (3, 4, 9), (4, 1, 31), (2, 32, 0)] {
            let mut data = vec![[0; 64]; 2 * half * n_blocks * n];
            rand::RngCore::fill_bytes(&mut rng, data.as_flattened_mut());
            for backend in Backend::available() {
                let mut layer = data.clone();
                twiddles.butterflies_on(backend, &mut layer, half, first);
                let blocks = data.chunks(2 * half * n).zip(layer.chunks(2 * half * n));
                for (k, (before, after)) in (first..).zip(blocks) {
                    let t: T = (0..5).filter(|m| k >> m & 1 == 1).map(|m| basis[m as usize]).sum();
                    for position in 0..half {
                        for lane in 0..64 {
                            let at = |planes: &[Plane], position: usize| {
                                element::<T>(&planes[position * n..][..n], lane)
                            };
                            let (lo, hi) = (at(before, position), at(before, half + position));
                            let lo = lo + t * hi;
                            assert_eq!(at(after, position), lo, "{backend:?} {half} {k}");
                            assert_eq!(at(after, half + position), hi + lo, "{backend:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn butterflies_follow_their_definition() {
        check::<Tower16>(1);
        check::<Tower32>(2);
    }

    #[test]
    #[should_panic(expected = "too few elements")]
    fn twiddles_beyond_the_basis_panic() {
        Twiddles::new(&[Tower16::ONE]).butterflies(&mut [[0; 64]; 12], 1, 0);
    }
}
