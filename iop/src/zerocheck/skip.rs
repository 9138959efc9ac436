//! The prover's univariate round: one tile's round polynomial on the coset.

use binfer_field::{F128, kernels, subset_sums};
use rayon::prelude::*;

use super::Constraint;
use super::accumulate::{accumulate, block};
use super::domain::{self, N_FIXED, SIZE};
use super::sliced::{self, Extension, Sliced};
use crate::multilinear::powers;

/// The weighted bits of one constraint: `[coefficient of g^k][coset position]`.
const SUMS: usize = 8 * SIZE;
/// Chunks of eight groups a parallel task should have at least.
const TASK: usize = 16;

/// Computes round polynomials of the tiles of one system.
pub(super) struct Skip<'a> {
    constraints: &'a [Constraint],
    /// The planes that occur in products, sorted.
    factors: Vec<usize>,
    /// For each constraint its products as positions in `factors`.
    products: Vec<Vec<(usize, usize)>>,
    alphas: Vec<F128>,
    extension: Extension,
}

impl<'a> Skip<'a> {
    pub(super) fn new(constraints: &'a [Constraint], alpha: F128) -> Self {
        let all = constraints.iter().flat_map(|c| &c.products);
        let mut factors: Vec<usize> = all.flat_map(|&(a, b)| [a, b]).collect();
        factors.sort_unstable();
        factors.dedup();
        let position = |plane: usize| factors.partition_point(|&p| p < plane);
        let renamed =
            |c: &Constraint| c.products.iter().map(|&(a, b)| (position(a), position(b))).collect();
        let products = constraints.iter().map(renamed).collect();
        let alphas = powers(alpha).take(constraints.len()).collect();
        Self { constraints, factors, products, alphas, extension: Extension::new() }
    }

    /// `P(X)` on the coset for one tile, `zeta` cut to the tile's variables above the sixth.
    pub(super) fn round(&self, planes: &[&[F128]], zeta: &[F128]) -> [F128; SIZE] {
        let (fixed, drawn) = zeta.split_at(zeta.len().min(N_FIXED));
        let weights = kernels::eq_table(drawn);
        let n_sums = self.constraints.len() * SUMS;
        let sums = weights
            .par_chunks(8)
            .enumerate()
            .with_min_len(TASK)
            .fold(
                || vec![F128::ZERO; n_sums],
                |mut sums, (chunk, weights)| {
                    self.add_chunk(&mut sums, planes, fixed.len(), 8 * chunk, weights);
                    sums
                },
            )
            .reduce(
                || vec![F128::ZERO; n_sums],
                |mut a, b| {
                    kernels::add_assign(&mut a, &b);
                    a
                },
            );
        let mut values = [F128::ZERO; SIZE];
        for (sums, &alpha) in sums.chunks_exact(SUMS).zip(&self.alphas) {
            for (bits, power) in sums.chunks_exact(SIZE).zip(domain::basis()) {
                kernels::add_scaled(&mut values, bits, alpha * power);
            }
        }
        values
    }

    /// Adds groups `start..start + weights.len()` of `2^n_fixed` blocks each.
    fn add_chunk(
        &self,
        sums: &mut [F128],
        planes: &[&[F128]],
        n_fixed: usize,
        start: usize,
        weights: &[F128],
    ) {
        let table = subset_sums(weights);
        let mut groups = vec![[[0u64; 8]; 8]; self.constraints.len()];
        let mut blocks = vec![vec![[0u64; 8]; self.constraints.len()]; 1 << n_fixed];
        let mut extended = vec![[0u64; 8]; self.factors.len()];
        for lane in 0..weights.len() {
            let first = (start + lane) << n_fixed;
            for (y, values) in blocks.iter_mut().enumerate() {
                self.evaluate(planes, first + y, &mut extended, values);
            }
            fold_fixed(&mut blocks, n_fixed);
            for (group, folded) in groups.iter_mut().zip(&blocks[0]) {
                for (words, &word) in group.iter_mut().zip(folded) {
                    words[lane] = word;
                }
            }
        }
        for (sums, group) in sums.chunks_exact_mut(SUMS).zip(&groups) {
            for (sums, words) in sums.chunks_exact_mut(SIZE).zip(group) {
                accumulate(sums, &table, words);
            }
        }
    }

    /// Every constraint on the coset at block `x`.
    fn evaluate(
        &self,
        planes: &[&[F128]],
        x: usize,
        extended: &mut [Sliced],
        values: &mut [Sliced],
    ) {
        for (extended, &plane) in extended.iter_mut().zip(&self.factors) {
            *extended = self.extension.apply(block(planes[plane], x));
        }
        let constraints = self.constraints.iter().zip(&self.products);
        for (value, (constraint, products)) in values.iter_mut().zip(constraints) {
            let bits = constraint.linear.iter().fold(0, |bits, &p| bits ^ block(planes[p], x));
            *value = self.extension.apply(bits);
            if constraint.constant {
                value[0] = !value[0];
            }
            for &(a, b) in products {
                *value = sliced::add(value, &sliced::mul(&extended[a], &extended[b]));
            }
        }
    }
}

/// `blocks[0] = sum_y eq((g, g^2, g^4), y) blocks[y]` over the first `n_fixed` variables.
fn fold_fixed(blocks: &mut [Vec<Sliced>], n_fixed: usize) {
    for variable in 0..n_fixed {
        for y in 0..1 << (n_fixed - variable - 1) {
            for c in 0..blocks[y].len() {
                let (lo, hi) = (blocks[2 * y][c], blocks[2 * y + 1][c]);
                let slope = sliced::mul_power(&sliced::add(&lo, &hi), 1 << variable);
                blocks[y][c] = sliced::add(&lo, &slope);
            }
        }
    }
}
