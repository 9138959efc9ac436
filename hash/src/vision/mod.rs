//! Vision Mark-32: a hash function that is cheap to prove over the tower, portable.
//!
//! Source: T. Ashur, M. Mahzoun, J. Posen, D. Šijačić, "Vision Mark-32: ZK-Friendly Hash Function Over
//! Binary Tower Fields" (<https://eprint.iacr.org/2024/633>), with the MDS matrix, padding and
//! overwriting sponge of Binius.
//!
//! The state is 24 elements of GF(2^32), of which the first 16 are overwritten by each block of 64
//! bytes. A round is two halves: the inverse of each element, then the affine map `B` (in the first
//! half `B^-1`), the MDS matrix, a round key.

mod constants;
mod matrix;
mod sbox;

use binfer_field::Tower32;

use crate::Digest;
use constants::ROUND_KEYS;

pub(crate) use sbox::HALVES;
#[cfg(all(feature = "prover", target_arch = "x86_64"))]
pub(crate) use {matrix::Transform, sbox::Half};

/// Elements of the state.
pub(crate) const WIDTH: usize = 24;
/// Rounds of two halves each.
pub(crate) const ROUNDS: usize = 8;
/// Bytes of a block: 16 elements.
pub(crate) const BLOCK: usize = 64;
/// What stands behind a pair of digests where a Merkle tree compresses it, and never behind the first
/// block of a message.
pub(crate) const PAIR: u32 = 1;

/// The Vision Mark-32 digest of `bytes`.
///
/// ```
/// let digest = binfer_hash::vision32(&[0xde, 0xad, 0xbe, 0xef]);
/// assert_eq!(digest[..4], [0x8e, 0xd3, 0x89, 0x80]);
/// ```
pub fn vision32(bytes: &[u8]) -> Digest {
    let mut state = [Tower32::ZERO; WIDTH];
    let (blocks, tail) = bytes.as_chunks::<BLOCK>();
    for block in blocks.iter().chain([&padding(tail)]) {
        absorb(&mut state, block);
        permute(&mut state);
    }
    squeeze(&state)
}

/// The first half of the permutation of `left`, `right` and [`PAIR`].
pub(crate) fn compress_pair(left: &Digest, right: &Digest) -> Digest {
    let mut block = [0; BLOCK];
    block[..32].copy_from_slice(left);
    block[32..].copy_from_slice(right);
    let mut state = [Tower32::ZERO; WIDTH];
    absorb(&mut state, &block);
    state[BLOCK / 4] = Tower32::new(PAIR);
    permute(&mut state);
    squeeze(&state)
}

/// The last block of a message that ends in `tail`, shorter than a block: the tail, the byte `0x80`
/// and zeros, with one added to the last byte.
pub(crate) fn padding(tail: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[..tail.len()].copy_from_slice(tail);
    block[tail.len()] = 0x80;
    block[BLOCK - 1] |= 1;
    block
}

/// The round keys, each byte by byte.
#[cfg(all(feature = "prover", target_arch = "x86_64"))]
pub(crate) fn round_keys() -> impl Iterator<Item = [[u8; 4]; WIDTH]> {
    ROUND_KEYS.iter().map(|key| key.map(u32::to_le_bytes))
}

fn absorb(state: &mut [Tower32; WIDTH], block: &[u8; BLOCK]) {
    for (element, bytes) in state.iter_mut().zip(block.as_chunks().0) {
        *element = Tower32::new(u32::from_le_bytes(*bytes));
    }
}

fn squeeze(state: &[Tower32; WIDTH]) -> Digest {
    let mut digest = [0; 32];
    for (bytes, element) in digest.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = element.to_bits().to_le_bytes();
    }
    digest
}

fn permute(state: &mut [Tower32; WIDTH]) {
    let [first, rounds @ ..] = &ROUND_KEYS;
    add(state, first);
    for keys in rounds.as_chunks::<2>().0 {
        for (half, key) in HALVES.into_iter().zip(keys) {
            half.substitute(state);
            matrix::apply(state);
            add(state, key);
        }
    }
}

fn add(state: &mut [Tower32; WIDTH], key: &[u32; WIDTH]) {
    for (element, &key) in state.iter_mut().zip(key) {
        *element += Tower32::new(key);
    }
}
