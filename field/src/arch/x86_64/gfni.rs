//! Byte lanes: GFNI on 512 bits.

use core::arch::x86_64::{
    __m512i, _mm512_gf2p8affine_epi64_epi8, _mm512_gf2p8affineinv_epi64_epi8, _mm512_gf2p8mul_epi8,
    _mm512_loadu_si512, _mm512_mask_shuffle_epi8, _mm512_mask_shuffle_epi32,
    _mm512_permutex2var_epi8, _mm512_permutexvar_epi8, _mm512_set1_epi64, _mm512_shuffle_epi8,
    _mm512_shuffle_i64x2, _mm512_storeu_si512, _mm512_unpackhi_epi8, _mm512_unpackhi_epi64,
    _mm512_unpacklo_epi8, _mm512_unpacklo_epi64,
};

use super::super::generic::{ByteLanes, Clmul};
use super::avx512::Avx512;

/// The matrix of the map that changes nothing.
const IDENTITY: i64 = 0x0102_0408_1020_4080;

/// Where in words of so many bytes [`ByteLanes::deal`] and [`ByteLanes::spread`] find byte `i` of each word.
const fn places<const BYTES: usize>() -> [[u8; 64]; BYTES] {
    let mut places = [[0; 64]; BYTES];
    let mut i = 0;
    while i < BYTES {
        let mut place = 0;
        while place < 64 {
            places[i][place] = ((4 * (place % 16) + place / 16) * BYTES + i) as u8;
            place += 1;
        }
        i += 1;
    }
    places
}

/// In each lane of sixteen bytes, the places of each pair's neighbour in a four.
const fn pairs_beside() -> [u8; 64] {
    let mut places = [0; 64];
    let mut place = 0;
    while place < 64 {
        places[place] = ((place % 16) ^ 2) as u8;
        place += 1;
    }
    places
}

impl ByteLanes for Avx512 {
    type Register = __m512i;

