//! The MDS matrix of Vision Mark-32: from the values of a polynomial at 24 points to those at the next.
//!
//! The state is the values, at the elements 0 to 23 of `Tower8`, of a polynomial of degree below 24
//! over `Tower32`; its image is the values at 24 to 47.

use std::sync::LazyLock;

use binfer_field::{Field, Tower8, Tower32};

use super::WIDTH;

/// `COLUMNS[j][v]`: column `j` of the matrix times the byte `v`, row `i` as byte `i`.
static COLUMNS: LazyLock<Vec<[[u64; 3]; 256]>> = LazyLock::new(|| {
    let column = |j| {
        core::array::from_fn(|v| {
            let mut bytes = [0; WIDTH];
            for (i, byte) in bytes.iter_mut().enumerate() {
                *byte = (entry(i, j) * Tower8::new(v as u8)).to_bits();
            }
            let mut words = bytes.as_chunks().0.iter().map(|&word| u64::from_le_bytes(word));
            core::array::from_fn(|_| words.next().unwrap_or_default())
        })
    };
    (0..WIDTH).map(column).collect()
});

/// The entry of row `i` and column `j`: the value at `24 + i` of the polynomial that is 1 at `j` and
/// 0 at the other points.
fn entry(i: usize, j: usize) -> Tower8 {
    let [x, at] = [WIDTH + i, j].map(point);
    let others = (0..WIDTH).filter(|&k| k != j).map(point);
    others.map(|other| (x - other) * (at - other).invert()).product()
}

fn point(index: usize) -> Tower8 {
    Tower8::new(index as u8)
}

/// The product by the matrix, which acts on each byte of the elements alike.
pub(super) fn apply(state: &mut [Tower32; WIDTH]) {
    let columns = &**COLUMNS;
    let mut rows = [[0u64; 3]; 4];
    for (column, element) in columns.iter().zip(state.iter()) {
        for (rows, byte) in rows.iter_mut().zip(element.to_bits().to_le_bytes()) {
            for (row, product) in rows.iter_mut().zip(column[usize::from(byte)]) {
                *row ^= product;
            }
        }
    }
    let planes = rows.map(|words| words.map(u64::to_le_bytes));
    for (i, element) in state.iter_mut().enumerate() {
        let bytes = planes.each_ref().map(|plane| plane.as_flattened()[i]);
        *element = Tower32::new(u32::from_le_bytes(bytes));
    }
}

/// The matrix as transforms between values and the novel polynomial basis, after S.-J. Lin,
/// W.-H. Chung, Y. S. Han, "Novel polynomial basis and its application to Reed-Solomon erasure codes"
/// (FOCS 2014), on cosets of the eight elements 0 to 7.
///
/// With `s_k` the polynomial that vanishes on the elements below `2^k` and is 1 at `2^k`, the
/// polynomial is `A + s_3 B + s_4 C`, where `A`, `B` and `C` have degrees below 8. On coset `c`, the
/// elements from `8 c`, both `s_3` and `s_4` are constant.
#[cfg(all(feature = "prover", target_arch = "x86_64"))]
pub(crate) struct Transform {
    /// `layers[c][k][i]`: the factor of the butterflies at distance `2^k` in block `i` of coset `c`:
    /// `s_k(8 c + 2^(k + 1) i)`.
    pub(crate) layers: [[[Tower8; 4]; 3]; 6],
    /// `s_3` on coset 2; it is 0 on coset 0 and 1 on coset 1.
    pub(crate) s3_at_2: Tower8,
    /// `s_3` on coset 4.
    pub(crate) s3_at_4: Tower8,
    /// `s_4` on coset 4; it is 0 on cosets 0 and 1, and 1 on cosets 2 and 3.
    pub(crate) s4_at_4: Tower8,
}

#[cfg(all(feature = "prover", target_arch = "x86_64"))]
impl Transform {
    /// The factors.
    pub(crate) fn new() -> Self {
        let factor = |c: usize, k: usize, i: usize| s(k, point((8 * c + (i << (k + 1))) % 256));
        let layers = core::array::from_fn(|c| {
            core::array::from_fn(|k| core::array::from_fn(|i| factor(c, k, i)))
        });
        Self {
            layers,
            s3_at_2: s(3, point(16)),
            s3_at_4: s(3, point(32)),
            s4_at_4: s(4, point(32)),
        }
    }
}

/// `s_k` at `x`.
#[cfg(all(feature = "prover", target_arch = "x86_64"))]
fn s(k: usize, x: Tower8) -> Tower8 {
    let vanishing = |x: Tower8| -> Tower8 { (0..1 << k).map(|i| x - point(i)).product() };
    vanishing(x) * vanishing(point(1 << k)).invert()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_entries() {
        let first = [
            0xad, 0x3b, 0xd4, 0x25, 0xab, 0x37, 0xd7, 0x2d, 0x9a, 0x4d, 0x6a, 0xd8, 0x90, 0x44,
            0x6b, 0xdb, 0x06, 0x0f, 0x0e, 0x04, 0x0d, 0x0c, 0x0a, 0x09,
        ];
        assert_eq!(core::array::from_fn(|j| entry(0, j).to_bits()), first);
        let last = [
            0xe2, 0x4c, 0x10, 0x2b, 0x2c, 0x78, 0x0f, 0xaf, 0xfc, 0x2a, 0xf3, 0x66, 0xc7, 0x63,
            0xdc, 0x59, 0xf9, 0x06, 0x4e, 0xd6, 0xf4, 0x85, 0x8d, 0x99,
        ];
        assert_eq!(core::array::from_fn(|j| entry(23, j).to_bits()), last);
    }

    #[test]
    fn columns_are_images_of_unit_vectors() {
        for j in 0..WIDTH {
            let mut state = [Tower32::ZERO; WIDTH];
            state[j] = Tower32::new(0x0001_0300);
            apply(&mut state);
            for (i, element) in state.into_iter().enumerate() {
                assert_eq!(element, Tower32::new(0x0001_0300) * entry(i, j));
            }
        }
    }
}
