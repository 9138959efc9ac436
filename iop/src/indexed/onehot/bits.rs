//! Stage 2 on one tile: `sum_y eq(w, y) sum_t mu^t prod_{s in t} (1 + sigma_s + b_s(z, y))`.

use binfer_field::{F128, kernels};
use rayon::prelude::*;

use super::{DEGREE, NIBBLE};
use crate::buffer::Buffer;
use crate::sumcheck::{EqFactored, Instance, Shape};

/// Variables of the weights that a chunk shares.
const CHUNK_VARS: usize = 7;

/// Parallel tasks of a pass.
const TASKS: usize = 16;

/// The instance; variables are bound highest first.
pub(super) struct BitProduct {
    left: usize,
    n_vars: usize,
    /// `1 + sigma_s + b_s(z, y)` for each bit, nibble by nibble: of `2^n_vars` elements each, bound at their beginnings.
    factors: Buffer,
    mu: F128,
    w: Vec<F128>,
    factored: EqFactored,
    /// Those of the next round.
    coefficients: [F128; DEGREE],
}

impl BitProduct {
    /// The instance of `n_factors` factors: `fill(s, first, out)` makes elements of factor `s` from `first` on, as many
    /// as `out` holds.
    pub(super) fn new(
        n_factors: usize,
        fill: impl Fn(usize, usize, &mut [F128]) + Sync,
        mu: F128,
        w: Vec<F128>,
    ) -> Self {
        let n_vars = w.len();
        let mut factors = Buffer::unspecified(n_factors << n_vars);
        let all = factors.chunks_mut(1 << n_vars).collect();
        let coefficients = coefficients(all, &w, mu, fill);
        let sum = if let Some(&z) = w.last() {
            coefficients[0] + z * (coefficients[0] + kernels::sum(&coefficients))
        } else {
            let nibble = |bits: &[F128]| bits.iter().copied().product::<F128>();
            factors.chunks(NIBBLE).rev().fold(F128::ZERO, |sum, bits| sum * mu + nibble(bits))
        };
        Self { left: n_vars, n_vars, factors, mu, w, factored: EqFactored::new(sum), coefficients }
    }

    /// The bits' factors at the bound point.
    pub(super) fn values(&self) -> impl Iterator<Item = F128> + '_ {
        debug_assert_eq!(self.left, 0);
        self.factors.iter().step_by(1 << self.n_vars).copied()
    }
}

/// The coefficients of the cofactor of eq over the variables `w`, in one pass that also makes the factors' elements with
/// `fill(s, first, out)`; zeros if no variable is left.
fn coefficients(
    mut factors: Vec<&mut [F128]>,
    w: &[F128],
    mu: F128,
    fill: impl Fn(usize, usize, &mut [F128]) + Sync,
) -> [F128; DEGREE] {
    let Some(rest) = w.len().checked_sub(1) else {
        factors.iter_mut().enumerate().for_each(|(s, factor)| fill(s, 0, factor));
        return [F128::ZERO; DEGREE];
    };
    let (inner, outer) = w[..rest].split_at(rest.min(CHUNK_VARS));
    let (inner, outer) = (kernels::eq_table(inner), kernels::eq_table(outer));
    let len = inner.len();
    let ones = vec![F128::ONE; len];
    let chunks_a_task = outer.len().div_ceil(TASKS);
    let task = len * chunks_a_task;
    // Of each task both halves of each factor.
    let mut tasks: Vec<Vec<[&mut [F128]; 2]>> =
        outer.chunks(chunks_a_task).map(|_| Vec::with_capacity(factors.len())).collect();
    for factor in factors {
        let (lo, hi) = factor.split_at_mut(1 << rest);
        let halves = lo.chunks_mut(task).zip(hi.chunks_mut(task));
        tasks.iter_mut().zip(halves).for_each(|(task, (lo, hi))| task.push([lo, hi]));
    }
    let sums = tasks.into_par_iter().zip(outer.par_chunks(chunks_a_task)).enumerate().map(
        |(t, (mut factors, outer))| {
            let mut total = [F128::ZERO; DEGREE];
            for (chunk, &weight) in outer.iter().enumerate() {
                let at = chunk * len..(chunk + 1) * len;
                for (s, halves) in factors.iter_mut().enumerate() {
                    for (side, half) in halves.iter_mut().enumerate() {
                        fill(s, (side << rest) + t * task + at.start, &mut half[at.clone()]);
                    }
                }
                let mut of_chunk = [F128::ZERO; DEGREE];
                for nibble in factors.chunks(NIBBLE).rev() {
                    // A nibble of fewer bits has ones for the others.
                    let half = |side: usize| {
                        core::array::from_fn(|s| {
                            nibble.get(s).map_or(&ones[..], |halves| &halves[side][at.clone()])
                        })
                    };
                    let sums = kernels::quartic_round(&inner, half(0), half(1));
                    for (total, sum) in of_chunk.iter_mut().zip(sums) {
                        *total = *total * mu + sum;
                    }
                }
                kernels::add_scaled(&mut total, &of_chunk, weight);
            }
            total
        },
    );
    sums.reduce(|| [F128::ZERO; DEGREE], |a, b| core::array::from_fn(|i| a[i] + b[i]))
}

impl Instance for BitProduct {
    fn shape(&self) -> Shape {
        Shape { n_vars: self.n_vars, degree: DEGREE }
    }

    fn round(&mut self) -> Vec<F128> {
        let [constant, rest @ ..] = self.coefficients;
        let at_one = constant + rest.iter().copied().sum();
        self.factored.round(self.w[self.left - 1], (at_one, &rest[1..]), Some(constant))
    }

    fn bind(&mut self, r: F128) {
        self.factored.bind(Some(self.w[self.left - 1]), r);
        self.left -= 1;
        let half = 1 << self.left;
        let factors = self.factors.chunks_mut(1 << self.n_vars);
        let halves = factors.map(|values| values[..2 * half].split_at_mut(half));
        let (lower, upper): (Vec<_>, Vec<_>) = halves.unzip();
        self.coefficients = coefficients(lower, &self.w[..self.left], self.mu, |s, first, out| {
            kernels::fold(out, &upper[s][first..][..out.len()], r);
        });
    }
}
