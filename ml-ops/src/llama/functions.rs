//! Functions of floats that every machine computes alike.

use std::f64::consts::PI;

use crate::exact::{exp, ln};

/// Terms of the series of sine and cosine, whose remainder on `[-pi, pi]` is below the rounding of `f64`.
const TERMS: u32 = 16;

/// `x / (1 + e^-x)`.
pub(super) fn silu(x: f64) -> f64 {
    let e = exp(-x.abs());
    if x < 0.0 { x * e / (1.0 + e) } else { x / (1.0 + e) }
}

/// `e^x`, for `x` of at most 700 in size.
pub(super) fn power(x: f64) -> f64 {
    if x > 0.0 { 1.0 / exp(-x) } else { exp(x) }
}

/// Sine and cosine of an angle of moderate size.
pub(super) fn sin_cos(angle: f64) -> (f64, f64) {
    let x = angle - 2.0 * PI * (angle / (2.0 * PI)).round_ties_even();
    let square = x * x;
    let series = |first: f64, odd: u32| {
        (1..=TERMS).rev().fold(1.0, |sum, n| {
            let (a, b) = (f64::from(2 * n - 1 + odd), f64::from(2 * n + odd));
            1.0 - sum * square / (a * b)
        }) * first
    };
    (series(x, 1), series(1.0, 0))
}

/// Sines and cosines of the angles by which each of `pairs` pairs is rotated, at each of so many positions.
pub(super) fn rotations(base: f64, pairs: usize, positions: usize) -> Vec<Vec<(f64, f64)>> {
    let turns: Vec<f64> = (0..pairs).map(|pair| frequency(base, pair, pairs)).collect();
    let at = |position: usize| turns.iter().map(|turn| sin_cos(position as f64 * turn)).collect();
    (0..positions).map(at).collect()
}

/// A number whose size is near `knee at` for small `at`, and grows by a ratio beyond.
pub(super) fn spread(knee: f64, at: f64) -> f64 {
    let size = knee * (power(at.abs()) - 1.0);
    if at < 0.0 { -size } else { size }
}

/// Angle by which pair `pair` of `pairs` is rotated a position.
fn frequency(base: f64, pair: usize, pairs: usize) -> f64 {
    exp(-ln(base) * pair as f64 / pairs as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_those_of_the_library_to_rounding() {
        for n in -4000..4000 {
            let x = f64::from(n) * 0.0137;
            let (sin, cos) = sin_cos(x);
            assert!((sin - x.sin()).abs() < 1e-13 && (cos - x.cos()).abs() < 1e-13, "{x}");
            assert!((silu(x) - x / (1.0 + (-x).exp())).abs() < 1e-13 * (1.0 + x.abs()), "{x}");
            assert!((power(x) / x.exp() - 1.0).abs() < 1e-13, "{x}");
        }
        assert!((frequency(100_000.0, 5, 32) - 100_000f64.powf(-10.0 / 64.0)).abs() < 1e-14);
    }
}
