//! Vision Mark-32 of 64 messages at once, byte-sliced: a vector holds one byte of every message's state.
//!
//! Bytes are in the basis of the AES field; the two affine maps and all constants are taken there.

use std::sync::LazyLock;

use binfer_field::Tower8;

use crate::Digest;
use crate::vision::{BLOCK, HALVES, Half, PAIR, ROUNDS, Transform, WIDTH, padding, round_keys};

/// Messages at once, and bytes of a vector.
const N: usize = 64;
/// Fewer messages than this are faster one by one.
const LEAST: usize = 3;

/// Vectors of [`N`] bytes; a value of the type proves that the processor has the instructions.
pub(in crate::arch) trait Lanes: Copy {
    /// 64 bytes.
    type V: Copy;

    /// The same byte in every lane.
    fn splat(self, byte: u8) -> Self::V;
    fn load(self, bytes: &[u8; N]) -> Self::V;
    fn store(self, bytes: &mut [u8; N], v: Self::V);
    fn xor(self, a: Self::V, b: Self::V) -> Self::V;
    /// Products in GF(2)[x] / (x^8 + x^4 + x^3 + x + 1).
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// Inverses in that field, zero for zero.
    fn invert(self, a: Self::V) -> Self::V;
    /// Images under a matrix over GF(2): bit `r` of an image is the parity of the bits that byte
    /// `7 - r` of `matrix` selects.
    fn affine(self, a: Self::V, matrix: u64) -> Self::V;
    /// Alternates the bytes of `a` and `b` in each 16 bytes: the lower halves of the 16 in the first
    /// result, the upper halves in the second.
    fn interleave(self, a: Self::V, b: Self::V) -> (Self::V, Self::V);
}

/// An element of GF(2^32) of every message, lowest byte first.
type Element<L> = [<L as Lanes>::V; 4];

/// An affine map of 32 bits: `matrices[i][j]` takes byte `j` to its part of byte `i`.
struct Affine {
    matrices: [[u64; 4]; 4],
    constant: [u8; 4],
}

/// All constants, in the basis of the AES field.
struct Constants {
    keys: Vec<[[u8; 4]; WIDTH]>,
    maps: [Affine; 2],
    layers: [[[u8; 4]; 3]; 6],
    s3_at_2: u8,
    s3_at_4: u8,
    s4_at_4: u8,
    to_aes: u64,
    from_aes: u64,
    generator: u8,
}

static CONSTANTS: LazyLock<Constants> = LazyLock::new(|| {
    let aes = |byte| Tower8::new(byte).to_aes();
    let tower = |byte| Tower8::from_aes(byte).to_bits();
    let transform = Transform::new();
    Constants {
        keys: round_keys().map(|key| key.map(|element| element.map(aes))).collect(),
        maps: HALVES.map(affine),
        layers: transform.layers.map(|coset| coset.map(|layer| layer.map(Tower8::to_aes))),
        s3_at_2: transform.s3_at_2.to_aes(),
        s3_at_4: transform.s3_at_4.to_aes(),
        s4_at_4: transform.s4_at_4.to_aes(),
        to_aes: matrix(aes),
        from_aes: matrix(tower),
        generator: aes(0x10),
    }
});

/// The matrix of a linear map, as [`Lanes::affine`] takes it.
fn matrix(map: impl Fn(u8) -> u8) -> u64 {
    let mut matrix = 0;
    for column in 0..8 {
        let image = u64::from(map(1 << column));
        for r in 0..8 {
            matrix |= (image >> r & 1) << (8 * (7 - r) + column);
        }
    }
    matrix
}

fn affine(half: Half) -> Affine {
    // Of the element whose byte `j` is `byte` in the AES basis, the bytes of the image.
    let apply = |j: usize, byte: u8| {
        let mut bytes = [0; 4];
        bytes[j] = Tower8::from_aes(byte).to_bits();
        half.affine(u32::from_le_bytes(bytes)).to_le_bytes().map(|b| Tower8::new(b).to_aes())
    };
    let constant = apply(0, 0);
    let part = |i: usize, j: usize| matrix(|byte| apply(j, byte)[i] ^ constant[i]);
    Affine { matrices: core::array::from_fn(|i| core::array::from_fn(|j| part(i, j))), constant }
}

/// Hashes messages of `len` bytes that follow one another; returns how many, all but a few.
#[inline(always)]
pub(in crate::arch) fn hash_many<L: Lanes>(
    l: L,
    messages: &[u8],
    len: usize,
    digests: &mut [Digest],
) -> usize {
    let mut done = 0;
    for digests in digests.chunks_mut(N).take_while(|digests| digests.len() >= LEAST) {
        // Lanes beyond the last message repeat it.
        let last = digests.len() - 1;
        let message = |i: usize| &messages[(done + i.min(last)) * len..][..len];
        let tails: [_; N] = core::array::from_fn(|i| padding(message(i).as_chunks::<BLOCK>().1));
        let mut state = [[l.splat(0); 4]; WIDTH];
        for at in 0..=len / BLOCK {
            let block = |i| message(i).as_chunks().0.get(at).unwrap_or(&tails[i]);
            absorb(l, &mut state, block);
            permute(l, &mut state);
        }
        squeeze(l, &state, digests);
        done += digests.len();
    }
    done
}

