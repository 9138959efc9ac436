//! The sum of a product of two multilinears, one of them zero beyond its length.

use binfer_field::{F128, kernels};
use rayon::prelude::*;

use crate::multilinear::eq_vertex;
use crate::sumcheck::{Instance, Shape};

/// Pairs a parallel task should have at least.
const TASK: usize = 1 << 10;

/// A weight polynomial `scale * eq(point, .)`.
#[derive(Clone, Debug)]
pub(crate) struct EqTerm {
    pub(crate) scale: F128,
    /// The variables that are left, lowest first.
    pub(crate) point: Vec<F128>,
}

/// `sum_x weights(x) values(x)`, bound from the lowest variable up; it ends with one value each.
///
/// `values` is zero beyond its length. `weights` need not be: what lies beyond its stored prefix is
/// given by `terms`, and at most one such element is looked at in a round.
pub(crate) struct InnerProduct {
    weights: Vec<F128>,
    values: Vec<F128>,
    terms: Vec<EqTerm>,
    n_vars: usize,
}

impl InnerProduct {
    /// The inner product of two whole vectors of `2^n_vars` elements.
    pub(crate) fn new(weights: Vec<F128>, values: Vec<F128>, n_vars: usize) -> Self {
        assert!(weights.len() == 1 << n_vars && values.len() == 1 << n_vars);
        Self { weights, values, terms: Vec::new(), n_vars }
    }

    /// The inner product of `values`, at most `2^n_vars` of them, with a sum of eq polynomials.
    pub(crate) fn with_eq(terms: Vec<EqTerm>, values: Vec<F128>, n_vars: usize) -> Self {
        assert!(values.len().div_ceil(2) <= 1 << n_vars.saturating_sub(1));
        let mut weights = vec![F128::ZERO; values.len()];
        for term in &terms {
            assert_eq!(term.point.len(), n_vars);
            kernels::add_assign(&mut weights, &eq_prefix(term, values.len()));
        }
        Self { weights, values, terms, n_vars }
    }

    /// The bound value of `values`; zero where there were none.
    pub(crate) fn value(&self) -> F128 {
        debug_assert_eq!(self.n_vars, 0);
        self.values.first().copied().unwrap_or(F128::ZERO)
    }
}

/// The first `len` entries of `scale * eq(point, .)`.
fn eq_prefix(term: &EqTerm, len: usize) -> Vec<F128> {
    let mut table = Vec::with_capacity(len);
    if len > 0 {
        table.push(term.scale);
    }
    for (variable, &r) in term.point.iter().enumerate() {
        if table.len() < 1 << variable {
            // The prefix ends below: this bit is zero throughout.
            kernels::scale(&mut table, F128::ONE + r);
            continue;
        }
        let size = table.len();
        let grown = size.min(len - size);
        table.extend_from_within(..grown);
        let (lo, hi) = table.split_at_mut(size);
        kernels::scale(hi, r);
        let (paired, single) = lo.split_at_mut(grown);
        kernels::add_assign(paired, hi);
        kernels::scale(single, F128::ONE + r);
    }
    table
}

impl Instance for InnerProduct {
    fn shape(&self) -> Shape {
        Shape { n_vars: self.n_vars, degree: 2 }
    }

    fn round(&mut self) -> Vec<F128> {
        if self.values.len() % 2 == 1 {
            let next = self.values.len();
            let beyond = self.terms.iter().map(|t| t.scale * eq_vertex(&t.point, next));
            self.weights.push(beyond.sum());
            self.values.push(F128::ZERO);
        }
        let chunks = self.weights.par_chunks(2 * TASK).zip(self.values.par_chunks(2 * TASK));
        let sums = chunks.map(|(weights, values)| pair_sums(weights, values));
        let (at_zero, at_one, leading) = sums.reduce(
            || (F128::ZERO, F128::ZERO, F128::ZERO),
            |a, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2),
        );
        vec![at_zero, at_zero + at_one + leading, leading]
    }

    fn bind(&mut self, r: F128) {
        for vector in [&mut self.weights, &mut self.values] {
            let mut bound = vec![F128::ZERO; vector.len() / 2];
            let chunks = bound.par_chunks_mut(TASK).zip(vector.par_chunks(2 * TASK));
            chunks.for_each(|(bound, pairs)| kernels::fold_adjacent(bound, pairs, r));
            *vector = bound;
        }
        for term in &mut self.terms {
            let z = term.point.remove(0);
            term.scale *= F128::ONE + z + r;
        }
        self.n_vars -= 1;
    }
}

/// `sum a(0) b(0)`, `sum a(1) b(1)` and `sum (a(0) + a(1)) (b(0) + b(1))` over neighbours.
fn pair_sums(a: &[F128], b: &[F128]) -> (F128, F128, F128) {
    let split = |v: &[F128]| -> (Vec<F128>, Vec<F128>) {
        v.chunks_exact(2).map(|pair| (pair[0], pair[1])).unzip()
    };
    let ((mut a_lo, a_hi), (mut b_lo, b_hi)) = (split(a), split(b));
    let at_zero = kernels::inner_product(&a_lo, &b_lo);
    let at_one = kernels::inner_product(&a_hi, &b_hi);
    kernels::add_assign(&mut a_lo, &a_hi);
    kernels::add_assign(&mut b_lo, &b_hi);
    (at_zero, at_one, kernels::inner_product(&a_lo, &b_lo))
}
