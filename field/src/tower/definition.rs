//! The tower's arithmetic on integers, straight from its definition.

/// Multiplies elements of `2^log_bits` bits.
///
/// `(a0 + a1 X) (b0 + b1 X) = (a0 b0 + a1 b1) + (a0 b1 + a1 b0 + Y a1 b1) X`, the middle term by
/// Karatsuba.
pub(super) const fn mul(log_bits: u32, a: u128, b: u128) -> u128 {
    if log_bits == 0 {
        return a & b;
    }
    let half = 1 << (log_bits - 1);
    let mask = (1 << half) - 1;
    let (a0, a1) = (a & mask, a >> half);
    let (b0, b1) = (b & mask, b >> half);
    let low = mul(log_bits - 1, a0, b0);
    let high = mul(log_bits - 1, a1, b1);
    let middle = mul(log_bits - 1, a0 ^ a1, b0 ^ b1) ^ low ^ high;
    (low ^ high) | (middle ^ mul_generator(log_bits - 1, high)) << half
}

/// Multiplies an element of `2^log_bits` bits by the generator of its level:
/// `(a0 + a1 X) X = a1 + (a0 + Y a1) X`.
pub(super) const fn mul_generator(log_bits: u32, a: u128) -> u128 {
    if log_bits == 0 {
        return a;
    }
    let half = 1 << (log_bits - 1);
    let (a0, a1) = (a & ((1 << half) - 1), a >> half);
    a1 | (a0 ^ mul_generator(log_bits - 1, a1)) << half
}
