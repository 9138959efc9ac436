//! Factors of rows as exponents of their products: their bits, and the weights that these make of claims.
//!
//! The products `P_i` of rows and those of the outputs, `Q_i`, are to satisfy `P_i^(f_i) = Q_i`. With `m` such that `f_i + 2^m` is
//! never negative (where some `f_i` is), and `b_s(i)` the bits of that, it is
//!
//! `prod_s (1 + b_s(i) (P_i + 1)^(2^s)) = Q_i P_i^(2^m)`.

use binfer_field::{F128, kernels};

use crate::argument::bases::frobenius_points;

/// Factors of rows.
pub(crate) struct RowFactors {
    /// The factors, plus `2^shift`.
    exponents: Vec<u64>,
    /// Bits of an exponent, at least one.
    pub(crate) bits: u32,
    /// `m`, if some factor is negative.
    pub(crate) shift: Option<u32>,
}

impl RowFactors {
    /// Those of a valid graph, at most `2^31` in size.
    pub(super) fn new(factors: &[i64]) -> Self {
        let least = factors.iter().copied().min().unwrap_or(0);
        let shift = (least < 0).then(|| least.unsigned_abs().next_power_of_two().trailing_zeros());
        let more = shift.map_or(0, |shift| 1i64 << shift);
        let exponents: Vec<u64> =
            factors.iter().map(|factor| factor.saturating_add(more).unsigned_abs()).collect();
        let most = exponents.iter().copied().max().unwrap_or(0);
        Self { exponents, bits: (u64::BITS - most.leading_zeros()).max(1), shift }
    }

    /// How many claims on powers of the products the factors make.
    pub(crate) fn claims(&self) -> usize {
        (self.bits as usize).saturating_add(usize::from(self.shift.is_some()))
    }

    /// How many powers `(P_i + 1)^(2^s)` the relation has, from `s = 0` on.
    pub(crate) fn powers(&self) -> u32 {
        self.bits.max(self.shift.map_or(0, |shift| shift.saturating_add(1)))
    }

    /// Bit `s` of the exponent of each row.
    pub(crate) fn bit(&self, s: u32) -> impl Iterator<Item = bool> {
        self.exponents.iter().map(move |exponent| exponent >> s & 1 == 1)
    }

    /// What each `P_i + 1` weighs in the sum, by powers of `rho`, of the claims that a claim at `tau` becomes: on
    /// `sum_i eq(tau^(2^-s), i) b_s(i) (P_i + 1)` for each bit, and without bits for `m`.
    pub(crate) fn weights(&self, tau: &[F128], rho: F128) -> Vec<F128> {
        let points = frobenius_points(tau, self.powers());
        let mut weights = vec![F128::ZERO; self.exponents.len()];
        let mut power = F128::ONE;
        for (s, point) in (0..self.bits).zip(&points) {
            let eq = kernels::eq_table(point);
            for ((weight, eq), is_set) in weights.iter_mut().zip(eq).zip(self.bit(s)) {
                if is_set {
                    *weight += power * eq;
                }
            }
            power *= rho;
        }
        if let Some(point) = self.shift.and_then(|shift| points.get(shift as usize)) {
            let eq = kernels::eq_table(point);
            weights.iter_mut().zip(eq).for_each(|(weight, eq)| *weight += power * eq);
        }
        weights
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_the_factors_but_for_a_shift() {
        for (factors, bits, shift) in [
            (&[0][..], 1, None),
            (&[1, 0, 6], 3, None),
            (&[-1, 1], 2, Some(0)),
            (&[-5, 3, 0], 4, Some(3)),
            (&[-(1 << 31), 1 << 31], 33, Some(31)),
        ] {
            let of = RowFactors::new(factors);
            assert_eq!((of.bits, of.shift), (bits, shift), "{factors:?}");
            let mut sums = vec![-shift.map_or(0, |shift: u32| 1i64 << shift); factors.len()];
            for s in 0..bits {
                sums.iter_mut().zip(of.bit(s)).for_each(|(sum, bit)| *sum += i64::from(bit) << s);
            }
            assert_eq!(sums, factors);
        }
    }
}
