//! The prover of joined instances.

use binfer_field::{F128, kernels};

use super::Joined;
use crate::channel::ProverChannel;
use crate::multilinear::log2_ceil;
use crate::sumcheck::send_round;

/// The products of one kind, as the prover holds them.
pub struct Product {
    /// The weight of each instance's product.
    pub weights: Vec<F128>,
    /// The instances' values, a vector a factor, each as long as the weights.
    pub factors: Vec<Vec<F128>>,
}

impl Product {
    /// Adds the coefficients of this term's round polynomial to `round`, constant first.
    fn add_round(&self, round: &mut [F128]) {
        let at = |vector: &[F128], i: usize| vector.get(i).copied().unwrap_or(F128::ZERO);
        let mut product = vec![F128::ZERO; round.len()];
        for i in (0..self.weights.len()).step_by(2) {
            product.fill(F128::ZERO);
            product[0] = F128::ONE;
            for (degree, vector) in core::iter::once(&self.weights).chain(&self.factors).enumerate()
            {
                let (low, high) = (at(vector, i), at(vector, i + 1));
                let slope = low + high;
                for k in (0..=degree).rev() {
                    let coefficient = product[k];
                    product[k + 1] += coefficient * slope;
                    product[k] = coefficient * low;
                }
            }
            kernels::add_assign(round, &product);
        }
    }

    /// Binds the lowest variable of every vector.
    fn bind(&mut self, r: F128) {
        for vector in self.factors.iter_mut().chain([&mut self.weights]) {
            let half = vector.len().div_ceil(2);
            for i in 0..half {
                let high = vector.get(2 * i + 1).copied().unwrap_or(F128::ZERO);
                vector[i] = vector[2 * i] + r * (vector[2 * i] + high);
            }
            vector.truncate(half);
        }
    }
}

/// Proves a sum over instances of weighted products of their values. All terms have as many instances.
pub fn prove(
    channel: &mut ProverChannel,
    label: &'static str,
    mut terms: Vec<Product>,
) -> Joined<F128> {
    let n = terms.first().map_or(0, |term| term.weights.len());
    debug_assert!(terms.iter().all(|term| term.factors.iter().all(|f| f.len() == n)));
    let degree = terms.iter().map(|term| term.factors.len()).max().unwrap_or(0) + 1;
    let mut point = Vec::new();
    for _ in 0..log2_ceil(n) {
        let mut round = vec![F128::ZERO; degree + 1];
        terms.iter().for_each(|term| term.add_round(&mut round));
        let r = send_round(channel, &round, degree);
        terms.iter_mut().for_each(|term| term.bind(r));
        point.push(r);
    }
    let mut weights = kernels::eq_table(&point);
    weights.truncate(n);
    let first = |vector: &Vec<F128>| vector.first().copied().unwrap_or(F128::ZERO);
    let mut values = Vec::with_capacity(terms.len());
    for term in &terms {
        let own: Vec<F128> = term.factors.iter().map(first).collect();
        channel.send_many(label, &own);
        values.push(own);
    }
    Joined { weights, values }
}
