//! Four positions of two variables: the work of two rounds on as many slices of both factors.

use core::ops::Range;

use binfer_field::F128;
use binfer_field::kernels::{self, Corner};

/// Positions of a parallel task.
const TASK: usize = 1 << 10;

/// Both factors at `(0, 0)`, `(1, 0)`, `(0, 1)`, `(1, 1)`.
#[derive(Clone, Copy)]
pub(super) struct Quad<'a> {
    pub(super) a: [&'a [F128]; 4],
    pub(super) b: [&'a [F128]; 4],
}

/// What [`kernels::product_grid`] gives.
pub(crate) type Grid = [F128; 8];

pub(crate) fn add(mut x: Grid, y: Grid) -> Grid {
    kernels::add_assign(&mut x, &y);
    x
}

impl Quad<'_> {
    fn rows(self, rows: Range<usize>) -> Self {
        Self { a: self.a.map(|s| &s[rows.clone()]), b: self.b.map(|s| &s[rows.clone()]) }
    }

    /// The grid of the weighted sum, long slices in parallel.
    pub(super) fn grid(self, weights: &[F128], corner: Corner) -> Grid {
        if weights.len() < 2 * TASK {
            return kernels::product_grid(weights, self.a, self.b, corner);
        }
        let half = weights.len() / 2;
        let (low, high) = (self.rows(0..half), self.rows(half..weights.len()));
        let (x, y) = rayon::join(
            || low.grid(&weights[..half], corner),
            || high.grid(&weights[half..], corner),
        );
        add(x, y)
    }
}

/// Binds both variables of one factor in the place of its first slice.
pub(super) fn fold(first: &mut [F128], rest: [&[F128]; 3], weights: [F128; 3]) {
    if first.len() < 2 * TASK {
        return kernels::fold_four(first, rest, weights);
    }
    let half = first.len() / 2;
    let (low, high) = first.split_at_mut(half);
    rayon::join(
        || fold(low, rest.map(|s| &s[..half]), weights),
        || fold(high, rest.map(|s| &s[half..]), weights),
    );
}

/// The quarters of `values`, whose highest bits are the two variables, the first highest: in the order of [`Quad`].
pub(crate) fn quarters<T>(values: &[T]) -> [&[T]; 4] {
    let q = values.len() / 4;
    [0, 2 * q, q, 3 * q].map(|start| &values[start..][..q])
}

/// [`fold`] of such quarters into the first.
pub(super) fn fold_quarters(values: &mut [F128], weights: [F128; 3]) {
    let q = values.len() / 4;
    let (first, rest) = values.split_at_mut(q);
    let (second, rest) = rest.split_at(q);
    let (third, fourth) = rest.split_at(q);
    fold(first, [third, second, fourth], weights);
}

/// At `r`, the polynomial of degree 1 of which the values at 0 and at 1 are known.
pub(crate) fn line([zero, one]: [F128; 2], r: F128) -> F128 {
    zero + r * (zero + one)
}

/// At `r`, the polynomial of degree 2 of which the values at 0, at 1 and at infinity are known.
pub(crate) fn parabola([zero, one, top]: [F128; 3], r: F128) -> F128 {
    zero + r * (zero + one + top + r * top)
}

/// `eq((r, s), .)` at `(1, 0)`, `(0, 1)` and `(1, 1)`.
pub(crate) fn fold_weights(r: F128, s: F128) -> [F128; 3] {
    let both = r * s;
    [r + both, s + both, both]
}
