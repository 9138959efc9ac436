//! The tables of codes, and the bases of the bits of distances.

use core::ops::Range;

use binfer_field::{F128, kernels};

use super::steps::{Column, Steps};
use super::{Code, Kind, Thresholds};
use crate::argument::listed::Listed;
use crate::argument::remembered::Powers;
use crate::argument::tables::{Bases, squares};

impl Thresholds {
    /// The exponents of column `c`'s entries: `lo*` and `-target`.
    pub(in crate::argument) fn exponents(&self, c: usize) -> Listed {
        let step = self.steps.column(c);
        let span = i128::from(step.unit) << self.reach_in(step);
        let ends = ((i128::from(self.groups()) + 1) << self.steps.spare_bits) - 1;
        let mut listed = Listed { of_h: [0; 256], of_k: [0; 256] };
        let exponents = listed.of_h.iter_mut().zip(&mut listed.of_k);
        for (q, (of_h, of_k)) in (0..=u8::MAX).zip(exponents) {
            let Code { low, kind } = step.code(q);
            (*of_h, *of_k) = match kind {
                Kind::First => (i128::from(low) - span, -ends),
                Kind::Inner(target) => (low.into(), -i128::from(target)),
                Kind::Last => (low.into(), -ends),
                Kind::Never => (low.into(), 1),
            };
        }
        listed
    }

    /// `h^(lo*[q]) k^(-target[q])` code by code: calls `each(q, values)` with one value a column of `columns`.
    ///
    /// Neighbouring codes differ by few distinct amounts, so most rows take two products a column.
    pub(crate) fn code_rows(
        &self,
        h: Bases<'_>,
        k: Bases<'_>,
        columns: Range<usize>,
        mut each: impl FnMut(usize, &[F128]),
    ) {
        let (h, k) = (h.of(columns.clone()), k.of(columns.clone()));
        let is_shared = self.are_shared();
        let steps = if is_shared { &self.steps.columns[..] } else { &self.steps.columns[columns] };
        let (span, end) = self.end_factors(h, k, steps);
        let powers = if is_shared { Powers::of_all } else { Powers::of_each };
        let (mut of_h, mut of_k) = (powers(h), powers(k));
        let mut power = vec![F128::ONE; h.h.len()];
        let mut row = power.clone();
        let mut lows = vec![0i128; steps.len()];
        for q in 0..=255 {
            let codes: Vec<Code> = steps.iter().map(|step| step.code(q)).collect();
            kernels::mul_assign(&mut power, of_h.get(|c| i128::from(codes[c].low) - lows[c]));
            kernels::mul(&mut row, &power, of_k.get(|c| self.lowered(codes[c].kind)));
            lows.iter_mut().zip(&codes).for_each(|(low, code)| *low = code.low.into());
            match &codes[..] {
                [all] => {
                    if matches!(all.kind, Kind::First | Kind::Last) {
                        kernels::mul_assign(&mut row, &end);
                    }
                    if all.kind == Kind::First {
                        kernels::mul_assign(&mut row, &span);
                    }
                }
                codes => {
                    let columns = row.iter_mut().zip(codes).zip(span.iter().zip(&end));
                    for ((value, code), (&span, &end)) in columns {
                        match code.kind {
                            Kind::First => *value *= span * end,
                            Kind::Last => *value *= end,
                            _ => {}
                        }
                    }
                }
            }
            each(q.into(), &row);
        }
    }

    /// The exponent of `k` in a code's entry, of an end's that of `t` bits of `c` alone.
    fn lowered(&self, kind: Kind) -> i128 {
        let target = match kind {
            Kind::Inner(target) => target,
            Kind::First | Kind::Last => (1u64 << self.steps.spare_bits) - 1,
            Kind::Never => return 1,
        };
        -i128::from(target)
    }

    /// `h^(-U 2^m)`, for first codes, and `k^(-2^t g)`, which ends' entries have besides.
    fn end_factors(&self, h: Bases<'_>, k: Bases<'_>, steps: &[Column]) -> (Vec<F128>, Vec<F128>) {
        let span = |step: &Column| -(i128::from(step.unit) << self.reach_in(step));
        let span = match steps {
            [all] => h.pow_all(span(all)),
            steps => steps.iter().enumerate().map(|(c, step)| h.pow(c, span(step))).collect(),
        };
        (span, k.pow_all(-(i128::from(self.groups()) << self.steps.spare_bits)))
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
                let columns = columns.iter().enumerate();
                columns.map(|(c, column)| h.pow(c, column.unit.into())).collect()
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
                let power = |(c, (column, &power)): (usize, (&Column, &F128))| {
                    let weight = column.weight(i);
                    if weight == whole { power } else { h.pow(c, weight.into()) }
                };
                columns.iter().zip(powers).enumerate().map(power).collect()
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
