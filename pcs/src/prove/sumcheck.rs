//! The sumcheck rounds of `sum T * A`, both factors given by their values.

use binfer_field::{F128, kernels};
use rayon::prelude::*;

/// Elements of one task.
pub(super) const TASK: usize = 1 << 11;

/// The coefficients of `X^0`, `X^1` (left out: zero) and `X^2` of a round polynomial.
pub(super) type Round = [F128; 3];

/// The sum of two round polynomials.
pub(super) fn add(a: Round, b: Round) -> Round {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

/// The round polynomial of `sum (t_lo + X (t_lo + t_hi)) (a_lo + X (a_lo + a_hi))`.
pub(super) fn round_of_halves(
    (t_lo, t_hi): (&[F128], &[F128]),
    (a_lo, a_hi): (&[F128], &[F128]),
) -> Round {
    let t = t_lo.par_chunks(TASK).zip(t_hi.par_chunks(TASK));
    let a = a_lo.par_chunks(TASK).zip(a_hi.par_chunks(TASK));
    t.zip(a)
        .map(|((t_lo, t_hi), (a_lo, a_hi))| {
            // That of `t + 1` and `a`, the halves exchanged.
            let (constant, square) = kernels::table_round(t_hi, t_lo, a_hi, a_lo);
            [constant + kernels::sum(a_lo), F128::ZERO, square]
        })
        .reduce(Round::default, add)
}

/// [`round_of_halves`] where the upper halves are zero.
pub(super) fn round_of_lower_half(t_lo: &[F128], a_lo: &[F128]) -> Round {
    let parts = t_lo.par_chunks(TASK).zip(a_lo.par_chunks(TASK));
    let sum: F128 = parts.map(|(t, a)| kernels::inner_product(t, a)).sum();
    [sum, F128::ZERO, sum]
}

/// [`round_of_halves`] where neighbours are paired instead.
pub(super) fn round_of_neighbours(t: &[F128], a: &[F128]) -> Round {
    t.par_chunks(2 * TASK)
        .zip(a.par_chunks(2 * TASK))
        .map(|(t, a)| {
            let (t_lo, t_sum) = split_neighbours(t);
            let (a_lo, a_sum) = split_neighbours(a);
            let constant = kernels::inner_product(&t_lo, &a_lo);
            [constant, F128::ZERO, kernels::inner_product(&t_sum, &a_sum)]
        })
        .reduce(Round::default, add)
}

/// The first elements of the pairs of neighbours, and the pairs' sums.
pub(super) fn split_neighbours(values: &[F128]) -> (Vec<F128>, Vec<F128>) {
    let (pairs, _) = values.as_chunks::<2>();
    let lower = pairs.iter().map(|&[lo, _]| lo).collect();
    let sums = pairs.iter().map(|&[lo, hi]| lo + hi).collect();
    (lower, sums)
}

/// Binds the variable that tells the halves apart; the values end in the lower half.
pub(super) fn bind_halves(lo: &mut [F128], hi: &[F128], r: F128) {
    lo.par_chunks_mut(TASK).zip(hi.par_chunks(TASK)).for_each(|(lo, hi)| kernels::fold(lo, hi, r));
}

/// Binds the variable that tells neighbours apart.
pub(super) fn bind_neighbours(values: &[F128], r: F128) -> Vec<F128> {
    let mut bound = vec![F128::ZERO; values.len() / 2];
    bound
        .par_chunks_mut(TASK)
        .zip(values.par_chunks(2 * TASK))
        .for_each(|(bound, values)| kernels::fold_adjacent(bound, values, r));
    bound
}
