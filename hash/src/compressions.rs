//! How many blocks a hash of a message compresses, for [`binfer_field::count`].

use crate::HashKind;

/// Bytes that one compression takes, for all hash functions here.
const BLOCK: usize = 64;

/// Bytes of a chunk of BLAKE3, which is a leaf of a binary tree.
const CHUNK: usize = 1024;

/// Compressions of a plain hash of `len` bytes.
///
/// BLAKE3 takes a block for 64 bytes and one for each parent of two chunks; SHA-256 and Groestl-256 pad with at least
/// nine bytes, and Groestl-256 ends with an output transformation, counted as one more. Of Vision Mark-32, which pads with
/// at least one byte, a permutation is one.
pub(crate) fn of_hash(kind: HashKind, len: usize) -> usize {
    match kind {
        HashKind::Blake3 => len.div_ceil(BLOCK).max(1) + len.div_ceil(CHUNK).max(1) - 1,
        HashKind::Sha256 => (len + 9).div_ceil(BLOCK),
        HashKind::Groestl256 => (len + 9).div_ceil(BLOCK) + 1,
        HashKind::Vision32 => len / BLOCK + 1,
    }
}

/// Compressions of a leaf of `len` bytes: SHA-256 has a byte before it.
pub(crate) fn of_leaf(kind: HashKind, len: usize) -> usize {
    of_hash(kind, len + usize::from(kind == HashKind::Sha256))
}

/// Compressions of an inner node.
pub(crate) fn of_node(kind: HashKind) -> usize {
    match kind {
        HashKind::Groestl256 | HashKind::Vision32 => 1,
        _ => of_leaf(kind, 64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_parents_are_counted() {
        let blake3 = [0, 1, 64, 65, 1024, 1025, 2048].map(|len| of_hash(HashKind::Blake3, len));
        assert_eq!(blake3, [1, 1, 1, 2, 16, 18, 33]);
        let sha256 = [0, 54, 55, 56, 119].map(|len| of_hash(HashKind::Sha256, len));
        assert_eq!(sha256, [1, 1, 1, 2, 2]);
        assert_eq!(HashKind::ALL.map(of_node), [2, 1, 1, 1]);
    }
}
