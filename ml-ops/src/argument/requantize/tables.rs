//! The tables of codes, and the bases of the bits of distances.

use binfer_field::{F128, kernels};

use super::steps::{Column, Steps};
use super::{Code, Kind, Thresholds};
use crate::argument::listed::Listed;
use crate::argument::tables::{Bases, squares};

impl Thresholds {
    /// The exponents of column `c`'s entries.
    pub(in crate::argument) fn exponents(&self, c: usize) -> Listed {
        let step = self.steps.column(c);
        let both: [_; 256] = core::array::from_fn(|q| self.of_code(step, q as u8));
        Listed { of_h: both.map(|(of_h, _)| of_h), of_k: both.map(|(_, of_k)| of_k) }
    }

    /// The exponents of `h` and `k` in a code's entry: `lo*` and `-target`.
    pub(super) fn of_code(&self, step: &Column, q: u8) -> (i128, i128) {
        let Code { low, kind } = step.code(q);
        let low = low.into();
        let ends = || ((i128::from(self.groups()) + 1) << self.steps.spare_bits) - 1;
        match kind {
            Kind::First => (low - (i128::from(step.unit) << self.reach_in(step)), -ends()),
            Kind::Inner(target) => (low, -i128::from(target)),
            Kind::Last => (low, -ends()),
            Kind::Never => (low, 1),
        }
    }

    /// What each bit of a distance that is set multiplies into its row: for each bit, lowest first, one a column. Where a group of
    /// bits of `e` is not zero, there is a [gate](Self::gate) besides.
    pub(crate) fn bit_bases(&self, h: Bases<'_>, k: &[F128]) -> Vec<Vec<F128>> {
        let Steps { common_bits, spare_bits, .. } = *self.steps;
        let of_h = squares(h.h, 0, common_bits.max(spare_bits) as usize);
        let of_k = squares(k, 0, self.rest_bits() as usize);
        let product = |a: &[F128], b: &[F128]| {
            let mut out = a.to_vec();
            kernels::mul_assign(&mut out, b);
            out
        };
        let common = (0..common_bits).zip(&of_h).map(|(i, powers)| self.weighted(h, i, powers));
        let spare = (0..spare_bits as usize).map(|i| product(&of_h[i], &of_k[i]));
        let mut units = squares(&self.units(h), 0, self.reach as usize);
        (0..self.reach).zip(&mut units).for_each(|(i, units)| self.cap(i, units));
        units.into_iter().chain(common).chain(spare).chain(of_k.iter().cloned()).collect()
    }

    /// `k^(2^t)`.
    pub(crate) fn gate(&self, k: &[F128]) -> Vec<F128> {
        let mut gate = k.to_vec();
        kernels::frobenius(&mut gate, self.steps.spare_bits);
        gate
    }

    /// `h^U`.
    fn units(&self, h: Bases<'_>) -> Vec<F128> {
        match &self.steps.columns[..] {
            [all] => h.pow_all(all.unit.into()),
            columns => {
                let units = columns.iter().enumerate().map(|(c, column)| (c, column.unit.into()));
                h.pow_each(&units.collect::<Vec<_>>())
            }
        }
    }

    /// `h^weight` of bit `i` of `u`, given `h^(2^i)`.
    fn weighted(&self, h: Bases<'_>, i: u32, powers: &[F128]) -> Vec<F128> {
        let whole = 1 << i;
        match &self.steps.columns[..] {
            [all] if all.weight(i) == whole => powers.to_vec(),
            [all] => h.pow_all(all.weight(i).into()),
            columns => {
                let weights = columns.iter().map(|column| column.weight(i)).enumerate();
                let others = weights.filter(|&(_, weight)| weight != whole);
                let pairs: Vec<_> = others.map(|(c, weight)| (c, weight.into())).collect();
                let mut weighted = powers.to_vec();
                for (&(c, _), power) in pairs.iter().zip(h.pow_each(&pairs)) {
                    weighted[c] = power;
                }
                weighted
            }
        }
    }

    /// Bit `i` of `e` weighs nothing in columns that do not reach so far.
    fn cap(&self, i: u32, values: &mut [F128]) {
        let columns = &self.steps.columns;
        if columns.len() == 1 {
            return;
        }
        let far = values.iter_mut().zip(columns).filter(|(_, column)| i >= column.most_reach);
        far.for_each(|(value, _)| *value = F128::ONE);
    }
}
