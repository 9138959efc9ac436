//! The univariate round's domain: a 64-element subspace of the subfield GF(2^8).
//!
//! `g` is a root of `x^8 + x^4 + x^3 + x^2 + 1`, so `1, g, ..., g^7` is a basis of GF(2^8) over GF(2).
//! The domain `D` is spanned by the first six powers and the coset is `D + g^6`: extensions of bits
//! from `D` to the coset are bytes. The first three coordinates of the zerocheck point are
//! `g, g^2, g^4`: the entries of their eq table span the same space as the products
//! `1, g, g^2, ..., g^7`, hence are linearly independent over GF(2), and a sum of **bits** weighted by
//! them is zero only if every bit is. These three variables cost no soundness.

#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use binfer_field::F128;

/// Variables of the univariate round.
pub(super) const LOG_SIZE: usize = 6;
/// Positions of the univariate round.
pub(super) const SIZE: usize = 1 << LOG_SIZE;
/// The degree of the univariate round polynomial, at most.
pub(super) const DEGREE: usize = 2 * SIZE - 1;
/// Coordinates of the zerocheck point that are constants.
pub(super) const N_FIXED: usize = 3;

/// `g`.
pub(super) const GENERATOR: F128 = F128::new(0x053d_8555_a997_9a1c_a13f_e8ac_5560_ce0c);

/// `1, g, ..., g^7`.
pub(super) fn basis() -> [F128; 8] {
    let mut power = F128::ONE;
    core::array::from_fn(|_| {
        let next = power * GENERATOR;
        core::mem::replace(&mut power, next)
    })
}

/// The elements of `D`; bit `i` of the index is the coefficient of `g^i`.
pub(super) fn points() -> [F128; SIZE] {
    let basis = basis();
    core::array::from_fn(|d| {
        let chosen = basis.iter().enumerate().filter(|(i, _)| d >> i & 1 == 1);
        chosen.map(|(_, &b)| b).sum()
    })
}

/// The coset's shift, `g^6`.
pub(super) fn shift() -> F128 {
    let [.., shift, _] = basis();
    shift
}

/// The zerocheck point's constant coordinates, `g, g^2, g^4`.
pub(super) fn fixed_point() -> [F128; N_FIXED] {
    let square = GENERATOR.square();
    [GENERATOR, square, square.square()]
}

/// `Z(x) = prod_{d in D} (x + d)`.
pub(super) fn vanishing(x: F128) -> F128 {
    points().into_iter().map(|d| x + d).product()
}

/// The Lagrange basis of `D` at `x`, in the order of [`points`].
pub(super) fn lagrange(x: F128) -> [F128; SIZE] {
    let points = points();
    // L_d(x) = prod_{e != d} (x + e) / prod_{e != 0} e, the numerator from both sides.
    let denominator: F128 = points.iter().skip(1).copied().product();
    let mut before = denominator.invert();
    let mut values = points.map(|d| {
        let next = before * (x + d);
        core::mem::replace(&mut before, next)
    });
    let mut after = F128::ONE;
    for (value, &d) in values.iter_mut().zip(&points).rev() {
        *value *= after;
        after *= x + d;
    }
    values
}

/// The weights of the values on the coset in `P(z)`, for `P` of degree at most 127 that vanishes on
/// `D`: `P(z) = Z(z) / Z(g^6) * sum_d L_d(z + g^6) P(d + g^6)`.
pub(super) fn coset_weights(z: F128) -> [F128; SIZE] {
    let ratio = vanishing(z) * vanishing(shift()).invert();
    lagrange(z + shift()).map(|l| l * ratio)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generator_is_a_root_of_its_polynomial() {
        let g = GENERATOR;
        assert!((g.pow(8) + g.pow(4) + g.pow(3) + g.pow(2) + F128::ONE).is_zero());
    }

    #[test]
    fn lagrange_basis_interpolates_on_and_off_the_domain() {
        let points = points();
        for (i, &x) in points.iter().enumerate() {
            for (j, l) in lagrange(x).into_iter().enumerate() {
                assert_eq!(l, if i == j { F128::ONE } else { F128::ZERO });
            }
        }
        let x = F128::new(0x1234_5678_9abc_def0 << 50);
        for exponent in [0, 1, 17, 63] {
            let sum: F128 =
                lagrange(x).iter().zip(&points).map(|(&l, d)| l * d.pow(exponent)).sum();
            assert_eq!(sum, x.pow(exponent));
        }
    }

    #[test]
    fn coset_values_determine_a_multiple_of_the_vanishing_polynomial() {
        let cofactor = |x: F128| x.pow(63) + x.pow(5) * F128::new(77) + F128::new(9);
        let polynomial = |x: F128| vanishing(x) * cofactor(x);
        let z = F128::new(3 << 99);
        let sum: F128 =
            coset_weights(z).iter().zip(points()).map(|(&w, d)| w * polynomial(d + shift())).sum();
        assert_eq!(sum, polynomial(z));
    }

    #[test]
    fn fixed_coordinates_have_an_independent_eq_table() {
        let table = binfer_field::kernels::eq_table(&fixed_point());
        for subset in 1u32..256 {
            let chosen = table.iter().enumerate().filter(|(i, _)| subset >> i & 1 == 1);
            assert!(!chosen.map(|(_, &e)| e).sum::<F128>().is_zero());
        }
    }
}
