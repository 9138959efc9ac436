//! A summand that is an eq polynomial times something: the factor is kept apart from its cofactor.

use binfer_field::F128;

use super::univariate;

/// The running claim of `sum_x eq(z, x) f(x)`.
///
/// With `scale` the product of eq's bound factors, the running claim is `scale * claim`, and a round
/// polynomial is `scale (1 + z + X) t(X)`. The claim gives one value of the cofactor `t`, so that its
/// value at 1 and its coefficients of `X^2` and above are all that has to be summed (Gruen 2024,
/// section 3.2).
pub(crate) struct EqFactored {
    scale: F128,
    claim: F128,
    /// The inverses of `1 + z` for the coordinates `z` of the rounds to come, the last round's first.
    inverses: Vec<F128>,
    /// `t`, constant first, between a round and its binding.
    cofactor: Vec<F128>,
}

impl EqFactored {
    /// Nothing bound yet. `point` has eq's coordinates in the order of rounds, which are all inverted at once.
    pub(crate) fn new<'a>(claim: F128, point: impl DoubleEndedIterator<Item = &'a F128>) -> Self {
        let mut inverses: Vec<F128> = point.rev().map(|&z| F128::ONE + z).collect();
        F128::batch_invert(&mut inverses);
        Self { scale: F128::ONE, claim, inverses, cofactor: Vec::new() }
    }

    /// What the cofactor of eq's bound part sums to.
    pub(crate) fn claim(&self) -> F128 {
        self.claim
    }

    /// The round polynomial for the coordinate `z`, from `t(1)` and the coefficients of `X^2, X^3, ...`.
    ///
    /// `at_zero` is `t(0)`, wanted only where the claim does not give it: where `z` is one.
    pub(crate) fn round(
        &mut self,
        z: F128,
        (at_one, high): (F128, &[F128]),
        at_zero: Option<F128>,
    ) -> Vec<F128> {
        let at_zero = self.at_zero(z, at_one, at_zero);
        self.set(at_zero, at_one, high);
        self.times_eq(z)
    }

    /// The same where `t` is a quartic, from what [`quartic_round`](binfer_field::kernels::quartic_round) gives: the coefficient of
    /// `X^2` comes with `t(0)` added.
    pub(crate) fn round_of_quartic(
        &mut self,
        z: F128,
        [at_one, second, third, fourth]: [F128; 4],
        at_zero: Option<F128>,
    ) -> Vec<F128> {
        let at_zero = self.at_zero(z, at_one, at_zero);
        self.set(at_zero, at_one, &[second + at_zero, third, fourth]);
        self.times_eq(z)
    }

    /// `t(0)`, if it is not given: the claim is `(1 + z) t(0) + z t(1)`.
    fn at_zero(&mut self, z: F128, at_one: F128, given: Option<F128>) -> F128 {
        let inverse = self.inverses.pop().unwrap_or_default();
        given.unwrap_or_else(|| (self.claim + z * at_one) * inverse)
    }

    /// The round polynomial of the cofactor that is set.
    fn times_eq(&self, z: F128) -> Vec<F128> {
        let low = self.scale * (F128::ONE + z);
        let mut round = vec![F128::ZERO; self.cofactor.len() + 1];
        for (i, &c) in self.cofactor.iter().enumerate() {
            round[i] += low * c;
            round[i + 1] += self.scale * c;
        }
        round
    }

    /// The round polynomial in a variable that eq does not depend on.
    pub(crate) fn round_beyond(&mut self, at_one: F128, high: &[F128]) -> Vec<F128> {
        self.set(self.claim + at_one, at_one, high);
        self.cofactor.iter().map(|&c| self.scale * c).collect()
    }

    /// Binds the variable of the last round, with eq's coordinate `z` where it has one.
    pub(crate) fn bind(&mut self, z: Option<F128>, r: F128) {
        self.claim = univariate(&self.cofactor, r);
        if let Some(z) = z {
            self.scale *= F128::ONE + z + r;
        }
    }

    fn set(&mut self, at_zero: F128, at_one: F128, high: &[F128]) {
        let linear = at_zero + at_one + high.iter().copied().sum::<F128>();
        self.cofactor.clear();
        self.cofactor.extend([at_zero, linear].iter().chain(high));
    }
}
