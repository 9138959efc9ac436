//! Keyed BLAKE3 of messages of one length, one message a lane.
//!
//! Source: J. O'Connor, J.-P. Aumasson, S. Neves, Z. Wilcox-O'Hearn, "BLAKE3: one function, fast
//! everywhere", 2021, sections 2.1 to 2.5.

use crate::Digest;

/// Vectors of `N` 32-bit words; a value of the type proves that the processor has the instructions.
pub(in crate::arch) trait Lanes: Copy {
    /// `N` words.
    type V: Copy;
    /// The number of lanes.
    const N: usize;

    /// The same word in every lane.
    fn splat(self, word: u32) -> Self::V;
    /// Sums modulo 2^32.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// Exclusive ors.
    fn xor(self, a: Self::V, b: Self::V) -> Self::V;
    /// Rotations by `BITS` to the right.
    fn rotate_right<const BITS: i32>(self, a: Self::V) -> Self::V;
    /// The 16 little-endian words of `N` blocks, word `w` of block `i` in lane `i` of vector `w`.
    /// Block `i` is the 64 bytes from `i * stride`; panics if one ends beyond `blocks`.
    fn load(self, blocks: &[u8], stride: usize) -> [Self::V; 16];
    /// Lane `i` of the eight words to `digests[i]`, little-endian, for the first `N` digests.
    fn store(self, words: [Self::V; 8], digests: &mut [Digest]);
}

const IV: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

const BLOCK: usize = 64;
const CHUNK: usize = 1024;

const CHUNK_START: u32 = 1 << 0;
const CHUNK_END: u32 = 1 << 1;
const PARENT: u32 = 1 << 2;
const ROOT: u32 = 1 << 3;
const KEYED_HASH: u32 = 1 << 4;

/// The message words that each round takes, in order.
const SCHEDULE: [[usize; 16]; 7] = schedule();

const fn schedule() -> [[usize; 16]; 7] {
    const PERMUTATION: [usize; 16] = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
    let mut rounds = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]; 7];
    let mut round = 1;
    while round < 7 {
        let mut i = 0;
        while i < 16 {
            rounds[round][i] = rounds[round - 1][PERMUTATION[i]];
            i += 1;
        }
        round += 1;
    }
    rounds
}

/// Hashes messages of `len > 0` bytes that follow one another, in groups of `N`, and returns how
/// many: a multiple of `N`, the rest being fewer than `N`.
#[inline(always)]
pub(in crate::arch) fn hash_many<L: Lanes>(
    l: L,
    key: &[u8; 32],
    messages: &[u8],
    len: usize,
    digests: &mut [Digest],
) -> usize {
    let mut words = [l.splat(0); 8];
    for (word, bytes) in words.iter_mut().zip(key.as_chunks().0) {
        *word = l.splat(u32::from_le_bytes(*bytes));
    }
    let groups = messages.chunks_exact(L::N * len).zip(digests.chunks_exact_mut(L::N));
    let mut done = 0;
    for (messages, digests) in groups {
        l.store(hash_group(l, &words, messages, len), digests);
        done += L::N;
    }
    done
}

/// The tree of chunks of `N` messages of `len` bytes: its left subtree at every node is the largest
/// complete one.
#[inline(always)]
fn hash_group<L: Lanes>(l: L, key: &[L::V; 8], messages: &[u8], len: usize) -> [L::V; 8] {
    let last = (len - 1) / CHUNK;
    // The roots of complete subtrees that wait for their right sibling, the largest first.
    let mut waiting: Vec<[L::V; 8]> = Vec::new();
    for index in 0..last {
        let mut cv = chunk(l, key, &messages[index * CHUNK..], len, CHUNK, index, 0);
        for _ in 0..(index + 1).trailing_zeros() {
            if let Some(left) = waiting.pop() {
                cv = parent(l, key, &left, &cv, 0);
            }
        }
        waiting.push(cv);
    }
    let tail = len - last * CHUNK;
    let flags = root_flag(waiting.is_empty());
    let mut cv = chunk(l, key, &messages[last * CHUNK..], len, tail, last, flags);
    while let Some(left) = waiting.pop() {
        cv = parent(l, key, &left, &cv, root_flag(waiting.is_empty()));
    }
    cv
}

const fn root_flag(is_root: bool) -> u32 {
    if is_root { ROOT } else { 0 }
}

