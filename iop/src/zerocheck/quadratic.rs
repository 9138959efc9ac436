//! The batched constraints as few products of linear combinations of planes.

use binfer_field::F128;

use super::Constraint;

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
    /// Gathers products by the plane that most of those left have in common.
    pub(super) fn new(constraints: &[Constraint], alphas: &[F128]) -> Self {
        let mut left: Vec<(usize, usize, F128)> = Vec::new();
        let mut linear = Combination::new();
        let mut constant = F128::ZERO;
        for (constraint, &alpha) in constraints.iter().zip(alphas) {
            left.extend(constraint.products.iter().map(|&(a, b)| (a, b, alpha)));
            linear.extend(constraint.linear.iter().map(|&p| (p, alpha)));
            if constraint.constant {
                constant += alpha;
            }
        }
        let mut products = Vec::new();
        while let Some(hub) = most_frequent(&left) {
            let (with, without): (Vec<_>, Vec<_>) =
                left.into_iter().partition(|&(a, b, _)| a == hub || b == hub);
            let other = |(a, b, alpha)| (if a == hub { b } else { a }, alpha);
            products.push((hub, merge(with.into_iter().map(other).collect())));
            left = without;
        }
        Self { products, linear: merge(linear), constant }
    }
}

fn most_frequent(products: &[(usize, usize, F128)]) -> Option<usize> {
    let n_planes = products.iter().map(|&(a, b, _)| a.max(b) + 1).max()?;
    let mut counts = vec![0usize; n_planes];
    for &(a, b, _) in products {
        counts[a] += 1;
        counts[b] += usize::from(a != b);
    }
    (0..n_planes).max_by_key(|&p| counts[p])
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
