//! Sums of field weights over the set bits of 64-bit blocks, eight blocks at a time.

use binfer_field::{F128, transpose_bits};

/// Block `x` of a plane: positions `64 x ..= 64 x + 63`, the first in bit 0.
#[inline]
pub(super) fn block(plane: &[F128], x: usize) -> u64 {
    (plane[x / 2].to_bits() >> (x % 2 * 64)) as u64
}

/// `sums[d] += sum_b weight_b * bit_d(blocks[b])`, the weights given by their [`subset_sums`](binfer_field::subset_sums).
#[inline]
pub(super) fn accumulate(sums: &mut [F128], subset_sums: &[F128; 256], blocks: &[u64; 8]) {
    let bytes = blocks.map(u64::to_le_bytes);
    for (j, sums) in sums.chunks_exact_mut(8).enumerate() {
        let rows = u64::from_le_bytes(core::array::from_fn(|b| bytes[b][j]));
        for (sum, byte) in sums.iter_mut().zip(transpose_bits(rows).to_le_bytes()) {
            *sum += subset_sums[usize::from(byte)];
        }
    }
}

#[cfg(test)]
mod tests {
    use binfer_field::subset_sums;

    use super::*;

    #[test]
    fn sums_follow_the_bits() {
        let weights: [F128; 8] = core::array::from_fn(|i| F128::new(1 << (9 * i) | 3));
        let blocks: [u64; 8] =
            core::array::from_fn(|i| 0x9e37_79b9_7f4a_7c15u64.rotate_left(13 * i as u32));
        let mut sums = vec![F128::ZERO; 64];
        accumulate(&mut sums, &subset_sums(&weights), &blocks);
        for (d, &sum) in sums.iter().enumerate() {
            let set = (0..8).filter(|&b| blocks[b] >> d & 1 == 1);
            assert_eq!(sum, set.map(|b| weights[b]).sum());
        }
    }
}
