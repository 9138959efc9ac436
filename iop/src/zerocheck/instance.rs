//! One tile in a sumcheck of products weighted by an eq polynomial.

use binfer_field::{F128, kernels};

use crate::sumcheck::{Instance, Shape};

/// `sum_y eq(zeta, y) (sum_h a_h(y) b_h(y) + linear(y))`, bound from the highest variable down.
///
/// The factor `eq` is kept apart: with `scale` the product of its bound factors the running claim is
/// `scale * claim`, and a round computes the cofactor `t` of degree 2 only, `t(0)` from the claim.
pub(crate) struct TileSum {
    /// Pairs of factors, in halves of `2^(variables left)`.
    pub(crate) products: Vec<(Vec<F128>, Vec<F128>)>,
    pub(crate) linear: Vec<F128>,
    /// The variables that are left, lowest first.
    zeta: Vec<F128>,
    /// The eq table of all but the highest variable that is left.
    weights: Vec<F128>,
    scale: F128,
    claim: F128,
    /// `t`, constant first, between a round and its binding.
    cofactor: [F128; 3],
}

impl TileSum {
    /// An instance whose sum is `claim`. All vectors have `2^zeta.len()` elements, at least two.
    pub(crate) fn new(
        products: Vec<(Vec<F128>, Vec<F128>)>,
        linear: Vec<F128>,
        zeta: Vec<F128>,
        claim: F128,
    ) -> Self {
        let weights = kernels::eq_table(&zeta[..zeta.len() - 1]);
        let cofactor = [F128::ZERO; 3];
        Self { products, linear, zeta, weights, scale: F128::ONE, claim, cofactor }
    }

    /// The value at 0 of the cofactor, summed directly.
    fn at_zero(&self) -> F128 {
        let half = self.weights.len();
        let mut sum = kernels::inner_product(&self.weights, &self.linear[..half]);
        for (a, b) in &self.products {
            let ((a_lo, a_hi), (b_lo, b_hi)) = (a.split_at(half), b.split_at(half));
            sum += kernels::product_round(&self.weights, a_hi, a_lo, b_hi, b_lo).0;
        }
        sum
    }
}

impl Instance for TileSum {
    fn shape(&self) -> Shape {
        Shape { n_vars: self.zeta.len(), degree: if self.products.is_empty() { 2 } else { 3 } }
    }

    fn round(&mut self) -> Vec<F128> {
        let half = self.weights.len();
        let mut at_one = kernels::inner_product(&self.weights, &self.linear[half..]);
        let mut leading = F128::ZERO;
        for (a, b) in &self.products {
            let ((a_lo, a_hi), (b_lo, b_hi)) = (a.split_at(half), b.split_at(half));
            let (one, top) = kernels::product_round(&self.weights, a_lo, a_hi, b_lo, b_hi);
            at_one += one;
            leading += top;
        }
        let zeta = self.zeta[self.zeta.len() - 1];
        let at_zero_factor = F128::ONE + zeta;
        // claim = (1 + zeta) t(0) + zeta t(1)
        let at_zero = if at_zero_factor.is_zero() {
            self.at_zero()
        } else {
            (self.claim + zeta * at_one) * at_zero_factor.invert()
        };
        let slope = at_zero + at_one + leading;
        self.cofactor = [at_zero, slope, leading];
        // times eq(zeta, X) = (1 + zeta) + X
        vec![
            self.scale * at_zero_factor * at_zero,
            self.scale * (at_zero_factor * slope + at_zero),
            self.scale * (at_zero_factor * leading + slope),
            self.scale * leading,
        ]
    }

    fn bind(&mut self, r: F128) {
        let [constant, slope, leading] = self.cofactor;
        self.claim = constant + r * (slope + r * leading);
        let half = self.weights.len();
        for vector in self.products.iter_mut().flat_map(|(a, b)| [a, b]).chain([&mut self.linear]) {
            let (lo, hi) = vector.split_at_mut(half);
            kernels::fold(lo, hi, r);
            vector.truncate(half);
        }
        if let Some(zeta) = self.zeta.pop() {
            self.scale *= F128::ONE + zeta + r;
        }
        if half > 1 {
            let (lo, hi) = self.weights.split_at_mut(half / 2);
            kernels::add_assign(lo, hi);
            self.weights.truncate(half / 2);
        }
    }
}
