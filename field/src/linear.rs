//! GF(2)-linear maps to GF(2^128), applied a byte of the argument at a time.

use crate::aligned::Aligned;
use crate::arch::dispatch::{self, Backend};
use crate::{F128, count};

/// A GF(2)-linear map `F128 -> F128` as sixteen tables of 256 entries (64 KiB).
pub struct LinearMap {
    tables: Vec<[F128; 256]>,
    /// `blocks[j][i]` takes byte `i` of the argument to byte `j` of the image.
    blocks: [[u64; 16]; 16],
}

/// All subset sums of up to eight elements: entry `s` sums those whose bit of `s` is set.
pub fn subset_sums(elements: &[F128]) -> [F128; 256] {
    let mut table = [F128::ZERO; 256];
    for (i, &element) in elements.iter().enumerate() {
        for j in 0..1 << i {
            table[j | 1 << i] = table[j] + element;
        }
    }
    table
}

/// The transpose of a matrix of 8 x 8 bits, a row a byte: bit `j` of byte `i` becomes bit `i` of byte `j`.
#[inline]
pub fn transpose_bits(mut matrix: u64) -> u64 {
    // Blocks of one bit, two and four change places with those across the diagonal.
    for (shift, mask) in
        [(7, 0x00aa_00aa_00aa_00aa), (14, 0x0000_cccc_0000_cccc), (28, 0x0000_0000_f0f0_f0f0)]
    {
        let swap = (matrix ^ matrix >> shift) & mask;
        matrix ^= swap ^ swap << shift;
    }
    matrix
}

/// For each byte of the argument its values' images.
fn byte_tables(images: &[F128]) -> Vec<[F128; 256]> {
    images.chunks_exact(8).map(subset_sums).collect()
}

/// For each byte of the image and each byte of the argument the matrix of the `GF2P8AFFINEQB` instruction, whose byte
/// `7 - r` selects the bits that make bit `r`.
fn byte_matrices<const N: usize>(images: &[F128]) -> [[u64; N]; 16] {
    let mut blocks = [[0; N]; 16];
    for (column, image) in images.iter().enumerate() {
        for (j, row) in blocks.iter_mut().enumerate() {
            for r in 0..8 {
                let bit = (image.to_bits() >> (8 * j + r) & 1) as u64;
                row[column / 8] |= bit << (8 * (7 - r) + column % 8);
            }
        }
    }
    blocks
}

/// A GF(2)-linear map to `F128` of so many words of two bytes, one or two.
pub struct WordMap<const WORDS: usize> {
    tables: Vec<[F128; 256]>,
    /// `blocks[j][i]` takes byte `i` of the words to byte `j` of the image; the matrix once for each eight bytes of a register.
    blocks: Box<Aligned<[[[u64; 8]; 4]; 16]>>,
}

impl<const WORDS: usize> WordMap<WORDS> {
    const FEW_WORDS: () = assert!(WORDS == 1 || WORDS == 2);

    /// The map that sends bit `i`, of the words one after the other, to `images[i]`.
    ///
    /// # Panics
    /// Unless there are as many images as bits.
    pub fn new(images: &[F128]) -> Self {
        let () = Self::FEW_WORDS;
        assert_eq!(images.len(), 16 * WORDS);
        let blocks = byte_matrices(images).map(|row| row.map(|matrix| [matrix; 8]));
        Self { tables: byte_tables(images), blocks: Box::new(Aligned(blocks)) }
    }

    /// The images of words of slices, with a constant: `dst[i]` is `constant` and the image of `src[0][i]`, and `src[1][i]`. The slices are
    /// of one length, and as much as each takes is fetched from behind it meanwhile, which will be read next.
    pub fn apply_slice(&self, dst: &mut [F128], src: [&[[u8; 2]]; WORDS], constant: F128) {
        self.apply_slice_on(Backend::current(), dst, src, constant);
    }

    /// [`Self::apply_slice`] on a backend of choice.
    pub(crate) fn apply_slice_on(
        &self,
        backend: Backend,
        dst: &mut [F128],
        src: [&[[u8; 2]]; WORDS],
        constant: F128,
    ) {
        assert!(src.iter().all(|words| words.len() == dst.len()));
        let _counted = count::kernel(dst.len(), 0, 0, 2 * WORDS as u32);
        dispatch::word_map(backend, dst, &src, constant, &self.tables, &self.blocks.0);
    }
}

impl LinearMap {
    /// The map that sends the basis element `x^i` to `images[i]`.
    pub fn new(images: &[F128; 128]) -> Self {
        Self { tables: byte_tables(images), blocks: byte_matrices(images) }
    }

    /// The image of `x`.
    #[inline]
    pub fn apply(&self, x: F128) -> F128 {
        self.tables.iter().zip(x.to_le_bytes()).map(|(table, byte)| table[usize::from(byte)]).sum()
    }

    /// The image of a slice: `dst[i] = self.apply(src[i])`. The slices are of one length.
    pub fn apply_slice(&self, dst: &mut [F128], src: &[F128]) {
        self.apply_slice_on(Backend::current(), dst, src);
    }

    /// [`Self::apply_slice`] on a backend of choice.
    pub(crate) fn apply_slice_on(&self, backend: Backend, dst: &mut [F128], src: &[F128]) {
        assert_eq!(dst.len(), src.len());
        let _counted = count::kernel(dst.len(), 0, 0, 16);
        dispatch::linear_map(backend, dst, src, &self.tables, &self.blocks);
    }

    /// The map that undoes this one, or nothing where two arguments share an image.
    pub fn inverse(&self) -> Option<Self> {
        // Gauss-Jordan elimination on the pairs (image, argument): the images become the basis.
        let mut pairs: [(u128, u128); 128] = core::array::from_fn(|i| {
            let argument = 1 << i;
            (self.apply(F128::new(argument)).to_bits(), argument)
        });
        for i in 0..128 {
            let pivot = (i..128).find(|&j| pairs[j].0 >> i & 1 == 1)?;
            pairs.swap(i, pivot);
            let (image, argument) = pairs[i];
            for (j, pair) in pairs.iter_mut().enumerate() {
                if j != i && pair.0 >> i & 1 == 1 {
                    *pair = (pair.0 ^ image, pair.1 ^ argument);
                }
            }
        }
        Some(Self::new(&pairs.map(|(_, argument)| F128::new(argument))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_change_places_across_the_diagonal() {
        for at in 0..64 {
            assert_eq!(transpose_bits(1 << at), 1 << (at % 8 * 8 + at / 8));
        }
        assert_eq!(transpose_bits(u64::MAX), u64::MAX);
        let matrix = 0x9e37_79b9_7f4a_7c15;
        assert_eq!(transpose_bits(transpose_bits(matrix)), matrix);
    }
}
