//! Tables in the exponent and the table step (`ml-ops::argument::tables`, `iop::indexed::table`).

use binfer_field::count::Counts;

use super::ops::{
    eq_table, factored, factored_round, frobenius, invert, log, ops, pow, sum, times,
};
use super::shapes::{Factor, MatMul};

/// How a table is written down.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// `base^(2^first v)`.
    Powers,
    /// One weight to a byte, with an offset.
    Byte,
    /// Several digits to a byte.
    Digits,
}

/// One column of a table, entry by entry.
pub(super) fn column(kind: Kind, factor: Factor, matmul: &MatMul) -> Counts {
    let width = factor.width as usize;
    let powers = ops((1 << width) - 1, width, 0);
    match kind {
        Kind::Powers => sum([frobenius(factor.first as usize), powers]),
        Kind::Byte => sum([powers, ops(1 << width, 0, 0), pow(128)]),
        Kind::Digits => {
            let d = 1usize << matmul.weight_bits;
            // Digits stand for -d/2 .. d/2.
            let factors = (0..d).map(|v| pow(v.abs_diff(d / 2) as u64));
            let factors = times(matmul.per_byte(), sum(factors));
            let sizes = (0..matmul.per_byte()).map(|p| d * d.pow(p as u32));
            sum([factors, ops(sizes.sum(), 0, 0)])
        }
    }
}

/// Products of `n` powers of each of some bases by public bytes, digit by digit (`ml-ops::argument::public`).
pub(super) fn public_products(bases: usize, n: usize) -> Counts {
    let cost = |width: &usize| (1 << width) + 8usize.div_ceil(*width) * n;
    let width = (1..=8).min_by_key(cost).unwrap_or(1);
    let digits = 8usize.div_ceil(width);
    let width = 8usize.div_ceil(digits);
    sum([
        times(bases, ops((1 << width) - 1 + digits * n, width, 0)),
        times(digits * n, sum([frobenius(width), ops(1, 0, 0)])),
        ops(bases + n, 0, 0),
    ])
}

/// What the table step is given of a table of `cols` columns.
pub(super) fn entries(kind: Kind, factor: Factor, cols: usize, matmul: &MatMul) -> Counts {
    let squares = ops(0, cols * factor.width as usize, 0);
    match kind {
        Kind::Powers => sum([times(cols, frobenius(factor.first as usize)), squares]),
        Kind::Byte => sum([times(cols, pow(128)), squares]),
        Kind::Digits => times(cols, column(kind, factor, matmul)),
    }
}

/// The histogram of one factor, and its instance: rounds of index bits and of columns.
pub(super) fn instance(kind: Kind, factor: Factor, rows: usize, cols: usize) -> Counts {
    let w = factor.width as usize;
    let histogram = ops(0, 0, rows * cols);
    let bits = match kind {
        Kind::Digits => sum([histogram, listed(w, cols)]),
        _ if w <= 4 => sum([histogram, products_of_digit(w, cols)]),
        // Rows that are few are summed over themselves.
        _ if rows < 1 << w => products(w, cols, rows),
        _ => sum([histogram, products(w, cols, 1 << w)]),
    };
    // Rounds beyond eq.
    let scalars = times(w, ops(3 + 3, 0, 8));
    let mut total = sum([eq_table(log(cols)), bits, scalars, ops(0, 0, cols), eq_table(log(cols))]);
    total += factored(log(cols));
    for left in (1..=log(cols)).rev() {
        let half = 1 << (left - 1);
        total += sum([ops(6 * half, 0, 10 * half), factored_round(2, false)]);
    }
    // The claim on the factor's own columns.
    total += sum([invert(), ops(1, 0, 0)]);
    total
}

fn listed(w: usize, cols: usize) -> Counts {
    // Two rounds a pass over a column, then all columns at once.
    let mut total = Counts::default();
    let mut left = w;
    while left > 5 {
        let quarter = 1 << (left - 2);
        total +=
            times(cols, ops(8 * quarter + 8 + 6 * quarter, 0, 21 * quarter + 8 + 12 * quarter));
        left -= 2;
    }
    total += ops(0, 0, cols * ((1 << left) + 1));
    for left in (1..=left).rev() {
        let half = cols << (left - 1);
        total += ops(4 * half + 2 * half, 0, 4 * half + 4 * half);
    }
    total
}

/// The rounds of a digit of `bits` bits.
fn products_of_digit(bits: usize, cols: usize) -> Counts {
    let round = |d: usize| {
        let products = (1 << d) + (1 << (d - 1)) + 6;
        let sums = (1 << d) + (1 << (d - 1)) + 4;
        // And the binding of scale, values and sums.
        ops(cols * (products + 2 + (1 << d)), 0, cols * (sums + 2 + 2 * (1 << d)))
    };
    sum([doubled(bits - 1, cols), sum((1..=bits).map(round))])
}

fn doubled(bits: usize, cols: usize) -> Counts {
    ops(cols * ((1 << bits) - 1), 0, 0)
}

/// Two digits, each sum over one of them of `terms` terms a column.
fn products(w: usize, cols: usize, terms: usize) -> Counts {
    let n = cols * terms;
    let (over_lower, over_upper) = (ops(n, 0, 2 * n), ops(n, 0, n));
    let digits = [products_of_digit(w - 4, cols), products_of_digit(4, cols)];
    sum([doubled(4, cols), over_lower, over_upper, sum(digits)])
}
