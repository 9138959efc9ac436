//! Groestl-256 of messages of one length, byte-sliced: a vector holds one row of every lane's state.
//!
//! Source: P. Gauravaram et al., "Grøstl, a SHA-3 candidate", 2011, section 3. With a row to a vector,
//! `MixBytes` needs no shuffles: its rotations of a column only rename vectors.

use crate::Digest;
use crate::groestl::{BLOCK, ROUNDS, padding};

/// Vectors of `N` rows of eight bytes, byte `j` being column `j`; a value of the type proves that the
/// processor has the instructions.
pub(in crate::arch) trait Lanes: Copy {
    /// `N` rows.
    type V: Copy;
    /// The number of lanes.
    const N: usize;

    /// The same row in every lane, column `j` being byte `j` of `row`, counted from the least
    /// significant.
    fn splat(self, row: u64) -> Self::V;
    /// Exclusive ors.
    fn xor(self, a: Self::V, b: Self::V) -> Self::V;
    /// Products by `x` in GF(2)[x] / (x^8 + x^4 + x^3 + x + 1), byte by byte.
    fn double(self, a: Self::V) -> Self::V;
    /// `SubBytes`, and `ShiftBytes` of one row: a rotation by `BITS / 8` columns to the left.
    fn substitute_and_shift<const BITS: i32>(self, a: Self::V) -> Self::V;
    /// The rows of `N` blocks. Block `i` is the 64 bytes from `i * stride`; panics if one ends beyond
    /// `blocks`.
    fn load(self, blocks: &[u8], stride: usize) -> [Self::V; 8];
    /// The second halves of the states: their columns 4 to 7, for the first `N` digests.
    fn store(self, rows: [Self::V; 8], digests: &mut [Digest]);
}

/// Column numbers in the high halves of the bytes of a row, as the round constants have them.
const COLUMNS: u64 = 0x7060_5040_3020_1000;
/// The same byte in every column.
const EVERY: u64 = 0x0101_0101_0101_0101;
/// The row of the initial chaining value that isn't zero, and its value: column 7 of row 6 is the
/// second lowest byte of the digest's length in bits.
const INITIAL: (usize, u64) = (6, 1 << 56);
/// The most lanes there are.
const MAX_LANES: usize = 8;

/// `AES_SHIFTS[s]`: the shuffle of two rows by `s` columns to the left that also undoes `ShiftRows` of
/// AES, by which its last round permutes bytes before it substitutes them.
pub(in crate::arch) static AES_SHIFTS: [[u8; 16]; 8] = {
    let mut shuffles = [[0; 16]; 8];
    let mut shift = 0;
    while shift < 8 {
        let mut i = 0;
        while i < 16 {
            // `ShiftRows` takes byte `i` from here: column `i / 4 + i % 4`, row `i % 4`.
            let moved = (i + 4 * (i % 4)) % 16;
            shuffles[shift][moved] = (i / 8 * 8 + (i + shift) % 8) as u8;
            i += 1;
        }
        shift += 1;
    }
    shuffles
};

/// Hashes messages of `len` bytes that follow one another, in groups of `N`, and returns how many: a
/// multiple of `N`, the rest being fewer than `N`.
#[inline(always)]
pub(in crate::arch) fn hash_many<L: Lanes>(
    l: L,
    messages: &[u8],
    len: usize,
    digests: &mut [Digest],
) -> usize {
    let n_blocks = len / BLOCK;
    let mut done = 0;
    for (messages, digests) in messages.chunks_exact(L::N * len).zip(digests.chunks_exact_mut(L::N))
    {
        let mut state = [l.splat(0); 8];
        state[INITIAL.0] = l.splat(INITIAL.1);
        for i in 0..n_blocks {
            absorb(l, &mut state, &l.load(&messages[i * BLOCK..], len));
        }
        let mut tails = [[0; 2 * BLOCK]; MAX_LANES];
        let mut n_tails = 0;
        for (tail, message) in tails.iter_mut().zip(messages.chunks_exact(len)) {
            (*tail, n_tails) = padding(len, &message[n_blocks * BLOCK..]);
        }
        for i in 0..n_tails {
            absorb(l, &mut state, &l.load(&tails.as_flattened()[i * BLOCK..], 2 * BLOCK));
        }
        l.store(output(l, &state), digests);
        done += L::N;
    }
    done
}

