//! Products of tower fields of whole bytes on slices.
//!
//! With byte lanes, 1024 bytes of each factor are transposed so that register `i` holds byte `i`
//! of words of 16 bytes, and taken to the AES field by an affine map: then a product of two
//! `Tower8` is one instruction, and a product of two `Tower128` is Karatsuba's 81 of them for 64
//! elements.

use super::{ByteLanes, Lanes};
use crate::Field;
use crate::tower::{
    AES_TO_TOWER, TOWER_TO_AES, Tower8, Tower16, Tower32, Tower64, Tower128, in_slices, one_by_one,
};

/// Up to this many bytes the elements are faster one by one than as part of a block.
const WORTH_A_BLOCK: usize = 32;

/// How elements lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// One after the other, in little-endian order.
    Whole,
    /// In blocks of [`Sliced`](crate::tower::Sliced), in the AES basis.
    Sliced,
}

/// The products of blocks: of the elements that registers `i` and `i + 1`, and so on hold, as many
/// registers together as `$mul` takes.
macro_rules! mul_blocks {
    ($lanes:ident, $blocks:ident, $n_bytes:ident, $form:ident, $mul:ident) => {
        for ((dst, a), b) in $blocks {
            let a = load($lanes, a, $n_bytes, $form);
            let b = load($lanes, b, $n_bytes, $form);
            let mut product = a;
            let factors = a.as_chunks().0.iter().zip(b.as_chunks().0);
            for (product, (&a, &b)) in product.as_chunks_mut().0.iter_mut().zip(factors) {
                *product = $mul($lanes, a, b);
            }
            store($lanes, dst, product, $n_bytes, $form);
        }
    };
}

/// Elementwise products in the field of `n_bytes` bytes. `n_bytes` is 1, 2, 4, 8 or 16; the slices
/// are of one length, a multiple of it, and of 1024 where they are sliced.
#[inline(always)]
pub(crate) fn tower_mul<const N: usize>(
    isa: impl Lanes<N>,
    dst: &mut [u8],
    a: &[u8],
    b: &[u8],
    n_bytes: usize,
    form: Form,
) {
    let Some(lanes) = isa.byte_lanes() else {
        return without_lanes(dst, n_bytes, form, [a, b], |dst, [a, b]| {
            mul_each(dst, a, b, n_bytes);
        });
    };
    let (blocks, d_tail) = dst.as_chunks_mut::<1024>();
    let ((a, a_tail), (b, b_tail)) = (a.as_chunks(), b.as_chunks());
    let mut last = last_blocks([d_tail, a_tail, b_tail]);
    let [d_last, a_last, b_last] =
        last.as_mut().map_or([None, None, None], |l| l.each_mut().map(Some));
    let (a, b) = (a.iter().chain(a_last.map(|a| &*a)), b.iter().chain(b_last.map(|b| &*b)));
    let blocks = blocks.iter_mut().chain(d_last).zip(a).zip(b);
    match n_bytes {
        1 => mul_blocks!(lanes, blocks, n_bytes, form, mul_1),
        2 => mul_blocks!(lanes, blocks, n_bytes, form, mul_2),
        4 => mul_blocks!(lanes, blocks, n_bytes, form, mul_4),
        8 => mul_blocks!(lanes, blocks, n_bytes, form, mul_8),
        _ => mul_blocks!(lanes, blocks, n_bytes, form, mul_16),
    }
    match last {
        Some([last, _, _]) => d_tail.copy_from_slice(&last[..d_tail.len()]),
        None => mul_each(d_tail, a_tail, b_tail, n_bytes),
    }
}

/// Tails of one length, shorter than a block, filled up to one; none where they are too short to be
/// worth it.
#[inline(always)]
pub(super) fn last_blocks<const K: usize>(tails: [&[u8]; K]) -> Option<[[u8; 1024]; K]> {
    let fill = |tail: &[u8]| {
        let mut block = [0; 1024];
        block[..tail.len()].copy_from_slice(tail);
        block
    };
    (tails[0].len() > WORTH_A_BLOCK).then(|| tails.map(fill))
}

