//! The integer types in which products are summed, and the product of a matrix and a column.

use std::ops::AddAssign;

/// A type that operands are held in, and the type of their products and sums.
pub(super) trait Operand: Copy + Default + Send + Sync {
    type Sum: Copy + Default + AddAssign + Send;

    /// Precondition: the type holds `value`.
    fn new(value: i64) -> Self;
    fn times(self, other: Self) -> Self::Sum;
    fn integer(sum: Self::Sum) -> i128;
}

/// Accumulators up to which `f64` holds sums of products as they are: none on the way is larger.
pub(super) const FLOAT_BOUND: i128 = 1 << f64::MANTISSA_DIGITS;

/// Codes less a zero code, and weights: both within -255 and 255.
impl Operand for i16 {
    type Sum = i32;

    fn new(value: i64) -> Self {
        value as Self
    }

    fn times(self, other: Self) -> i32 {
        i32::from(self) * i32::from(other)
    }

    fn integer(sum: i32) -> i128 {
        sum.into()
    }
}

/// Integers of accumulators up to [`FLOAT_BOUND`]: processors multiply several of these at a time, of 64-bit integers one.
impl Operand for f64 {
    type Sum = Self;

    fn new(value: i64) -> Self {
        value as Self
    }

    fn times(self, other: Self) -> Self {
        self * other
    }

    fn integer(sum: Self) -> i128 {
        (sum as i64).into()
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

    fn integer(sum: Self) -> i128 {
        sum.into()
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

    fn integer(sum: Self) -> Self {
        sum
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
        // By numbers: iterators over five slices take as long as a few products.
        for (r, sum) in sums.iter_mut().enumerate() {
            let mut four = x0[r].times(w[0]);
            four += x1[r].times(w[1]);
            four += x2[r].times(w[2]);
            four += x3[r].times(w[3]);
            *sum += four;
        }
    }
    for (x, &weight) in x_rest.chunks_exact(rows).zip(rest) {
        for (sum, &x) in sums.iter_mut().zip(x) {
            *sum += x.times(weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    fn products<A: Operand>(x: &[i64], weights: &[i64], rows: usize) -> Vec<i128> {
        let [x, weights] = [x, weights].map(|v| v.iter().map(|&v| A::new(v)).collect::<Vec<A>>());
        let mut sums = vec![A::Sum::default(); rows];
        product(&x, &weights, &mut sums);
        sums.into_iter().map(A::integer).collect()
    }

    /// Of accumulators as large as each type is used for.
    #[test]
    fn all_types_have_the_same_sums() {
        let mut rng = StdRng::seed_from_u64(1);
        for (rows, k) in [(1, 1), (1, 9), (2, 4), (3, 7), (33, 16), (16, 1)] {
            let most = FLOAT_BOUND as i64 / 255 / k as i64;
            for (most, is_short) in [(255, true), (most, false)] {
                let mut integers = |n: usize, most: i64| -> Vec<i64> {
                    (0..n).map(|_| [rng.random_range(-most..=most), most][n % 2]).collect()
                };
                let (x, weights) = (integers(rows * k, most), integers(k, 255));
                let expected = products::<i128>(&x, &weights, rows);
                assert_eq!(products::<i64>(&x, &weights, rows), expected);
                assert_eq!(products::<f64>(&x, &weights, rows), expected);
                if is_short {
                    assert_eq!(products::<i16>(&x, &weights, rows), expected);
                }
            }
        }
    }
}
