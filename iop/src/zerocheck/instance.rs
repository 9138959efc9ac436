//! One tile in a sumcheck of products weighted by an eq polynomial.

use binfer_field::{F128, kernels};

use crate::sumcheck::{EqFactored, Instance, Shape};

/// `sum_y eq(zeta, y) (sum_h a_h(y) b_h(y) + linear(y))`, bound from the highest variable down.
///
/// The factor `eq` is kept apart, as [`EqFactored`] says.
pub(crate) struct TileSum {
    /// Pairs of factors, in halves of `2^(variables left)`.
    pub(crate) products: Vec<(Vec<F128>, Vec<F128>)>,
    pub(crate) linear: Vec<F128>,
    /// The variables that are left, lowest first.
    zeta: Vec<F128>,
    /// The eq table of all but the highest variable that is left.
    weights: Vec<F128>,
    factored: EqFactored,
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
        let factored = EqFactored::new(claim, zeta.iter().rev());
        Self { products, linear, zeta, weights, factored }
    }
}

/// The cofactor's value at 1 (at 0 where `flip`) and its coefficient of `X^2`.
fn sums(
    products: &[(Vec<F128>, Vec<F128>)],
    linear: &[F128],
    weights: &[F128],
    flip: bool,
) -> (F128, Vec<F128>) {
    fn halves(values: &[F128], len: usize, flip: bool) -> (&[F128], &[F128]) {
        let (lo, hi) = values.split_at(len);
        if flip { (hi, lo) } else { (lo, hi) }
    }
    let mut at = kernels::inner_product(weights, halves(linear, weights.len(), flip).1);
    let mut leading = F128::ZERO;
    for (a, b) in products {
        let (a_lo, a_hi) = halves(a, weights.len(), flip);
        let (b_lo, b_hi) = halves(b, weights.len(), flip);
        let (one, top) = kernels::product_round(weights, a_lo, a_hi, b_lo, b_hi);
        at += one;
        leading += top;
    }
    (at, vec![leading])
}

impl Instance for TileSum {
    fn shape(&self) -> Shape {
        Shape { n_vars: self.zeta.len(), degree: if self.products.is_empty() { 2 } else { 3 } }
    }

    fn round(&mut self) -> Vec<F128> {
        let Self { products, linear, zeta, weights, factored } = self;
        let z = zeta[zeta.len() - 1];
        let sums = |flip| sums(products, linear, weights, flip);
        let (at_one, high) = sums(false);
        factored.round(z, (at_one, &high), (z == F128::ONE).then(|| sums(true).0))
    }

    fn bind(&mut self, r: F128) {
        let half = self.weights.len();
        for vector in self.products.iter_mut().flat_map(|(a, b)| [a, b]).chain([&mut self.linear]) {
            let (lo, hi) = vector.split_at_mut(half);
            kernels::fold(lo, hi, r);
            vector.truncate(half);
        }
        self.factored.bind(self.zeta.pop(), r);
        if half > 1 {
            let (lo, hi) = self.weights.split_at_mut(half / 2);
            kernels::add_assign(lo, hi);
            self.weights.truncate(half / 2);
        }
    }
}