/// The compression of pairs of digests that follow one another; returns how many, all but a few.
#[inline(always)]
pub(in crate::arch) fn compress_many<L: Lanes>(
    l: L,
    blocks: &[[u8; BLOCK]],
    digests: &mut [Digest],
) -> usize {
    let mut done = 0;
    for (blocks, digests) in blocks.chunks(N).zip(digests.chunks_mut(N)) {
        if digests.len() < LEAST {
            break;
        }
        let mut state = [[l.splat(0); 4]; WIDTH];
        absorb(l, &mut state, |i| &blocks[i.min(blocks.len() - 1)]);
        state[BLOCK / 4] = PAIR.to_le_bytes().map(|byte| l.splat(Tower8::new(byte).to_aes()));
        permute(l, &mut state);
        squeeze(l, &state, digests);
        done += digests.len();
    }
    done
}

/// Overwrites the first 16 elements with the blocks of all messages.
#[inline(always)]
fn absorb<'a, L: Lanes>(
    l: L,
    state: &mut [Element<L>; WIDTH],
    block: impl Fn(usize) -> &'a [u8; BLOCK],
) {
    let to_aes = CONSTANTS.to_aes;
    for (quarter, elements) in state[..BLOCK / 4].as_chunks_mut::<4>().0.iter_mut().enumerate() {
        // Message `16 lane + i` has these bytes of its block in lane `lane` of vector `i`.
        let mut words = [[0; N]; 16];
        for (i, word) in words.as_flattened_mut().as_chunks_mut::<16>().0.iter_mut().enumerate() {
            *word = block(i / 4 + i % 4 * 16).as_chunks().0[quarter];
        }
        let bytes = transpose(l, words.map(|word| l.load(&word)));
        for (v, byte) in elements.as_flattened_mut().iter_mut().zip(bytes) {
            *v = l.affine(byte, to_aes);
        }
    }
}

/// The first 8 elements of every message.
#[inline(always)]
fn squeeze<L: Lanes>(l: L, state: &[Element<L>; WIDTH], digests: &mut [Digest]) {
    let from_aes = CONSTANTS.from_aes;
    for (half, elements) in state[..8].as_chunks::<4>().0.iter().enumerate() {
        let mut bytes = [l.splat(0); 16];
        for (byte, &v) in bytes.iter_mut().zip(elements.as_flattened()) {
            *byte = l.affine(v, from_aes);
        }
        let mut words = [[0; N]; 16];
        for (word, v) in words.iter_mut().zip(transpose(l, bytes)) {
            l.store(word, v);
        }
        for (i, digest) in digests.iter_mut().enumerate() {
            digest.as_chunks_mut().0[half] = words[i % 16].as_chunks::<16>().0[i / 16];
        }
    }
}

/// Transposes the 16 x 16 bytes that each 16 bytes of the vectors are.
#[inline(always)]
fn transpose<L: Lanes>(l: L, mut v: [L::V; 16]) -> [L::V; 16] {
    for _ in 0..4 {
        // One bit of each byte's place moves from the vector's number to the place within it.
        let mut next = v;
        for i in 0..8 {
            (next[2 * i], next[2 * i + 1]) = l.interleave(v[i], v[i + 8]);
        }
        v = next;
    }
    v
}

#[inline(always)]
fn permute<L: Lanes>(l: L, state: &mut [Element<L>; WIDTH]) {
    let constants = &*CONSTANTS;
    let mut keys = constants.keys.iter();
    for half in 0..=2 * ROUNDS {
        if half > 0 {
            let map = &constants.maps[(half - 1) % 2];
            for element in state.iter_mut() {
                *element = substitute(l, *element, map, constants.generator);
            }
            mix(l, state, constants);
        }
        for (element, key) in state.iter_mut().zip(keys.next().into_iter().flatten()) {
            for (v, &byte) in element.iter_mut().zip(key) {
                *v = l.xor(*v, l.splat(byte));
            }
        }
    }
}

/// The affine map of the inverse.
#[inline(always)]
fn substitute<L: Lanes>(l: L, x: Element<L>, map: &Affine, generator: u8) -> Element<L> {
    let inverse = invert(l, x, l.splat(generator));
    let mut image = x;
    for ((v, matrices), &byte) in image.iter_mut().zip(&map.matrices).zip(&map.constant) {
        *v = l.splat(byte);
        for (&byte, &matrix) in inverse.iter().zip(matrices) {
            *v = l.xor(*v, l.affine(byte, matrix));
        }
    }
    image
}

