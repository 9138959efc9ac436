//! The integer types in which products are summed, and the product of a matrix and a column.

use std::ops::AddAssign;

/// A type that operands are held in, and the type of their products and sums.
pub(super) trait Operand: Copy + Default + Send + Sync {
    type Sum: Copy + Default + AddAssign + Into<i128> + Send;

    /// Precondition: the type holds `value`.
    fn new(value: i64) -> Self;
    fn times(self, other: Self) -> Self::Sum;
}

/// Codes less a zero code, and weights: both within -255 and 255.
impl Operand for i16 {
    type Sum = i32;

    fn new(value: i64) -> Self {
        value as Self
    }

    fn times(self, other: Self) -> i32 {
        i32::from(self) * i32::from(other)
    }
}

impl Operand for i64 {
    type Sum = Self;

    fn new(value: i64) -> Self {
        value
    }

    fn times(self, other: Self) -> Self {
        self * other
    }
}

/// Where declared widths allow accumulators that 64 bits do not hold.
impl Operand for i128 {
    type Sum = Self;

    fn new(value: i64) -> Self {
        Self::from(value)
    }

    fn times(self, other: Self) -> Self {
        self * other
    }
}

/// The nearest 64-bit integer, which no declared width holds if it is another one.
pub(super) fn narrow(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

/// `sums[row] = sum_k x[k * rows + row] * weights[k]`, `rows` being the length of `sums`.
pub(super) fn product<A: Operand>(x: &[A], weights: &[A], sums: &mut [A::Sum]) {
    sums.fill(A::Sum::default());
    if let [sum] = sums {
        for (&x, &weight) in x.iter().zip(weights) {
            *sum += x.times(weight);
        }
        return;
    }
    // Four inputs at a time, so that each sum is loaded and stored a quarter as often.
    let rows = sums.len();
    let (fours, rest) = weights.as_chunks::<4>();
    let (x_fours, x_rest) = x.split_at(fours.len() * 4 * rows);
    for (x, w) in x_fours.chunks_exact(4 * rows).zip(fours) {
        let (x0, x) = x.split_at(rows);
        let (x1, x) = x.split_at(rows);
        let (x2, x3) = x.split_at(rows);
        let inputs = x0.iter().zip(x1).zip(x2.iter().zip(x3));
        for (sum, ((&x0, &x1), (&x2, &x3))) in sums.iter_mut().zip(inputs) {
            let mut four = x0.times(w[0]);
            four += x1.times(w[1]);
            four += x2.times(w[2]);
            four += x3.times(w[3]);
            *sum += four;
        }
    }
    for (x, &weight) in x_rest.chunks_exact(rows).zip(rest) {
        for (sum, &x) in sums.iter_mut().zip(x) {
            *sum += x.times(weight);
        }
    }
}
