//! GF(2)-linear maps of GF(2^128), applied a byte of the argument at a time.

use crate::F128;

/// A GF(2)-linear map `F128 -> F128` as sixteen tables of 256 entries (64 KiB).
pub struct LinearMap {
    tables: Vec<[F128; 256]>,
}

impl LinearMap {
    /// The map that sends the basis element `x^i` to `images[i]`.
    pub fn new(images: &[F128; 128]) -> Self {
        let tables = images
            .chunks_exact(8)
            .map(|chunk| {
                let mut table = [F128::ZERO; 256];
                for (i, &image) in chunk.iter().enumerate() {
                    for j in 0..1 << i {
                        table[j | 1 << i] = table[j] + image;
                    }
                }
                table
            })
            .collect();
        Self { tables }
    }

    /// The image of `x`.
    pub fn apply(&self, x: F128) -> F128 {
        self.tables
            .iter()
            .zip(x.to_le_bytes())
            .map(|(table, byte)| table[usize::from(byte)])
            .sum()
    }
}
