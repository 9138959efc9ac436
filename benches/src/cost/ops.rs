//! Small formulas: scalar steps of sumchecks, eq tables, inverses, powers, and what a transcript hashes.

use binfer_field::count::Counts;

/// Products, squarings and additions.
pub(super) fn ops(products: usize, squarings: usize, additions: usize) -> Counts {
    Counts {
        products: products as u64,
        squarings: squarings as u64,
        additions: additions as u64,
        ..Counts::default()
    }
}

/// `n` times the same.
pub(super) fn times(n: usize, counts: Counts) -> Counts {
    let n = n as u64;
    Counts {
        products: n * counts.products,
        squarings: n * counts.squarings,
        additions: n * counts.additions,
        byte_products: n * counts.byte_products,
        compressions: n * counts.compressions,
    }
}

/// Several one after another.
pub(super) fn sum(parts: impl IntoIterator<Item = Counts>) -> Counts {
    parts.into_iter().fold(Counts::default(), |mut sum, part| {
        sum += part;
        sum
    })
}

/// `ceil(log2 n)`.
pub(super) fn log(n: usize) -> usize {
    n.next_power_of_two().ilog2() as usize
}

/// An eq table in `n` variables.
pub(super) fn eq_table(n: usize) -> Counts {
    ops((1 << n) - 1, 0, (1 << n) - 1)
}

/// The eq tables of a sum over `2^vars` positions in chunks of at most `2^most`, and what scales and adds the `n` sums of each chunk.
pub(super) fn chunks(vars: usize, most: usize, n: usize) -> Counts {
    let inner = vars.min(most);
    let outer = vars - inner;
    sum([eq_table(inner), eq_table(outer), times(1 << outer, ops(n, 0, n))])
}

/// An inverse: 12 products, 15 squarings, six linear maps.
pub(super) fn invert() -> Counts {
    ops(12, 15, 96)
}

/// A power.
pub(super) fn pow(exponent: u64) -> Counts {
    let bits = u64::BITS - exponent.leading_zeros();
    ops(exponent.count_ones() as usize, bits as usize, 0)
}

/// `x^(2^t)`.
pub(super) fn frobenius(t: usize) -> Counts {
    let t = t % 128;
    ops(0, t % 8, 16 * (t / 8).count_ones() as usize)
}

/// A sumcheck of `n` rounds whose eq factor is apart begins with the inverses of all coordinates.
pub(super) fn factored(n: usize) -> Counts {
    sum([ops(3 * n, 0, n), invert()])
}

/// A round of a sumcheck whose eq factor is apart, and its binding: a cofactor of degree `d`, whose value at zero
/// the claim gives, unless it is known.
pub(super) fn factored_round(d: usize, at_zero_known: bool) -> Counts {
    let at_zero = if at_zero_known { ops(0, 0, 0) } else { ops(2, 0, 1) };
    let coefficients = ops(2 * (d + 1) + 1, 0, 2 * (d + 1) + d + 2);
    sum([at_zero, coefficients, ops(d + 2, 0, d + 3)])
}

/// The driver of a batch after `bytes` of messages: instances with these numbers of variables and of coefficients a
/// round.
pub(super) fn driver(bytes: usize, instances: &[(usize, usize)]) -> Counts {
    sum([ops(instances.len(), 0, 0), draw(bytes), weighted(0, instances)])
}

/// [`driver`] where the instances' weights are known: `bytes` of messages come before the first round.
pub(super) fn weighted(bytes: usize, instances: &[(usize, usize)]) -> Counts {
    let n_rounds = instances.iter().map(|i| i.0).max().unwrap_or(0);
    let mut total = Counts::default();
    for left in (1..=n_rounds).rev() {
        let mut degree = 1;
        for &(n_vars, coefficients) in instances {
            if n_vars >= left {
                total += ops(coefficients, 0, coefficients);
                degree = degree.max(coefficients - 1);
            } else {
                total += ops(1, 0, 0);
            }
        }
        total += draw(if left == n_rounds { bytes } else { 0 } + 31 + 16 * degree);
    }
    total
}

/// The rounds that join `n` instances, whose products have `factors` factors at most.
pub(super) fn join(n: usize, factors: usize) -> Counts {
    times(log(n), draw(31 + 16 * (factors + 1)))
}

/// A challenge after these bytes of messages: the frame of the draw itself has 43 bytes.
pub(super) fn draw(bytes: usize) -> Counts {
    compressions(blake3(bytes + 43))
}

/// `n` challenges in one draw: those beyond two take blocks of output of their own.
pub(super) fn draw_many(bytes: usize, n: usize) -> Counts {
    sum([draw(bytes), compressions((32 + 16 * n).div_ceil(64) - 1)])
}

pub(super) fn compressions(n: usize) -> Counts {
    Counts { compressions: n as u64, ..Counts::default() }
}

/// Blocks and parents of BLAKE3.
pub(super) fn blake3(bytes: usize) -> usize {
    bytes.div_ceil(64).max(1) + bytes.div_ceil(1024).max(1) - 1
}

/// Frames of messages of these numbers of elements.
pub(super) fn message_bytes(elements: impl IntoIterator<Item = usize>) -> usize {
    elements.into_iter().map(|n| 30 + 16 * n).sum()
}
