//! How many queries a level of soundness takes in the unique-decoding regime.

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::panic,
        clippy::expect_used,
        clippy::arithmetic_side_effects
    )
)]

/// `log2((1 + rho) / 2)` for the rate `rho = 2^-log_inv_rate`: what one query adds to the logarithm
/// of the error.
///
/// A word further from the code than half its distance differs from every codeword in more than
/// `(1 - rho) / 2` of the positions, so one position hides it with probability below `(1 + rho) / 2`
/// (DP23, section 3; DP24, section 4).
pub fn log2_query_error(log_inv_rate: u32) -> f64 {
    let rate = (-f64::from(log_inv_rate)).exp2();
    ((1.0 + rate) / 2.0).log2()
}

/// The fewest queries whose error is at most `2^-security_bits`:
/// `ceil(security_bits / -log2((1 + rho) / 2))`.
pub fn queries(security_bits: u32, log_inv_rate: u32) -> usize {
    (f64::from(security_bits) / -log2_query_error(log_inv_rate)).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_the_papers() {
        assert_eq!([queries(100, 1), queries(100, 2)], [241, 148]);
        assert_eq!([queries(96, 1), queries(96, 2)], [232, 142]);
    }

    #[test]
    fn counts_are_the_fewest() {
        for security_bits in 1..=128 {
            for log_inv_rate in 1..=8 {
                let bits = |n: usize| -log2_query_error(log_inv_rate) * n as f64;
                let n = queries(security_bits, log_inv_rate);
                assert!(bits(n) >= f64::from(security_bits));
                assert!(bits(n - 1) < f64::from(security_bits));
            }
        }
    }
}
