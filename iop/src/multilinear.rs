//! Small facts on multilinear polynomials over the hypercube, used by provers and verifiers alike.

use binfer_field::F128;
use binfer_field::kernels::eq_table;

/// The number of variables that index `n` positions: `ceil(log2(n))`, and 0 for none or one.
pub fn log2_ceil(n: usize) -> usize {
    n.checked_next_power_of_two().map_or(usize::BITS, usize::trailing_zeros) as usize
}

/// `eq(a, b) = prod_i (1 + a_i + b_i)` over the common prefix of the two points.
pub fn eq(a: &[F128], b: &[F128]) -> F128 {
    a.iter().zip(b).map(|(&x, &y)| F128::ONE + x + y).product()
}

/// `eq(point, x)` for the hypercube vertex whose bit `i` pairs with `point[i]`.
pub fn eq_vertex(point: &[F128], x: usize) -> F128 {
    let factor = |(i, &p): (usize, &F128)| {
        let bit = x.checked_shr(i as u32).is_some_and(|y| y & 1 == 1);
        if bit { p } else { F128::ONE + p }
    };
    point.iter().enumerate().map(factor).product()
}

/// Two tables of which each product of an entry is one of the table of `eq(point, .)`: of the lowest variables, at most `vars`, and of the
/// others.
#[cfg(feature = "prover")]
pub(crate) fn eq_tables(point: &[F128], vars: usize) -> [Vec<F128>; 2] {
    let (low, high) = point.split_at(point.len().min(vars));
    [low, high].map(eq_table)
}

/// `sum_{x < n} eq(point, x)`: the multilinear extension of the indicator of a prefix.
pub fn prefix_indicator(point: &[F128], n: usize) -> F128 {
    if point.len() < usize::BITS as usize && n >> point.len() != 0 {
        return F128::ONE;
    }
    // From the highest bit down: where n has a one, everything below a zero there is in.
    let mut inside = F128::ZERO;
    let mut on_path = F128::ONE;
    for (i, &p) in point.iter().enumerate().rev() {
        if n.checked_shr(i as u32).is_some_and(|m| m & 1 == 1) {
            inside += on_path * (F128::ONE + p);
            on_path *= p;
        } else {
            on_path *= F128::ONE + p;
        }
    }
    inside
}

/// `1, x, x^2, ..`.
pub fn powers(x: F128) -> impl Iterator<Item = F128> {
    core::iter::successors(Some(F128::ONE), move |&power| Some(power * x))
}

/// The weights of the 128 bits of a word, and the point of words, of planes whose lowest variables are bound by a Lagrange
/// basis of at most 128 points, and the others at `y`.
pub(crate) fn word_weights(lagrange: &[F128], y: &[F128]) -> (Vec<F128>, Vec<F128>) {
    let in_word = 7usize.saturating_sub(log2_ceil(lagrange.len()));
    let (inner, point) = y.split_at_checked(in_word).unwrap_or((y, &[]));
    let weights = eq_table(inner);
    let bit_weights = weights.iter().flat_map(|&w| lagrange.iter().map(move |&l| w * l));
    (bit_weights.collect(), point.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn prefix_indicator_sums_the_eq_table(bits in prop::collection::vec(any::<u128>(), 0..6), n in 0usize..70) {
            let point: Vec<F128> = bits.into_iter().map(F128::new).collect();
            let table = eq_table(&point);
            let expected: F128 = table.iter().take(n).copied().sum();
            prop_assert_eq!(prefix_indicator(&point, n), expected);
            for (x, &value) in table.iter().enumerate() {
                prop_assert_eq!(eq_vertex(&point, x), value);
            }
        }
    }
}
