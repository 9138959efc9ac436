//! The univariate round's points: a subspace of the subfield GF(2^8).
//!
//! A point's number is its bits in [`Tower8`]. The first sixteen are the domain `D`, the subfield GF(2^4), on which positions lie; the
//! others are its cosets by one, two and three times the root that [`Tower8`] adjoins to it.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use binfer_field::coset::{self, embed};
use binfer_field::{F128, Tower8};

/// Variables of the univariate round.
pub(super) const LOG_SIZE: usize = coset::SIZE.ilog2() as usize;

/// Positions of the univariate round, `|D|`.
pub(super) const SIZE: usize = coset::SIZE;

/// Points at which the round polynomial is sent: four times as many as its degree in bits needs.
pub(super) const POINTS: usize = 4 * SIZE;

/// All points.
pub(super) fn points() -> [F128; POINTS] {
    let mut number = 0u8;
    [(); POINTS].map(|()| {
        let point = embed(Tower8::new(number));
        number = number.wrapping_add(1);
        point
    })
}

/// The Lagrange basis of the first `n` points at `x`, for a power of two `n`: these points are a subspace.
pub(super) fn lagrange(n: usize, x: F128) -> Vec<F128> {
    let points = points();
    let nodes = points.get(..n).unwrap_or(&points);
    // L_d(x) = prod_{e != d} (x + e) / prod_{e != 0} e, the numerator from both sides.
    let denominator: F128 = nodes.iter().skip(1).copied().product();
    let mut before = denominator.invert();
    let mut values = Vec::with_capacity(nodes.len());
    for &d in nodes {
        values.push(before);
        before *= x + d;
    }
    let mut after = F128::ONE;
    for (value, &d) in values.iter_mut().zip(nodes).rev() {
        *value *= after;
        after *= x + d;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lagrange_basis_interpolates_on_and_off_the_points() {
        let points = points();
        for n in [SIZE, POINTS] {
            let x = F128::new(0x1234_5678_9abc_def0 << 50);
            for exponent in [0, 1, 7, n as u128 - 1] {
                let values = lagrange(n, x).into_iter().zip(points);
                assert_eq!(values.map(|(l, d)| l * d.pow(exponent)).sum::<F128>(), x.pow(exponent));
            }
            let unit = lagrange(n, F128::ZERO);
            let expected = (0..n).map(|d| if d == 0 { F128::ONE } else { F128::ZERO });
            assert_eq!(unit, expected.collect::<Vec<_>>());
        }
    }
}
