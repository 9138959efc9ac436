//! The batched constraints of a system as few products of linear combinations of planes.
#![deny(clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use std::collections::BTreeMap;

use binfer_field::F128;

use super::Constraint;
use crate::multilinear::powers;

/// A linear combination of planes.
pub(super) type Combination = Vec<(usize, F128)>;

/// `sum_c alpha^c C_c` as `sum_h plane_h * combination_h + linear + constant`.
pub(super) struct Quadratic {
    /// A plane that many products share, and what multiplies it.
    pub(super) products: Vec<(usize, Combination)>,
    pub(super) linear: Combination,
    pub(super) constant: F128,
}

impl Quadratic {
    /// Gathers each product with others of that of its planes that occurs in more, the higher one if both do in as many.
    pub(super) fn new(constraints: &[Constraint], alpha: F128) -> Self {
        let mut occurrences = BTreeMap::<usize, usize>::new();
        for (a, b) in constraints.iter().flat_map(|c| &c.products) {
            *occurrences.entry(*a).or_default() += 1;
            *occurrences.entry(*b).or_default() += 1;
        }
        let mut products = BTreeMap::<usize, Combination>::new();
        let mut linear = Combination::new();
        let mut constant = F128::ZERO;
        for (constraint, alpha) in constraints.iter().zip(powers(alpha)) {
            for &(a, b) in &constraint.products {
                let rank = |plane| (occurrences.get(&plane), plane);
                let (hub, other) = if rank(a) > rank(b) { (a, b) } else { (b, a) };
                products.entry(hub).or_default().push((other, alpha));
            }
            linear.extend(constraint.linear.iter().map(|&p| (p, alpha)));
            if constraint.constant {
                constant += alpha;
            }
        }
        let products = products.into_iter().map(|(hub, others)| (hub, merge(others))).collect();
        Self { products, linear: merge(linear), constant }
    }

    /// The degree of the sumcheck over a tile, eq included.
    pub(super) fn degree(&self) -> usize {
        if self.products.is_empty() { 2 } else { 3 }
    }

    /// Elements that are sent for a tile: both factors of each product.
    pub(super) fn n_factors(&self) -> usize {
        self.products.len().saturating_mul(2)
    }
}

/// Products of two combinations of planes that constraints come down to, whatever they are weighted by.
pub fn n_products(constraints: &[Constraint]) -> usize {
    Quadratic::new(constraints, F128::ONE).products.len()
}

/// Adds up the coefficients of each plane.
fn merge(mut combination: Combination) -> Combination {
    combination.sort_unstable_by_key(|&(plane, _)| plane);
    combination.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    combination
}
