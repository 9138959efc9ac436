//! Groestl-256, portable: eight table look-ups a column, as the submission's section 8.1.2 has it.
//!
//! Source: P. Gauravaram, L. Knudsen, K. Matusiewicz, F. Mendel, C. Rechberger, M. Schläffer,
//! S. Thomsen, "Grøstl, a SHA-3 candidate", 2011.

use crate::Digest;

/// Bytes of a message block and of the state.
pub(crate) const BLOCK: usize = 64;
/// Rounds of each of the permutations `P` and `Q`.
pub(crate) const ROUNDS: u8 = 10;
/// How far `ShiftBytes` of `P` rotates each row to the left.
pub(crate) const SHIFTS_P: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 7];
/// How far `ShiftBytes` of `Q` rotates each row to the left.
pub(crate) const SHIFTS_Q: [usize; 8] = [1, 3, 5, 7, 0, 2, 4, 6];

/// Eight columns of eight rows; byte `i` of a column, counted from the least significant, is row `i`.
type State = [u64; 8];

/// The initial chaining value: the digest's length in bits, big-endian, in the last column.
const INITIAL: State = [0, 0, 0, 0, 0, 0, 0, 256u64.swap_bytes()];

/// The first row of the circulant matrix of `MixBytes`.
const MIX: [u8; 8] = [2, 2, 3, 4, 5, 3, 5, 7];

/// `TABLE[x]`: the column that `MixBytes` makes of `SubBytes(x)` in row 0, zero elsewhere. The table
/// of row `i` is this one rotated by `i` bytes.
static TABLE: [u64; 256] = table();

/// The Groestl-256 digest of `bytes`.
///
/// ```
/// let digest = binfer_hash::groestl256(b"");
/// assert_eq!(digest[..4], [0x1a, 0x52, 0xd1, 0x1d]);
/// ```
pub fn groestl256(bytes: &[u8]) -> Digest {
    let mut state = INITIAL;
    let (blocks, tail) = bytes.as_chunks::<BLOCK>();
    for block in blocks {
        absorb(&mut state, block);
    }
    let (padding, n) = padding(bytes.len(), tail);
    for block in padding.as_chunks::<BLOCK>().0.iter().take(n) {
        absorb(&mut state, block);
    }
    output(&state)
}

/// The output transformation `trunc(P(x) + x)` on `x = left || right`.
pub(crate) fn compress_pair(left: &Digest, right: &Digest) -> Digest {
    let mut block = [0; BLOCK];
    block[..32].copy_from_slice(left);
    block[32..].copy_from_slice(right);
    output(&from_bytes(&block))
}

/// The last one or two blocks of a message of `len` bytes that ends in `tail`, shorter than a block:
/// the tail, a one bit, zeros, and the number of blocks, big-endian. The second value counts them.
pub(crate) fn padding(len: usize, tail: &[u8]) -> ([u8; 2 * BLOCK], usize) {
    let mut padding = [0; 2 * BLOCK];
    padding[..tail.len()].copy_from_slice(tail);
    padding[tail.len()] = 0x80;
    let n = (tail.len() + 9).div_ceil(BLOCK);
    let n_blocks = (len / BLOCK + n) as u64;
    padding[n * BLOCK - 8..n * BLOCK].copy_from_slice(&n_blocks.to_be_bytes());
    (padding, n)
}

fn from_bytes(block: &[u8; BLOCK]) -> State {
    let mut state = [0; 8];
    for (column, bytes) in state.iter_mut().zip(block.as_chunks::<8>().0) {
        *column = u64::from_le_bytes(*bytes);
    }
    state
}

/// The compression function `f(h, m) = P(h + m) + Q(m) + h`, in place on `h`.
fn absorb(state: &mut State, block: &[u8; BLOCK]) {
    let message = from_bytes(block);
    let mixed = core::array::from_fn(|i| state[i] ^ message[i]);
    let (p, q) = (permute_p(mixed), permute_q(message));
    for i in 0..8 {
        state[i] ^= p[i] ^ q[i];
    }
}

fn output(state: &State) -> Digest {
    let p = permute_p(*state);
    let mut digest = [0; 32];
    for (i, bytes) in digest.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        *bytes = (p[4 + i] ^ state[4 + i]).to_le_bytes();
    }
    digest
}

fn permute_p(mut state: State) -> State {
    for round in 0..u64::from(ROUNDS) {
        for (j, column) in state.iter_mut().enumerate() {
            *column ^= ((j as u64) << 4) ^ round;
        }
        state = substitute_shift_mix(&state, &SHIFTS_P);
    }
    state
}

fn permute_q(mut state: State) -> State {
    for round in 0..u64::from(ROUNDS) {
        for (j, column) in state.iter_mut().enumerate() {
            *column ^= !0 ^ ((((j as u64) << 4) ^ round) << 56);
        }
        state = substitute_shift_mix(&state, &SHIFTS_Q);
    }
    state
}

/// `SubBytes`, `ShiftBytes`, `MixBytes`. Columns and rows are written out: a loop over them keeps the state in memory, for two thirds more time.
#[inline(always)]
fn substitute_shift_mix(state: &State, shifts: &[usize; 8]) -> State {
    let column = |j: usize| {
        let row = |i: usize| {
            let byte = state[(j + shifts[i]) % 8].to_le_bytes()[i];
            TABLE[usize::from(byte)].rotate_left(8 * i as u32)
        };
        row(0) ^ row(1) ^ row(2) ^ row(3) ^ row(4) ^ row(5) ^ row(6) ^ row(7)
    };
    [column(0), column(1), column(2), column(3), column(4), column(5), column(6), column(7)]
}

const fn table() -> [u64; 256] {
    let mut table = [0; 256];
    let mut x = 0;
    while x < 256 {
        let s = substitute(x as u8);
        let mut column = [0; 8];
        let mut row = 0;
        while row < 8 {
            column[row] = multiply(MIX[(8 - row) % 8], s);
            row += 1;
        }
        table[x] = u64::from_le_bytes(column);
        x += 1;
    }
    table
}

/// The S-box of AES: inversion in GF(2^8), then an affine map.
const fn substitute(x: u8) -> u8 {
    // x^254 = x^(2 + 4 + ... + 128)
    let mut power = x;
    let mut inverse = 1;
    let mut i = 0;
    while i < 7 {
        power = multiply(power, power);
        inverse = multiply(inverse, power);
        i += 1;
    }
    inverse
        ^ inverse.rotate_left(1)
        ^ inverse.rotate_left(2)
        ^ inverse.rotate_left(3)
        ^ inverse.rotate_left(4)
        ^ 0x63
}

/// The product in GF(2)[x] / (x^8 + x^4 + x^3 + x + 1).
const fn multiply(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    while b != 0 {
        if b & 1 == 1 {
            product ^= a;
        }
        a = (a << 1) ^ ((a >> 7) * 0x1b);
        b >>= 1;
    }
    product
}