/// A block in slices and in the AES basis.
#[inline(always)]
pub(super) fn load<B: ByteLanes>(
    lanes: B,
    src: &[u8; 1024],
    n_bytes: usize,
    form: Form,
) -> [B::Register; 16] {
    let mut v = lanes.load_block(bytemuck::cast_ref(src));
    if form == Form::Whole {
        if n_bytes > 1 {
            v = lanes.transpose(v);
        }
        v = affine_each(lanes, v, TO_AES);
    }
    v
}

/// Inverse of [`load`].
#[inline(always)]
pub(super) fn store<B: ByteLanes>(
    lanes: B,
    dst: &mut [u8; 1024],
    mut v: [B::Register; 16],
    n_bytes: usize,
    form: Form,
) {
    if form == Form::Whole {
        v = affine_each(lanes, v, FROM_AES);
        if n_bytes > 1 {
            v = lanes.transpose(v);
        }
    }
    lanes.store_block(bytemuck::cast_mut(dst), v);
}

/// Computes on whole elements what is asked for in either form.
pub(super) fn without_lanes<const K: usize>(
    dst: &mut [u8],
    n_bytes: usize,
    form: Form,
    factors: [&[u8]; K],
    compute: impl Fn(&mut [u8], [&[u8]; K]),
) {
    if form == Form::Whole {
        return compute(dst, factors);
    }
    for (i, block) in dst.as_chunks_mut::<1024>().0.iter_mut().enumerate() {
        let whole = |block: &[u8; 1024]| one_by_one(bytemuck::cast_ref(block), n_bytes);
        let factors = factors.map(|f| whole(&f.as_chunks().0[i]));
        let mut elements = whole(block);
        compute(&mut elements, factors.each_ref().map(|f| &f[..]));
        *block = bytemuck::cast(in_slices(&elements, n_bytes));
    }
}

fn mul_each(dst: &mut [u8], a: &[u8], b: &[u8], n_bytes: usize) {
    match n_bytes {
        1 => mul_each_in::<Tower8>(dst, a, b),
        2 => mul_each_in::<Tower16>(dst, a, b),
        4 => mul_each_in::<Tower32>(dst, a, b),
        8 => mul_each_in::<Tower64>(dst, a, b),
        16 => mul_each_in::<Tower128>(dst, a, b),
        _ => unreachable!("no tower field has {n_bytes} bytes"),
    }
}

fn mul_each_in<T: Field>(dst: &mut [u8], a: &[u8], b: &[u8]) {
    let n = T::BITS as usize / 8;
    for ((d, a), b) in dst.chunks_exact_mut(n).zip(a.chunks_exact(n)).zip(b.chunks_exact(n)) {
        let product = element::<T>(a) * element(b);
        d.copy_from_slice(&product.to_bits().to_le_bytes()[..n]);
    }
}

/// The element in as many bytes as its field has.
#[inline(always)]
pub(super) fn element<T: Field>(bytes: &[u8]) -> T {
    let mut wide = [0; 16];
    wide[..bytes.len()].copy_from_slice(bytes);
    T::from_bits(u128::from_le_bytes(wide))
}

/// The matrix of the map with these images of the eight bits, as [`ByteLanes::affine`] takes it.
pub(crate) const fn matrix(images: [u8; 8]) -> u64 {
    let mut matrix = 0;
    let mut bit = 0;
    while bit < 64 {
        let (r, column) = (bit / 8, bit % 8);
        matrix |= ((images[column] >> r & 1) as u64) << (8 * (7 - r) + column);
        bit += 1;
    }
    matrix
}

const TO_AES: u64 = matrix(TOWER_TO_AES);
const FROM_AES: u64 = matrix(AES_TO_TOWER);

/// The product by the image of the generator of `Tower8`.
const MUL_GENERATOR: u64 = {
    let mut images = [0; 8];
    let mut bit = 0;
    while bit < 8 {
        let (mut multiple, mut product, mut i) = (1 << bit, 0, 0);
        while i < 8 {
            if TOWER_TO_AES[4] >> i & 1 == 1 {
                product ^= multiple;
            }
            multiple = (multiple << 1) ^ (((multiple >> 7) & 1) * 0x11b);
            i += 1;
        }
        images[bit] = product as u8;
        bit += 1;
    }
    matrix(images)
};