/// The inverse in GF(2^32): the conjugate over the norm, twice. `y` is the generator of `Tower8`.
#[inline(always)]
fn invert<L: Lanes>(l: L, [a, b, c, d]: Element<L>, y: L::V) -> Element<L> {
    let (low, high) = ([a, b], [c, d]);
    let conjugate = add(l, low, generate(l, high, y));
    let norm = add(l, multiply(l, low, conjugate, y), square(l, high, y));
    let inverse = {
        let [low, high] = norm;
        let conjugate = l.xor(low, l.mul(high, y));
        let norm = l.xor(l.mul(low, conjugate), l.mul(high, high));
        let inverse = l.invert(norm);
        [l.mul(conjugate, inverse), l.mul(high, inverse)]
    };
    let ([a, b], [c, d]) = (multiply(l, conjugate, inverse, y), multiply(l, high, inverse, y));
    [a, b, c, d]
}

#[inline(always)]
fn add<L: Lanes>(l: L, a: [L::V; 2], b: [L::V; 2]) -> [L::V; 2] {
    [l.xor(a[0], b[0]), l.xor(a[1], b[1])]
}

/// The product in GF(2^16).
#[inline(always)]
fn multiply<L: Lanes>(l: L, a: [L::V; 2], b: [L::V; 2], y: L::V) -> [L::V; 2] {
    let (low, high) = (l.mul(a[0], b[0]), l.mul(a[1], b[1]));
    let both = l.mul(l.xor(a[0], a[1]), l.xor(b[0], b[1]));
    let constant = l.xor(low, high);
    [constant, l.xor(l.xor(both, constant), l.mul(high, y))]
}

/// The square in GF(2^16).
#[inline(always)]
fn square<L: Lanes>(l: L, a: [L::V; 2], y: L::V) -> [L::V; 2] {
    let (low, high) = (l.mul(a[0], a[0]), l.mul(a[1], a[1]));
    [l.xor(low, high), l.mul(high, y)]
}

/// The product by the generator of GF(2^16).
#[inline(always)]
fn generate<L: Lanes>(l: L, a: [L::V; 2], y: L::V) -> [L::V; 2] {
    [a[1], l.xor(a[0], l.mul(a[1], y))]
}

/// The MDS matrix: three cosets to the novel basis, then three other cosets from it.
#[inline(always)]
fn mix<L: Lanes>(l: L, state: &mut [Element<L>; WIDTH], constants: &Constants) {
    for (coset, layers) in state.as_chunks_mut::<8>().0.iter_mut().zip(&constants.layers[..3]) {
        for (k, factors) in layers.iter().enumerate() {
            for (at, factor) in butterflies(k, factors) {
                coset[at + (1 << k)] = sum(l, coset[at + (1 << k)], coset[at]);
                coset[at] = add_scaled(l, coset[at], coset[at + (1 << k)], factor);
            }
        }
    }
    let (s3_at_2, s3_at_4) = (constants.s3_at_2, constants.s3_at_4);
    for i in 0..8 {
        // Values on cosets 0, 1 and 2 are A, A + B and A + s_3 B + C.
        let a = state[i];
        let b = sum(l, state[8 + i], a);
        let c = add_scaled(l, sum(l, state[16 + i], a), b, s3_at_2);
        // On coset 3 both s_4 and s_3 + s_3(coset 2) are 1; cosets 4 and 5 differ by B.
        state[i] = sum(l, add_scaled(l, sum(l, a, b), b, s3_at_2), c);
        state[8 + i] = add_scaled(l, add_scaled(l, a, b, s3_at_4), c, constants.s4_at_4);
        state[16 + i] = sum(l, state[8 + i], b);
    }
    for (coset, layers) in state.as_chunks_mut::<8>().0.iter_mut().zip(&constants.layers[3..]) {
        for (k, factors) in layers.iter().enumerate().rev() {
            for (at, factor) in butterflies(k, factors) {
                coset[at] = add_scaled(l, coset[at], coset[at + (1 << k)], factor);
                coset[at + (1 << k)] = sum(l, coset[at + (1 << k)], coset[at]);
            }
        }
    }
}

/// The first positions of the butterflies at distance `2^k`, with the factors of their blocks.
#[inline(always)]
fn butterflies(k: usize, factors: &[u8; 4]) -> impl Iterator<Item = (usize, u8)> {
    (0..4).map(move |i| ((i >> k << (k + 1)) + i % (1 << k), factors[i >> k]))
}

#[inline(always)]
fn sum<L: Lanes>(l: L, mut a: Element<L>, b: Element<L>) -> Element<L> {
    for (a, b) in a.iter_mut().zip(b) {
        *a = l.xor(*a, b);
    }
    a
}

#[inline(always)]
fn add_scaled<L: Lanes>(l: L, mut a: Element<L>, b: Element<L>, factor: u8) -> Element<L> {
    let factor = l.splat(factor);
    for (a, b) in a.iter_mut().zip(b) {
        *a = l.xor(*a, l.mul(b, factor));
    }
    a
}
