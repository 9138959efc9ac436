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
}

impl BitProduct {
    /// The instance and its sum.
    pub(super) fn new(factors: Vec<Buffer>, mu: F128, w: Vec<F128>) -> (Self, F128) {
        let n_vars = w.len();
        let eq = kernels::eq_table(&w);
        let mut sum = F128::ZERO;
        for nibble in factors.chunks(NIBBLE).rev() {
            let mut product = eq.clone();
            for factor in nibble {
                kernels::mul_assign(&mut product, factor);
            }
            sum = sum * mu + kernels::sum(&product);
        }
        let factored = EqFactored::new(sum);
        (Self { left: n_vars, n_vars, factors, mu, w, factored }, sum)
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
        let sums = outer.par_iter().enumerate().map(|(chunk, &weight)| {
            let start = chunk * len;
            let mut total = [F128::ZERO; DEGREE];
            for nibble in self.factors.chunks(NIBBLE).rev() {
                let lines: Vec<Polynomials> = nibble
                    .iter()
                    .map(|f| line(&f[start..][..len], &f[(1 << rest) + start..][..len]))
                    .collect();
                let sums = weighted_product(&inner, lines);
                for (total, sum) in total.iter_mut().zip(sums) {
                    *total = *total * self.mu + sum;
                }
            }
            total.map(|t| t * weight)
        });
        sums.reduce(|| [F128::ZERO; DEGREE], |a, b| core::array::from_fn(|i| a[i] + b[i]))
    }
}

/// Polynomials at a run of positions: for each coefficient, constant first, its values.
type Polynomials = Vec<Vec<F128>>;

/// `lo + X (lo + hi)`.
fn line(lo: &[F128], hi: &[F128]) -> Polynomials {
    let mut slope = lo.to_vec();
    kernels::add_assign(&mut slope, hi);
    vec![lo.to_vec(), slope]
}

fn multiply(a: &Polynomials, b: &Polynomials) -> Polynomials {
    let mut product = vec![vec![F128::ZERO; a[0].len()]; a.len() + b.len() - 1];
    for (i, a) in a.iter().enumerate() {
        for (j, b) in b.iter().enumerate() {
            kernels::add_products(&mut product[i + j], a, b);
        }
    }
    product
}

/// The coefficients of `sum_y w(y) prod_s lines_s(y)`, of at most four lines.
fn weighted_product(w: &[F128], lines: Vec<Polynomials>) -> [F128; DEGREE] {
    let unit = vec![vec![F128::ONE; w.len()]];
    let half = |lines: &[Polynomials]| match lines {
        [] => unit.clone(),
        [a] => a.clone(),
        [a, b] => multiply(a, b),
        _ => unreachable!("half of a nibble is two bits"),
    };
    let (low, high) = lines.split_at(lines.len().min(NIBBLE / 2));
    let (mut low, high) = (half(low), half(high));
    let mut sums = [F128::ZERO; DEGREE];
    for (i, low) in low.iter_mut().enumerate() {
        kernels::mul_assign(low, w);
        for (j, high) in high.iter().enumerate() {
            sums[i + j] += kernels::inner_product(low, high);
        }
    }
    sums
}

impl Instance for BitProduct {
    fn shape(&self) -> Shape {
        Shape { n_vars: self.n_vars, degree: DEGREE }
    }

    fn round(&mut self) -> Vec<F128> {
        let [constant, rest @ ..] = self.coefficients();
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