    #[inline(always)]
    fn load_bytes(self, src: &[u8; 64]) -> __m512i {
        // SAFETY: `src` is 64 readable bytes; `self` proves AVX-512F.
        unsafe { _mm512_loadu_si512(src.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store_bytes(self, dst: &mut [u8; 64], v: __m512i) {
        // SAFETY: `dst` is 64 writable bytes; `self` proves AVX-512F.
        unsafe { _mm512_storeu_si512(dst.as_mut_ptr().cast(), v) }
    }

    #[inline(always)]
    fn xor_bytes(self, a: __m512i, b: __m512i) -> __m512i {
        self.xor(a, b)
    }

    #[inline(always)]
    fn affine(self, v: __m512i, matrix: u64) -> __m512i {
        // SAFETY: `self` proves AVX-512F and GFNI.
        unsafe { _mm512_gf2p8affine_epi64_epi8::<0>(v, _mm512_set1_epi64(matrix as i64)) }
    }

    #[inline(always)]
    fn affine_each(self, v: __m512i, matrices: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512F and GFNI.
        unsafe { _mm512_gf2p8affine_epi64_epi8::<0>(v, matrices) }
    }

    #[inline(always)]
    fn functionals(self, v: __m512i, rows: u64) -> __m512i {
        // SAFETY: `self` proves AVX-512F and GFNI.
        unsafe { _mm512_gf2p8affine_epi64_epi8::<0>(_mm512_set1_epi64(rows as i64), v) }
    }

    #[inline(always)]
    fn mul_bytes(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512F and GFNI.
        unsafe { _mm512_gf2p8mul_epi8(a, b) }
    }

    #[inline(always)]
    fn invert_bytes(self, v: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512F and GFNI.
        unsafe { _mm512_gf2p8affineinv_epi64_epi8::<0>(v, _mm512_set1_epi64(IDENTITY)) }
    }

    #[inline(always)]
    fn interleave(self, a: __m512i, b: __m512i) -> (__m512i, __m512i) {
        // SAFETY: `self` proves AVX-512BW.
        unsafe { (_mm512_unpacklo_epi8(a, b), _mm512_unpackhi_epi8(a, b)) }
    }

    #[inline(always)]
    fn nibbles(self, v: __m512i, is_high: bool) -> __m512i {
        // The matrix shifted down by four rows takes the high bits to the low ones' places.
        self.affine(v, if is_high { 0x1020_4080_0000_0000 } else { 0x0102_0408_0000_0000 })
    }

    #[inline(always)]
    fn entries(self, table: __m512i, numbers: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512BW.
        unsafe { _mm512_shuffle_epi8(table, numbers) }
    }

    #[inline(always)]
    fn transpose_pairs(self, [a, b, c, d]: [__m512i; 4]) -> [__m512i; 4] {
        let ((a, b), (c, d)) = (self.exchange_pairs(a, b), self.exchange_pairs(c, d));
        let ((a, c), (b, d)) = (self.exchange_fours(a, c), self.exchange_fours(b, d));
        [a, b, c, d]
    }

    #[inline(always)]
    fn spread(self, v: __m512i) -> __m512i {
        let [places] = const { places::<1>() };
        // SAFETY: `self` proves AVX-512VBMI.
        unsafe { _mm512_permutexvar_epi8(self.load_bytes(&places), v) }
    }

    #[inline(always)]
    fn deal(self, words: &[[u8; 2]; 64]) -> [__m512i; 2] {
        let [low, high]: &[[u8; 64]; 2] = bytemuck::cast_ref(words);
        let (low, high) = (self.load_bytes(low), self.load_bytes(high));
        // SAFETY: `self` proves AVX-512VBMI.
        const { places::<2>() }
            .map(|places| unsafe { _mm512_permutex2var_epi8(low, self.load_bytes(&places), high) })
    }

    #[inline(always)]
    fn sum_words(self, v: [__m512i; 8]) -> __m512i {
        let mut words = [v[0]; 4];
        for (i, words) in words.iter_mut().enumerate() {
            *words = self.add_halves_of_lanes(v[2 * i], v[2 * i + 1]);
        }
        let low = self.add_halves(words[0], words[1]);
        self.add_alternate_lanes(low, self.add_halves(words[2], words[3]))
    }
}

impl Avx512 {
    /// Exchanges the odd pairs of bytes of `a` with the even ones of `b`.
    #[inline(always)]
    fn exchange_pairs(self, a: __m512i, b: __m512i) -> (__m512i, __m512i) {
        const TO_ODD: [u8; 64] = pairs_beside();
        let neighbours = self.load_bytes(&TO_ODD);
        // SAFETY: `self` proves AVX-512BW.
        unsafe {
            let even = _mm512_mask_shuffle_epi8(a, 0xcccc_cccc_cccc_cccc, b, neighbours);
            (even, _mm512_mask_shuffle_epi8(b, 0x3333_3333_3333_3333, a, neighbours))
        }
    }

    /// Exchanges the odd fours of bytes of `a` with the even ones of `b`.
    #[inline(always)]
    fn exchange_fours(self, a: __m512i, b: __m512i) -> (__m512i, __m512i) {
        // SAFETY: `self` proves AVX-512F.
        unsafe {
            let even = _mm512_mask_shuffle_epi32::<0b10_11_00_01>(a, 0xaaaa, b);
            (even, _mm512_mask_shuffle_epi32::<0b10_11_00_01>(b, 0x5555, a))
        }
    }

    /// In each lane the sums of the two words of `a`'s lane and of `b`'s.
    #[inline(always)]
    fn add_halves_of_lanes(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512F.
        let (low, high) = unsafe { (_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b)) };
        self.xor(low, high)
    }

    /// The sums of the first and the last two lanes, lane by lane, of `a` and then `b`.
    #[inline(always)]
    fn add_halves(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512F.
        let (low, high) =
            unsafe { (_mm512_shuffle_i64x2::<0x44>(a, b), _mm512_shuffle_i64x2::<0xee>(a, b)) };
        self.xor(low, high)
    }

    /// The sums of each two lanes of `a` and then `b`.
    #[inline(always)]
    fn add_alternate_lanes(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512F.
        let (even, odd) =
            unsafe { (_mm512_shuffle_i64x2::<0x88>(a, b), _mm512_shuffle_i64x2::<0xdd>(a, b)) };
        self.xor(even, odd)
    }
}