#[inline(always)]
fn affine_each<B: ByteLanes>(
    lanes: B,
    mut block: [B::Register; 16],
    matrix: u64,
) -> [B::Register; 16] {
    for v in &mut block {
        *v = lanes.affine(*v, matrix);
    }
    block
}

#[inline(always)]
pub(super) fn xor_each<B: ByteLanes, const W: usize>(
    lanes: B,
    mut a: [B::Register; W],
    b: [B::Register; W],
) -> [B::Register; W] {
    for (a, b) in a.iter_mut().zip(b) {
        *a = lanes.xor_bytes(*a, b);
    }
    a
}

#[inline(always)]
pub(super) fn mul_1<B: ByteLanes>(
    lanes: B,
    [a]: [B::Register; 1],
    [b]: [B::Register; 1],
) -> [B::Register; 1] {
    [lanes.mul_bytes(a, b)]
}

#[inline(always)]
pub(super) fn generator_1<B: ByteLanes>(lanes: B, [a]: [B::Register; 1]) -> [B::Register; 1] {
    [lanes.affine(a, MUL_GENERATOR)]
}

/// A level of the tower from the one below: the product and the product by the generator of
/// elements of `$width` registers, as [`crate::tower`] defines them.
macro_rules! level {
    (
        $mul:ident $(, $generator:ident)?: $width:literal,
        $mul_half:ident, $generator_half:ident: $half:literal
    ) => {
        #[inline(always)]
        pub(super) fn $mul<B: ByteLanes>(
            lanes: B,
            a: [B::Register; $width],
            b: [B::Register; $width],
        ) -> [B::Register; $width] {
            let ([a0, a1], [b0, b1]) = (halves::<_, $width, $half>(a), halves(b));
            let (low, high) = ($mul_half(lanes, a0, b0), $mul_half(lanes, a1, b1));
            let both = $mul_half(lanes, xor_each(lanes, a0, a1), xor_each(lanes, b0, b1));
            let constant = xor_each(lanes, low, high);
            let cross = xor_each(lanes, both, constant);
            join([constant, xor_each(lanes, cross, $generator_half(lanes, high))])
        }

        $(#[inline(always)]
        pub(super) fn $generator<B: ByteLanes>(
            lanes: B,
            a: [B::Register; $width],
        ) -> [B::Register; $width] {
            let [a0, a1] = halves::<_, $width, $half>(a);
            join([a1, xor_each(lanes, a0, $generator_half(lanes, a1))])
        })?
    };
}

level!(mul_2, generator_2: 2, mul_1, generator_1: 1);
level!(mul_4, generator_4: 4, mul_2, generator_2: 2);
level!(mul_8, generator_8: 8, mul_4, generator_4: 4);

/// The uppermost level. Its three products share one copy of the code of the level below, which
/// is large: the compiler does not know their number.
#[inline(always)]
fn mul_16<B: ByteLanes>(lanes: B, a: [B::Register; 16], b: [B::Register; 16]) -> [B::Register; 16] {
    let ([a0, a1], [b0, b1]) = (halves::<_, 16, 8>(a), halves(b));
    let factors = [(a0, b0), (a1, b1), (xor_each(lanes, a0, a1), xor_each(lanes, b0, b1))];
    let mut products = [a0; 3];
    let n_products = core::hint::black_box(3);
    for (product, (a, b)) in products.iter_mut().zip(factors).take(n_products) {
        *product = mul_8(lanes, a, b);
    }
    let [low, high, both] = products;
    let constant = xor_each(lanes, low, high);
    let cross = xor_each(lanes, both, constant);
    join([constant, xor_each(lanes, cross, generator_8(lanes, high))])
}

#[inline(always)]
pub(super) fn halves<T: Copy, const W: usize, const H: usize>(a: [T; W]) -> [[T; H]; 2] {
    let mut halves = [[a[0]; H]; 2];
    for i in 0..H {
        (halves[0][i], halves[1][i]) = (a[i], a[H + i]);
    }
    halves
}

#[inline(always)]
pub(super) fn join<T: Copy, const W: usize, const H: usize>(halves: [[T; H]; 2]) -> [T; W] {
    let mut joined = [halves[0][0]; W];
    for i in 0..H {
        (joined[i], joined[H + i]) = (halves[0][i], halves[1][i]);
    }
    joined
}
