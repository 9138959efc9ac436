//! The S-boxes of Vision Mark-32: inverses under the affine map `B` and under `B^-1`.

use std::sync::LazyLock;

use binfer_field::{Field, Tower32};

use super::WIDTH;
use super::constants::{AFFINE, LINEAR};

/// A GF(2)-affine map of 32 bits, by tables of the linear part for each byte.
struct Affine {
    tables: [[u32; 256]; 4],
    constant: u32,
}

impl Affine {
    /// The map with these images of the bits.
    fn new(images: &[u32; 32], constant: u32) -> Self {
        let mut tables = [[0; 256]; 4];
        for (table, images) in tables.iter_mut().zip(images.as_chunks::<8>().0) {
            for byte in 1..256usize {
                let low = byte.trailing_zeros() as usize;
                table[byte] = table[byte & (byte - 1)] ^ images[low];
            }
        }
        Self { tables, constant }
    }

    fn linear(&self, x: u32) -> u32 {
        let bytes = x.to_le_bytes();
        self.tables.iter().zip(bytes).fold(0, |sum, (table, b)| sum ^ table[usize::from(b)])
    }

    fn apply(&self, x: Tower32) -> Tower32 {
        Tower32::new(self.linear(x.to_bits()) ^ self.constant)
    }
}

/// `B` and `B^-1`.
static MAPS: LazyLock<[Affine; 2]> = LazyLock::new(|| {
    let [c0, c1, c2] = LINEAR.map(Tower32::new);
    let images = core::array::from_fn(|bit| {
        let x = Tower32::new(1 << bit);
        (c0 * x + c1 * x.square() + c2 * x.square().square()).to_bits()
    });
    let inverse = Affine::new(&inverse(&images), 0);
    // B^-1(y) = L^-1(y + c) for the linear part L of B.
    let constant = inverse.linear(AFFINE);
    [Affine::new(&images, AFFINE), Affine { constant, ..inverse }]
});

/// The images of the bits under the inverse of a linear map, by Gauss and Jordan.
///
/// # Panics
/// If there is none.
fn inverse(images: &[u32; 32]) -> [u32; 32] {
    let mut rows: [(u32, u32); 32] = core::array::from_fn(|bit| (images[bit], 1 << bit));
    for bit in 0..32 {
        let pivot = (bit..32).find(|&i| rows[i].0 >> bit & 1 == 1).expect("the map is invertible");
        rows.swap(bit, pivot);
        let (image, preimage) = rows[bit];
        for (i, row) in rows.iter_mut().enumerate() {
            if i != bit && row.0 >> bit & 1 == 1 {
                *row = (row.0 ^ image, row.1 ^ preimage);
            }
        }
    }
    rows.map(|(_, preimage)| preimage)
}

/// The two halves of a round, by the affine map that follows the inverses.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Half {
    /// `B^-1`.
    First,
    /// `B`.
    Second,
}

/// The halves in their order.
pub(crate) const HALVES: [Half; 2] = [Half::First, Half::Second];

impl Half {
    fn map(self) -> &'static Affine {
        let [second, first] = &*MAPS;
        match self {
            Self::First => first,
            Self::Second => second,
        }
    }

    /// The affine map at `x`.
    #[cfg(all(feature = "prover", target_arch = "x86_64"))]
    pub(crate) fn affine(self, x: u32) -> u32 {
        self.map().apply(Tower32::new(x)).to_bits()
    }

    /// The affine map of the inverse of each element.
    pub(super) fn substitute(self, state: &mut [Tower32; WIDTH]) {
        let map = self.map();
        for x in state {
            *x = map.apply(x.invert());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_maps_are_inverse_to_each_other() {
        for x in (0..32).map(|bit| 1 << bit).chain([0, 0xffff_ffff, 0x1234_5678]) {
            let x = Tower32::new(x);
            assert_eq!(MAPS[1].apply(MAPS[0].apply(x)), x);
        }
    }
}
