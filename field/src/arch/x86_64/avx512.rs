//! Four lanes: VPCLMULQDQ on 512 bits.

use core::arch::x86_64::{
    __m512i, __mmask8, _mm_loadu_si128, _mm_xor_si128, _mm256_castsi128_si256,
    _mm256_castsi256_si128, _mm256_extracti128_si256, _mm256_inserti128_si256, _mm256_xor_si256,
    _mm512_bslli_epi128, _mm512_bsrli_epi128, _mm512_castsi256_si512, _mm512_castsi512_si256,
    _mm512_clmulepi64_epi128, _mm512_extracti64x4_epi64, _mm512_gf2p8affine_epi64_epi8,
    _mm512_inserti64x4, _mm512_loadu_si512, _mm512_mask_storeu_epi64, _mm512_maskz_loadu_epi64,
    _mm512_permutex2var_epi64, _mm512_set_epi64, _mm512_set1_epi8, _mm512_shuffle_epi32,
    _mm512_shuffle_i64x2, _mm512_storeu_si512, _mm512_ternarylogic_epi64, _mm512_test_epi8_mask,
    _mm512_xor_si512,
};
use std::arch::is_x86_feature_detected;

use super::super::generic::{Clmul, NoNibbleLanes};
use super::pclmul::Pclmul;
use crate::F128;
use crate::kernels::Corner;

backend!(
    Avx512,
    is_x86_feature_detected,
    [
        "sse2",
        "pclmulqdq",
        "avx2",
        "vpclmulqdq",
        "avx512f",
        "avx512bw",
        "avx512vl",
        "avx512vbmi",
        "gfni"
    ]
);

/// The 64-bit halves of the first `n < 4` lanes.
#[inline(always)]
fn first(n: usize) -> __mmask8 {
    ((1u32 << (2 * n.min(4))) - 1) as __mmask8
}

/// The matrix of a GF(2)-linear map of bytes as `GF2P8AFFINEQB` takes it: bit `i` of the image is
/// the parity of the bits of the argument that `rows[i]` selects.
const fn matrix(rows: [u8; 8]) -> u64 {
    u64::from_be_bytes(rows)
}

/// The low byte of a byte's product by `x^7 + x^2 + x + 1`.
const FOLD_LOW: u64 = matrix([0x01, 0x03, 0x07, 0x0e, 0x1c, 0x38, 0x70, 0xe1]);
/// The high byte of a byte's product by `x^7 + x^2 + x + 1`.
const FOLD_HIGH: u64 = matrix([0xc2, 0x84, 0x08, 0x10, 0x20, 0x40, 0x80, 0x00]);

/// A byte itself.
const IDENTITY: u64 = matrix([0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80]);

/// Two halves of a lane.
const fn halves(high: u64, low: u64) -> F128 {
    F128::new((high as u128) << 64 | low as u128)
}

impl Avx512 {
    /// Each byte's image under the map of its half of a lane.
    #[inline(always)]
    fn affine(self, bytes: __m512i, maps: F128) -> __m512i {
        // SAFETY: `self` proves AVX-512F and GFNI.
        unsafe { _mm512_gf2p8affine_epi64_epi8::<0>(bytes, self.splat(maps)) }
    }
}

impl Clmul<4> for Avx512 {
    type Register = __m512i;
    type One = Pclmul;
    type Bytes = Self;
    type Nibbles = NoNibbleLanes;

    /// A carry-less multiply takes the place of three other instructions.
    const KARATSUBA: bool = false;

