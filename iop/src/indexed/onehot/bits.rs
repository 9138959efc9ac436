//! Stage 2 on one tile: `sum_y eq(w, y) sum_t mu^t prod_{s in t} (1 + sigma_s + b_s(z, y))`.

use binfer_field::{F128, kernels};
use rayon::prelude::*;

use super::{DEGREE, NIBBLE};
use crate::buffer::Buffer;
use crate::sumcheck::{EqFactored, Instance, Shape};

/// Variables of the weights that a chunk shares.
const CHUNK_VARS: usize = 7;

/// The instance; variables are bound highest first.
pub(super) struct BitProduct {
    left: usize,
    n_vars: usize,
    /// `1 + sigma_s + b_s(z, y)` for each bit, nibble by nibble.
    factors: Vec<Buffer>,
    mu: F128,
    w: Vec<F128>,
    factored: EqFactored,
    /// Those of the next round, where they are known.
    coefficients: Option<[F128; DEGREE]>,
}

impl BitProduct {
    /// The instance.
    pub(super) fn new(factors: Vec<Buffer>, mu: F128, w: Vec<F128>) -> Self {
        let n_vars = w.len();
        let factored = EqFactored::new(F128::ZERO);
        let mut this = Self { left: n_vars, n_vars, factors, mu, w, factored, coefficients: None };
        let sum = if let Some(&z) = this.w.last() {
            let coefficients = this.coefficients();
            this.coefficients = Some(coefficients);
            let at_one = kernels::sum(&coefficients);
            coefficients[0] + z * (coefficients[0] + at_one)
        } else {
            let nibble = |bits: &[Buffer]| bits.iter().map(|factor| factor[0]).product::<F128>();
            this.factors.chunks(NIBBLE).rev().fold(F128::ZERO, |sum, bits| sum * mu + nibble(bits))
        };
        this.factored = EqFactored::new(sum);
        this
    }

    /// The bits' factors at the bound point.
    pub(super) fn values(&self) -> impl Iterator<Item = F128> + '_ {
        debug_assert_eq!(self.left, 0);
        self.factors.iter().map(|factor| factor[0])
    }

    /// The coefficients of the cofactor of eq.
    fn coefficients(&self) -> [F128; DEGREE] {
        let rest = self.left - 1;
        let chunk_vars = rest.min(CHUNK_VARS);
        let len = 1 << chunk_vars;
        let inner = kernels::eq_table(&self.w[..chunk_vars]);
        let outer = kernels::eq_table(&self.w[chunk_vars..rest]);
        let ones = vec![F128::ONE; len];
        let sums = outer.par_iter().enumerate().map(|(chunk, &weight)| {
            let start = chunk * len;
            let mut total = [F128::ZERO; DEGREE];
            for nibble in self.factors.chunks(NIBBLE).rev() {
                // A nibble of fewer bits has ones for the others.
                let half = |start: usize| {
                    core::array::from_fn(|s| {
                        nibble.get(s).map_or(&ones[..], |f| &f[start..][..len])
                    })
                };
                let sums = kernels::quartic_round(&inner, half(start), half((1 << rest) + start));
                for (total, sum) in total.iter_mut().zip(sums) {
                    *total = *total * self.mu + sum;
                }
            }
            total.map(|t| t * weight)
        });
        sums.reduce(|| [F128::ZERO; DEGREE], |a, b| core::array::from_fn(|i| a[i] + b[i]))
    }
}

impl Instance for BitProduct {
    fn shape(&self) -> Shape {
        Shape { n_vars: self.n_vars, degree: DEGREE }
    }

    fn round(&mut self) -> Vec<F128> {
        let coefficients = self.coefficients.take();
        let [constant, rest @ ..] = coefficients.unwrap_or_else(|| self.coefficients());
        let at_one = constant + rest.iter().copied().sum();
        let high = rest[1..].to_vec();
        self.factored.round(self.w[self.left - 1], (at_one, high), Some(constant))
    }

    fn bind(&mut self, r: F128) {
        self.factored.bind(Some(self.w[self.left - 1]), r);
        self.left -= 1;
        let half = 1 << self.left;
        for values in &mut self.factors {
            let (lo, hi) = values.split_at_mut(half);
            kernels::fold(lo, hi, r);
            values.truncate(half);
        }
    }
}
