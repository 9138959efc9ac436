//! Byte slicing: the trait of processors that compute on 64 bytes, one of each of 64 elements.

/// A register of 64 bytes with affine maps and AES-field products of each byte.
///
/// The same promise as [`super::Lanes`]: a value proves that the instructions exist.
pub(crate) trait ByteLanes: Copy {
    type Register: Copy;

    fn load_bytes(self, src: &[u8; 64]) -> Self::Register;
    fn store_bytes(self, dst: &mut [u8; 64], v: Self::Register);
    fn xor_bytes(self, a: Self::Register, b: Self::Register) -> Self::Register;
    /// The image of each byte under a matrix over GF(2): bit `r` of the image is the parity of the
    /// bits that byte `7 - r` of `matrix` selects.
    fn affine(self, v: Self::Register, matrix: u64) -> Self::Register;
    /// The image of each byte of eight under a matrix of their own, as [`Self::affine`] reads it.
    fn affine_each(self, v: Self::Register, matrices: Self::Register) -> Self::Register;
    /// Of each eight bytes, bit `i` of byte `k` is the parity of the bits of byte `7 - i` that byte `k` of `rows` selects.
    fn functionals(self, v: Self::Register, rows: u64) -> Self::Register;
    /// The product of bytes in GF(2)[x] / (x^8 + x^4 + x^3 + x + 1).
    fn mul_bytes(self, a: Self::Register, b: Self::Register) -> Self::Register;
    /// The inverse of each byte in the same field; that of zero is zero.
    fn invert_bytes(self, v: Self::Register) -> Self::Register;
    /// Alternates the bytes of `a` and `b` in each 16-byte lane: the lower halves of the lanes in
    /// the first result, the upper halves in the second.
    fn interleave(self, a: Self::Register, b: Self::Register) -> (Self::Register, Self::Register);

    /// The low four bits of each byte, or the high four.
    fn nibbles(self, v: Self::Register, is_high: bool) -> Self::Register;
    /// In each 16-byte lane the bytes of `table` that the bytes of `numbers` number, all below sixteen.
    fn entries(self, table: Self::Register, numbers: Self::Register) -> Self::Register;
    /// Transposes four registers' 4 x 4 pairs of bytes in each eight bytes: pair `i` of register `k` is pair `k` of register `i`.
    fn transpose_pairs(self, v: [Self::Register; 4]) -> [Self::Register; 4];
    /// Byte `4 p + l` in place `p` of lane `l`, as [`Self::deal`] has words' bytes.
    fn spread(self, v: Self::Register) -> Self::Register;

    /// The bytes of 64 words of two, register `i` holding byte `i` of each: word `4 p + l` in place `p` of lane `l`, from where
    /// [`Self::transpose`] takes words of sixteen registers to their places in memory.
    fn deal(self, words: &[[u8; 2]; 64]) -> [Self::Register; 2];

    /// Transposes each 8 x 8 bits, the last byte taken for the first: bit `i` of byte `k` is bit `k` of byte `7 - i`.
    #[inline(always)]
    fn transpose_bits(self, v: Self::Register) -> Self::Register {
        self.functionals(v, 0x8040_2010_0804_0201)
    }

    /// Of each register the sum of its eight words of eight bytes, in order.
    fn sum_words(self, v: [Self::Register; 8]) -> Self::Register;

    /// Sixteen registers as they come in memory.
    #[inline(always)]
    fn load_block(self, src: &[[u8; 64]; 16]) -> [Self::Register; 16] {
        let mut block = [self.load_bytes(&src[0]); 16];
        for (v, src) in block.iter_mut().zip(src) {
            *v = self.load_bytes(src);
        }
        block
    }

    #[inline(always)]
    fn store_block(self, dst: &mut [[u8; 64]; 16], block: [Self::Register; 16]) {
        for (dst, v) in dst.iter_mut().zip(block) {
            self.store_bytes(dst, v);
        }
    }

    /// Transposes the 16 x 16 bytes of each lane: register `i` then holds byte `i` of 64 words of
    /// 16 bytes, in an order that a second transposition undoes.
    ///
    /// One rotation moves the eight bits of a byte's position (register, byte) by one place; four
    /// of them exchange the two halves.
    #[inline(always)]
    fn transpose(self, block: [Self::Register; 16]) -> [Self::Register; 16] {
        self.rotate(self.rotate(self.rotate(self.rotate(block))))
    }

    /// Interleaves registers `i` and `i + 8` into `2 i` and `2 i + 1`.
    #[inline(always)]
    fn rotate(self, b: [Self::Register; 16]) -> [Self::Register; 16] {
        // Written out, so that the block stays in registers.
        let (r0, r1) = self.interleave(b[0], b[8]);
        let (r2, r3) = self.interleave(b[1], b[9]);
        let (r4, r5) = self.interleave(b[2], b[10]);
        let (r6, r7) = self.interleave(b[3], b[11]);
        let (r8, r9) = self.interleave(b[4], b[12]);
        let (r10, r11) = self.interleave(b[5], b[13]);
        let (r12, r13) = self.interleave(b[6], b[14]);
        let (r14, r15) = self.interleave(b[7], b[15]);
        [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, r13, r14, r15]
    }
}

/// The byte lanes of a processor that has none.
#[derive(Clone, Copy)]
pub(crate) enum NoByteLanes {}

impl ByteLanes for NoByteLanes {
    type Register = ();

    fn load_bytes(self, _src: &[u8; 64]) {
        match self {}
    }

    fn store_bytes(self, _dst: &mut [u8; 64], _v: ()) {
        match self {}
    }

    fn xor_bytes(self, _a: (), _b: ()) {
        match self {}
    }

    fn affine(self, _v: (), _matrix: u64) {
        match self {}
    }

    fn affine_each(self, _v: (), _matrices: ()) {
        match self {}
    }

    fn functionals(self, _v: (), _rows: u64) {
        match self {}
    }

    fn mul_bytes(self, _a: (), _b: ()) {
        match self {}
    }

    fn invert_bytes(self, _v: ()) {
        match self {}
    }

    fn interleave(self, _a: (), _b: ()) -> ((), ()) {
        match self {}
    }

    fn nibbles(self, _v: (), _is_high: bool) {
        match self {}
    }

    fn entries(self, _table: (), _numbers: ()) {
        match self {}
    }

    fn transpose_pairs(self, _v: [(); 4]) -> [(); 4] {
        match self {}
    }

    fn spread(self, _v: ()) {
        match self {}
    }

    fn deal(self, _words: &[[u8; 2]; 64]) -> [(); 2] {
        match self {}
    }

    fn sum_words(self, _v: [(); 8]) {
        match self {}
    }
}