    #[inline(always)]
    fn load(self, src: &[F128; 4]) -> __m512i {
        // SAFETY: `src` is 64 readable bytes; `self` proves AVX-512F.
        unsafe { _mm512_loadu_si512(src.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, dst: &mut [F128; 4], v: __m512i) {
        // SAFETY: `dst` is 64 writable bytes; `self` proves AVX-512F.
        unsafe { _mm512_storeu_si512(dst.as_mut_ptr().cast(), v) }
    }

    #[inline(always)]
    fn load_part(self, src: &[F128]) -> __m512i {
        // SAFETY: the mask lets the first `min(src.len(), 4)` elements be read, all of them in
        // `src`; `self` proves AVX-512F.
        unsafe { _mm512_maskz_loadu_epi64(first(src.len()), src.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store_part(self, dst: &mut [F128], v: __m512i) {
        // SAFETY: the mask lets the first `min(dst.len(), 4)` elements be written, all of them in
        // `dst`; `self` proves AVX-512F.
        unsafe { _mm512_mask_storeu_epi64(dst.as_mut_ptr().cast(), first(dst.len()), v) }
    }

    #[inline(always)]
    fn splat(self, x: F128) -> __m512i {
        let (low, high) = (x.to_bits() as i64, (x.to_bits() >> 64) as i64);
        // SAFETY: `self` proves AVX-512F.
        unsafe { _mm512_set_epi64(high, low, high, low, high, low, high, low) }
    }

    /// Parts are loaded to their places: stores that a wider load waits for would take longer. Two halves, for an instruction on one
    /// takes half of what one on all does.
    #[inline(always)]
    fn load_each(self, src: [&F128; 4]) -> __m512i {
        // SAFETY: an element is 16 readable bytes; `self` proves SSE2.
        let part = |k: usize| unsafe { _mm_loadu_si128(core::ptr::from_ref(src[k]).cast()) };
        // SAFETY: `self` proves AVX2.
        let half = |k: usize| unsafe {
            _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(part(k)), part(k + 1))
        };
        // SAFETY: `self` proves AVX-512F.
        unsafe { _mm512_inserti64x4::<1>(_mm512_castsi256_si512(half(0)), half(2)) }
    }

    #[inline(always)]
    fn xor(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512F.
        unsafe { _mm512_xor_si512(a, b) }
    }

    #[inline(always)]
    fn clmul<const HALVES: i32>(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512F and VPCLMULQDQ.
        unsafe { _mm512_clmulepi64_epi128::<HALVES>(a, b) }
    }

    #[inline(always)]
    fn swap(self, v: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512F.
        unsafe { _mm512_shuffle_epi32::<0b01_00_11_10>(v) }
    }

    #[inline(always)]
    fn raise(self, v: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512BW.
        unsafe { _mm512_bslli_epi128::<8>(v) }
    }

    #[inline(always)]
    fn sum(self, v: __m512i) -> F128 {
        // SAFETY: `self` proves AVX-512F and AVX2.
        let total = unsafe {
            let half =
                _mm256_xor_si256(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64::<1>(v));
            _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256::<1>(half))
        };
        Clmul::sum(self.one(), total)
    }

    #[inline(always)]
    fn deinterleave(self, a: __m512i, b: __m512i) -> (__m512i, __m512i) {
        // SAFETY: `self` proves AVX-512F.
        unsafe {
            (
                _mm512_shuffle_i64x2::<0b10_00_10_00>(a, b),
                _mm512_shuffle_i64x2::<0b11_01_11_01>(a, b),
            )
        }
    }

    #[inline(always)]
    fn interleave(self, even: __m512i, odd: __m512i) -> (__m512i, __m512i) {
        // SAFETY: `self` proves AVX-512F.
        unsafe {
            (
                _mm512_permutex2var_epi64(even, _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0), odd),
                _mm512_permutex2var_epi64(even, _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4), odd),
            )
        }
    }

    #[inline(always)]
    fn split_fours(self, a: __m512i, b: __m512i) -> (__m512i, __m512i) {
        // SAFETY: `self` proves AVX-512F.
        unsafe {
            (
                _mm512_shuffle_i64x2::<0b01_00_01_00>(a, b),
                _mm512_shuffle_i64x2::<0b11_10_11_10>(a, b),
            )
        }
    }

    #[inline(always)]
    fn one(self) -> Pclmul {
        // SAFETY: `self` proves AVX-512, which includes SSSE3, and PCLMULQDQ.
        unsafe { Pclmul::assume() }
    }

    #[inline(always)]
    fn byte_lanes(self) -> Option<Self> {
        Some(self)
    }

    #[inline(always)]
    fn nibble_lanes(self) -> Option<NoNibbleLanes> {
        None
    }

    #[inline(always)]
    fn plane(self, bytes: &[u8; 64], plane: u32) -> u64 {
        // SAFETY: `bytes` is 64 readable bytes; `self` proves AVX-512BW.
        unsafe {
            let v = _mm512_loadu_si512(bytes.as_ptr().cast());
            _mm512_test_epi8_mask(v, _mm512_set1_epi8((1u32 << plane) as i8))
        }
    }

    /// As [`Self::reduce_middle`], but `middle` exchanges its halves first: so the low half of `high` is where it belongs.
    #[inline(always)]
    fn reduce_parts(self, low: __m512i, middle: __m512i, high: __m512i) -> __m512i {
        let middle = self.swap(self.fold_top(middle, high));
        let low_halves = self.splat(halves(0, u64::MAX));
        // SAFETY: `self` proves AVX-512F. Said with a mask in a register, it stays one instruction.
        let middle = unsafe { _mm512_ternarylogic_epi64::<0x78>(middle, high, low_halves) };
        let carries = self.affine(middle, halves(0, FOLD_HIGH));
        // SAFETY: `self` proves AVX-512BW.
        let low = self.xor(low, unsafe { _mm512_bslli_epi128::<1>(carries) });
        self.xor(low, self.affine(middle, halves(IDENTITY, FOLD_LOW)))
    }

    /// Folds the high half of `middle` where it stands, byte by byte with affine maps; one exchange
    /// then takes both halves to their places.
    #[inline(always)]
    fn reduce_middle(self, low: __m512i, middle: __m512i) -> __m512i {
        let carries = self.affine(middle, halves(FOLD_HIGH, 0));
        let folded = self.affine(middle, halves(FOLD_LOW, IDENTITY));
        // SAFETY: `self` proves AVX-512BW.
        let low = self.xor(low, unsafe { _mm512_bsrli_epi128::<7>(carries) });
        self.xor(low, self.swap(folded))
    }
}
