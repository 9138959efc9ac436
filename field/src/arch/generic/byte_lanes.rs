//! Byte slicing: algorithms on sixteen registers, each holding one byte of 64 elements.

use super::Lanes;
use crate::F128;

/// A register of 64 bytes with affine maps and AES-field products of each byte.
///
/// The same promise as [`Lanes`]: a value proves that the instructions exist.
pub(crate) trait ByteLanes: Copy {
    type Register: Copy;

    fn load_bytes(self, src: &[u8; 64]) -> Self::Register;
    fn store_bytes(self, dst: &mut [u8; 64], v: Self::Register);
    fn xor_bytes(self, a: Self::Register, b: Self::Register) -> Self::Register;
    /// The image of each byte under a matrix over GF(2): bit `r` of the image is the parity of the
    /// bits that byte `7 - r` of `matrix` selects.
    fn affine(self, v: Self::Register, matrix: u64) -> Self::Register;
    /// The product of bytes in GF(2)[x] / (x^8 + x^4 + x^3 + x + 1).
    fn mul_bytes(self, a: Self::Register, b: Self::Register) -> Self::Register;
    /// Alternates the bytes of `a` and `b` in each 16-byte lane: the lower halves of the lanes in
    /// the first result, the upper halves in the second.
    fn interleave(self, a: Self::Register, b: Self::Register) -> (Self::Register, Self::Register);

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
        [
            r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, r13, r14, r15,
        ]
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

    fn mul_bytes(self, _a: (), _b: ()) {
        match self {}
    }

    fn interleave(self, _a: (), _b: ()) -> ((), ()) {
        match self {}
    }
}

/// Below this many elements a block of 64 costs more than they do one by one.
const WORTH_A_BLOCK: usize = 12;

/// `dst[i]` is the image of `src[i]` under a GF(2)-linear map, given by tables for each byte of the
/// argument and by matrices for each byte of argument and image.
#[inline(always)]
pub(crate) fn linear_map<const N: usize, L: Lanes<N>>(
    isa: L,
    dst: &mut [F128],
    src: &[F128],
    tables: &[[F128; 256]],
    blocks: &[[u64; 16]; 16],
) {
    let mut done = 0;
    if let Some(lanes) = isa.byte_lanes() {
        let (d, d_tail) = dst.as_chunks_mut::<64>();
        let (s, s_tail) = src.as_chunks::<64>();
        for (d, s) in d.iter_mut().zip(s) {
            map_block(lanes, d, s, blocks);
        }
        done = 64 * d.len();
        if s_tail.len() >= WORTH_A_BLOCK {
            let mut block = [F128::ZERO; 64];
            block[..s_tail.len()].copy_from_slice(s_tail);
            let copy = block;
            map_block(lanes, &mut block, &copy, blocks);
            d_tail.copy_from_slice(&block[..s_tail.len()]);
            done = dst.len();
        }
    }
    for (d, s) in dst[done..].iter_mut().zip(&src[done..]) {
        let mut image = F128::ZERO;
        for (table, byte) in tables.iter().zip(s.to_le_bytes()) {
            image += table[usize::from(byte)];
        }
        *d = image;
    }
}

#[inline(always)]
fn map_block<B: ByteLanes>(
    lanes: B,
    dst: &mut [F128; 64],
    src: &[F128; 64],
    blocks: &[[u64; 16]; 16],
) {
    let src = lanes.transpose(lanes.load_block(bytemuck::cast_ref(src)));
    let mut image = src;
    for (image, row) in image.iter_mut().zip(blocks) {
        *image = lanes.affine(src[0], row[0]);
        for i in 1..16 {
            *image = lanes.xor_bytes(*image, lanes.affine(src[i], row[i]));
        }
    }
    lanes.store_block(bytemuck::cast_mut(dst), lanes.transpose(image));
}