/// The output transformation of blocks that follow one another, in groups of `N`; returns how many.
#[inline(always)]
pub(in crate::arch) fn compress_many<L: Lanes>(
    l: L,
    blocks: &[[u8; BLOCK]],
    digests: &mut [Digest],
) -> usize {
    let mut done = 0;
    for (blocks, digests) in blocks.chunks_exact(L::N).zip(digests.chunks_exact_mut(L::N)) {
        l.store(output(l, &l.load(blocks.as_flattened(), BLOCK)), digests);
        done += L::N;
    }
    done
}

/// `f(h, m) = P(h + m) + Q(m) + h`, in place on `h`.
#[inline(always)]
fn absorb<L: Lanes>(l: L, state: &mut [L::V; 8], message: &[L::V; 8]) {
    let q = permute_q(l, *message);
    let p = permute_p(l, xor(l, state, message));
    *state = xor(l, state, &xor(l, &p, &q));
}

/// `P(x) + x`, of which the digest is the second half.
#[inline(always)]
fn output<L: Lanes>(l: L, state: &[L::V; 8]) -> [L::V; 8] {
    xor(l, &permute_p(l, *state), state)
}

#[inline(always)]
fn xor<L: Lanes>(l: L, a: &[L::V; 8], b: &[L::V; 8]) -> [L::V; 8] {
    let mut sum = *a;
    for (a, &b) in sum.iter_mut().zip(b) {
        *a = l.xor(*a, b);
    }
    sum
}

#[inline(always)]
fn permute_p<L: Lanes>(l: L, mut a: [L::V; 8]) -> [L::V; 8] {
    for round in 0..u64::from(ROUNDS) {
        a[0] = l.xor(a[0], l.splat(COLUMNS ^ (round * EVERY)));
        a = mix(
            l,
            [
                l.substitute_and_shift::<0>(a[0]),
                l.substitute_and_shift::<8>(a[1]),
                l.substitute_and_shift::<16>(a[2]),
                l.substitute_and_shift::<24>(a[3]),
                l.substitute_and_shift::<32>(a[4]),
                l.substitute_and_shift::<40>(a[5]),
                l.substitute_and_shift::<48>(a[6]),
                l.substitute_and_shift::<56>(a[7]),
            ],
        );
    }
    a
}

#[inline(always)]
fn permute_q<L: Lanes>(l: L, mut a: [L::V; 8]) -> [L::V; 8] {
    let ones = l.splat(!0);
    for round in 0..u64::from(ROUNDS) {
        for row in &mut a[..7] {
            *row = l.xor(*row, ones);
        }
        a[7] = l.xor(a[7], l.splat(!(COLUMNS ^ (round * EVERY))));
        a = mix(
            l,
            [
                l.substitute_and_shift::<8>(a[0]),
                l.substitute_and_shift::<24>(a[1]),
                l.substitute_and_shift::<40>(a[2]),
                l.substitute_and_shift::<56>(a[3]),
                l.substitute_and_shift::<0>(a[4]),
                l.substitute_and_shift::<16>(a[5]),
                l.substitute_and_shift::<32>(a[6]),
                l.substitute_and_shift::<48>(a[7]),
            ],
        );
    }
    a
}

/// `MixBytes`: `b_i = 2 a_i + 2 a_{i+1} + 3 a_{i+2} + 4 a_{i+3} + 5 a_{i+4} + 3 a_{i+5} + 5 a_{i+6} +
/// 7 a_{i+7}`, rows modulo 8.
///
/// Collected by bits of the coefficients, with `t_i = a_i + a_{i+1}`: the sum of those with bit 2 is
/// `x_{i+3}`, `x_i = t_i + t_{i+3}`; those with bits 1 and 0 are `y_{i+7}` and `y_{i+4}`,
/// `y_i = t_i + t_{i+2} + a_{i+6}`.
#[inline(always)]
fn mix<L: Lanes>(l: L, a: [L::V; 8]) -> [L::V; 8] {
    let (mut t, mut x, mut y, mut b) = (a, a, a, a);
    for (i, t) in t.iter_mut().enumerate() {
        *t = l.xor(a[i], a[(i + 1) % 8]);
    }
    for (i, x) in x.iter_mut().enumerate() {
        *x = l.xor(t[i], t[(i + 3) % 8]);
    }
    for (i, y) in y.iter_mut().enumerate() {
        *y = l.xor(l.xor(t[i], t[(i + 2) % 8]), a[(i + 6) % 8]);
    }
    for (i, b) in b.iter_mut().enumerate() {
        let high = l.xor(l.double(x[(i + 3) % 8]), y[(i + 7) % 8]);
        *b = l.xor(l.double(high), y[(i + 4) % 8]);
    }
    b
}
