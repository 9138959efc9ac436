//! Bucket accumulation, table look-up and bit planes.

use super::Lanes;
use crate::F128;

/// `bins[index[i]] += weights[i]`.
#[inline(always)]
pub(crate) fn histogram<const N: usize>(
    _isa: impl Lanes<N>,
    bins: &mut [F128],
    index: &[u8],
    weights: &[F128],
) {
    for (&i, &w) in index.iter().zip(weights) {
        bins[usize::from(i)] += w;
    }
}

/// `dst[i] = table[index[i]]`.
#[inline(always)]
pub(crate) fn gather<const N: usize>(
    _isa: impl Lanes<N>,
    dst: &mut [F128],
    table: &[F128],
    index: &[u8],
) {
    for (d, &i) in dst.iter_mut().zip(index) {
        *d = table[usize::from(i)];
    }
}

/// Bit `plane` of each byte, packed least significant bit first.
#[inline(always)]
pub(crate) fn pack_plane<const N: usize>(
    isa: impl Lanes<N>,
    dst: &mut [F128],
    bytes: &[u8],
    plane: u32,
) {
    let (words, tail) = bytes.as_chunks::<128>();
    let (d, d_tail) = dst.split_at_mut(words.len());
    for (d, word) in d.iter_mut().zip(words) {
        *d = pack_word(isa, word, plane);
    }
    if let [d, ..] = d_tail {
        let mut word = [0; 128];
        word[..tail.len()].copy_from_slice(tail);
        *d = pack_word(isa, &word, plane);
    }
}

#[inline(always)]
fn pack_word<const N: usize>(isa: impl Lanes<N>, bytes: &[u8; 128], plane: u32) -> F128 {
    let (halves, _) = bytes.as_chunks::<64>();
    let low = isa.plane(&halves[0], plane);
    let high = isa.plane(&halves[1], plane);
    F128::new(u128::from(low) | u128::from(high) << 64)
}