/// The chaining values of chunk number `index`, of `len` bytes, `stride` bytes from lane to lane.
/// `last_flags` are those of the last block.
#[inline(always)]
fn chunk<L: Lanes>(
    l: L,
    key: &[L::V; 8],
    bytes: &[u8],
    stride: usize,
    len: usize,
    index: usize,
    last_flags: u32,
) -> [L::V; 8] {
    let mut cv = *key;
    let mut start = 0;
    while start < len {
        let block_len = BLOCK.min(len - start);
        let words = if block_len == BLOCK {
            l.load(&bytes[start..], stride)
        } else {
            l.load(pad::<L>(&bytes[start..], stride, block_len).as_flattened(), BLOCK)
        };
        let mut flags = KEYED_HASH;
        if start == 0 {
            flags |= CHUNK_START;
        }
        if start + block_len == len {
            flags |= CHUNK_END | last_flags;
        }
        cv = compress(l, &cv, &words, index as u64, block_len as u32, flags);
        start += BLOCK;
    }
    cv
}

/// Partial blocks, filled with zeros. `N` is at most 16.
#[inline(always)]
fn pad<L: Lanes>(bytes: &[u8], stride: usize, len: usize) -> [[u8; BLOCK]; 16] {
    let mut blocks = [[0; BLOCK]; 16];
    for (i, block) in blocks[..L::N].iter_mut().enumerate() {
        block[..len].copy_from_slice(&bytes[i * stride..][..len]);
    }
    blocks
}

#[inline(always)]
fn parent<L: Lanes>(
    l: L,
    key: &[L::V; 8],
    left: &[L::V; 8],
    right: &[L::V; 8],
    flags: u32,
) -> [L::V; 8] {
    let mut words = [l.splat(0); 16];
    words[..8].copy_from_slice(left);
    words[8..].copy_from_slice(right);
    compress(l, key, &words, 0, BLOCK as u32, KEYED_HASH | PARENT | flags)
}

/// The compression function, truncated to a chaining value.
#[inline(always)]
fn compress<L: Lanes>(
    l: L,
    cv: &[L::V; 8],
    m: &[L::V; 16],
    counter: u64,
    block_len: u32,
    flags: u32,
) -> [L::V; 8] {
    let mut v = [
        cv[0],
        cv[1],
        cv[2],
        cv[3],
        cv[4],
        cv[5],
        cv[6],
        cv[7],
        l.splat(IV[0]),
        l.splat(IV[1]),
        l.splat(IV[2]),
        l.splat(IV[3]),
        l.splat(counter as u32),
        l.splat((counter >> 32) as u32),
        l.splat(block_len),
        l.splat(flags),
    ];
    for s in &SCHEDULE {
        g(l, &mut v, [0, 4, 8, 12], m[s[0]], m[s[1]]);
        g(l, &mut v, [1, 5, 9, 13], m[s[2]], m[s[3]]);
        g(l, &mut v, [2, 6, 10, 14], m[s[4]], m[s[5]]);
        g(l, &mut v, [3, 7, 11, 15], m[s[6]], m[s[7]]);
        g(l, &mut v, [0, 5, 10, 15], m[s[8]], m[s[9]]);
        g(l, &mut v, [1, 6, 11, 12], m[s[10]], m[s[11]]);
        g(l, &mut v, [2, 7, 8, 13], m[s[12]], m[s[13]]);
        g(l, &mut v, [3, 4, 9, 14], m[s[14]], m[s[15]]);
    }
    let (low, high) = v.split_at(8);
    let mut cv = *cv;
    for ((word, &a), &b) in cv.iter_mut().zip(low).zip(high) {
        *word = l.xor(a, b);
    }
    cv
}

/// The quarter round on the words `[a, b, c, d]` of the state.
#[inline(always)]
fn g<L: Lanes>(l: L, v: &mut [L::V; 16], [a, b, c, d]: [usize; 4], x: L::V, y: L::V) {
    v[a] = l.add(l.add(v[a], v[b]), x);
    v[d] = l.rotate_right::<16>(l.xor(v[d], v[a]));
    v[c] = l.add(v[c], v[d]);
    v[b] = l.rotate_right::<12>(l.xor(v[b], v[c]));
    v[a] = l.add(l.add(v[a], v[b]), y);
    v[d] = l.rotate_right::<8>(l.xor(v[d], v[a]));
    v[c] = l.add(v[c], v[d]);
    v[b] = l.rotate_right::<7>(l.xor(v[b], v[c]));
}
