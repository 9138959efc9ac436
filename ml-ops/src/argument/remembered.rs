//! Powers of bases for exponents that come back: steps between neighbouring entries of a table.

use binfer_field::{F128, kernels};

use super::tables::Bases;

/// Exponents in an order in which some come back.
pub(super) struct Exponents {
    /// Ascending.
    distinct: Vec<i128>,
    /// Which of those each one is.
    places: Vec<usize>,
}

impl Exponents {
    pub(super) fn new(exponents: impl Iterator<Item = i128>) -> Self {
        let all: Vec<i128> = exponents.collect();
        let mut distinct = all.clone();
        distinct.sort_unstable();
        distinct.dedup();
        let place = |&exponent| distinct.partition_point(|&known| known < exponent);
        let places = all.iter().map(place).collect();
        Self { distinct, places }
    }

    /// The `i`-th.
    #[cfg(feature = "prover")]
    pub(super) fn get(&self, i: usize) -> i128 {
        self.distinct[self.places[i]]
    }
}

/// Powers of bases for exponents that all bases have in common.
pub(super) struct Powers<'e> {
    exponents: &'e Exponents,
    /// A block a distinct exponent.
    values: Vec<F128>,
}

/// Most exponents whose powers are made each by itself: more than there are steps between products of two digits.
pub(super) const FEW: usize = 32;

impl<'e> Powers<'e> {
    /// Those for all exponents, of many each from the last, by digits of the difference.
    pub(super) fn new(bases: Bases<'_>, exponents: &'e Exponents) -> Self {
        let distinct = &exponents.distinct;
        let are_many = distinct.len() > FEW;
        let mut digits = DigitPowers { base: bases.h.to_vec(), places: Vec::new() };
        let mut values: Vec<F128> = Vec::with_capacity(distinct.len() * bases.h.len());
        let mut last = None;
        for &exponent in distinct {
            let difference = last.map(|last| exponent - last).filter(|d| d >> DIFFERENCE_BITS == 0);
            match difference {
                Some(difference) if are_many => {
                    let start = values.len();
                    values.extend_from_within(start - bases.h.len()..);
                    digits.mul_powers(difference, &mut values[start..]);
                }
                _ => values.extend(bases.pow_all(exponent)),
            }
            last = Some(exponent);
        }
        Self { exponents, values }
    }

    /// One power a base, for the `i`-th exponent.
    pub(super) fn get(&self, i: usize) -> &[F128] {
        let n = self.values.len() / self.exponents.distinct.len();
        let place = self.exponents.places[i];
        &self.values[place * n..(place + 1) * n]
    }
}

/// Differences of exponents that are taken by digits.
const DIFFERENCE_BITS: u32 = 32;

/// Powers of bases for digits in base 16, made as they are asked for.
struct DigitPowers {
    /// The bases to the power of the next place.
    base: Vec<F128>,
    /// Of each place those of the digits from one, a block a digit.
    places: Vec<Vec<F128>>,
}

impl DigitPowers {
    /// Multiplies each value by its base to the power of `exponent`, which is not negative.
    fn mul_powers(&mut self, mut exponent: i128, values: &mut [F128]) {
        let n = values.len();
        for place in 0.. {
            let digit = (exponent & 15) as usize;
            if exponent == 0 {
                return;
            }
            if place == self.places.len() {
                let mut powers = self.base.clone();
                for d in 1..15 {
                    powers.extend_from_within((d - 1) * n..);
                    kernels::mul_assign(&mut powers[d * n..], &self.base);
                }
                kernels::frobenius(&mut self.base, 4);
                self.places.push(powers);
            }
            if digit > 0 {
                kernels::mul_assign(values, &self.places[place][(digit - 1) * n..digit * n]);
            }
            exponent >>= 4;
        }
    }
}
