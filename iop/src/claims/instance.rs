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
pub struct InnerProduct {
    weights: Vec<F128>,
    values: Vec<F128>,
    terms: Vec<EqTerm>,
    n_vars: usize,
    claim: F128,
    /// The round polynomial, constant first, between a round and its binding.
    round: [F128; 3],
}

impl InnerProduct {
    /// The inner product `claim` of two vectors of `2^n_vars` elements.
    ///
    /// # Panics
    /// Where a vector has another length.
    pub fn new(weights: Vec<F128>, values: Vec<F128>, n_vars: usize, claim: F128) -> Self {
        assert!(weights.len() == 1 << n_vars && values.len() == 1 << n_vars);
        let round = [F128::ZERO; 3];
        Self { weights, values, terms: Vec::new(), n_vars, claim, round }
    }

    /// The inner product `claim` of `values`, at most `2^n_vars` of them, with a sum of eq
    /// polynomials.
    pub(crate) fn with_eq(
        terms: Vec<EqTerm>,
        values: Vec<F128>,
        n_vars: usize,
        claim: F128,
    ) -> Self {
        assert!(values.len() <= 1 << n_vars);
        let mut weights = vec![F128::ZERO; values.len()];
        for term in &terms {
            assert_eq!(term.point.len(), n_vars);
            kernels::add_assign(&mut weights, &eq_prefix(term, values.len()));
        }
        Self { weights, values, terms, n_vars, claim, round: [F128::ZERO; 3] }
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
    for &r in &term.point {
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
        let (at_zero, leading) =
            sums.reduce(|| (F128::ZERO, F128::ZERO), |a, b| (a.0 + b.0, a.1 + b.1));
        // s(0) + s(1) is the sum of all coefficients but the constant.
        self.round = [at_zero, self.claim + leading, leading];
        self.round.to_vec()
    }

    fn bind(&mut self, r: F128) {
        for vector in [&mut self.weights, &mut self.values] {
            let mut bound = vec![F128::ZERO; vector.len() / 2];
            let chunks = bound.par_chunks_mut(TASK).zip(vector.par_chunks(2 * TASK));
            chunks.for_each(|(bound, pairs)| kernels::fold_adjacent(bound, pairs, r));
            *vector = bound;
        }
        let [constant, linear, leading] = self.round;
        self.claim = constant + r * (linear + r * leading);
        for term in &mut self.terms {
            let z = term.point.remove(0);
            term.scale *= F128::ONE + z + r;
        }
        self.n_vars -= 1;
    }
}

/// `sum a(0) b(0)` and `sum (a(0) + a(1)) (b(0) + b(1))` over neighbours.
fn pair_sums(a: &[F128], b: &[F128]) -> (F128, F128) {
    let split = |v: &[F128]| -> (Vec<F128>, Vec<F128>) {
        v.chunks_exact(2).map(|pair| (pair[0], pair[0] + pair[1])).unzip()
    };
    let ((a_lo, a_slope), (b_lo, b_slope)) = (split(a), split(b));
    (kernels::inner_product(&a_lo, &b_lo), kernels::inner_product(&a_slope, &b_slope))
}
