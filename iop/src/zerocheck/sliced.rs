//! Arithmetic of GF(2^8) on 64 elements at once, bit-sliced.

use binfer_field::{F128, subset_sums};

use super::domain;

/// 64 elements of GF(2^8): word `k` holds their coefficients of `g^k`.
pub(super) type Sliced = [u64; 8];

/// `a[i] * b[i]`.
#[inline]
pub(super) fn mul(a: &Sliced, b: &Sliced) -> Sliced {
    let mut wide = [0u64; 15];
    for i in 0..8 {
        for j in 0..8 {
            wide[i + j] ^= a[i] & b[j];
        }
    }
    reduce(&mut wide)
}

/// `a[i] * g^shift`, `shift` at most 7.
#[inline]
pub(super) fn mul_power(a: &Sliced, shift: usize) -> Sliced {
    let mut wide = [0u64; 15];
    wide[shift..shift + 8].copy_from_slice(a);
    reduce(&mut wide)
}

/// `a[i] + b[i]`.
#[inline]
pub(super) fn add(a: &Sliced, b: &Sliced) -> Sliced {
    core::array::from_fn(|k| a[k] ^ b[k])
}

/// Modulo `x^8 + x^4 + x^3 + x^2 + 1`.
#[inline]
fn reduce(wide: &mut [u64; 15]) -> Sliced {
    for k in (8..15).rev() {
        for tap in [4, 5, 6, 8] {
            wide[k - tap] ^= wide[k];
        }
    }
    core::array::from_fn(|k| wide[k])
}

/// Extends 64 bits on the domain to their polynomial's values on the coset, a byte of bits at a time.
pub(super) struct Extension {
    tables: Vec<[Sliced; 256]>,
}

impl Extension {
    /// Builds the tables: 128 KiB.
    pub(super) fn new() -> Self {
        // L_d(e + g^6) = L_{d + e}(g^6), as D is a subspace.
        let weights = domain::lagrange(domain::shift()).map(coefficients);
        let column = |d: usize| -> Sliced {
            core::array::from_fn(|k| {
                let bit = |e: usize| u64::from(weights[d ^ e] >> k & 1) << e;
                (0..domain::SIZE).map(bit).sum()
            })
        };
        let columns: [Sliced; domain::SIZE] = core::array::from_fn(column);
        let table = |chunk: &[Sliced]| {
            let mut table = [[0u64; 8]; 256];
            for (i, column) in chunk.iter().enumerate() {
                for j in 0..1 << i {
                    table[j | 1 << i] = add(&table[j], column);
                }
            }
            table
        };
        Self { tables: columns.chunks_exact(8).map(table).collect() }
    }

    /// The extension of `bits`.
    #[inline]
    pub(super) fn apply(&self, bits: u64) -> Sliced {
        let mut sum = [0; 8];
        for (table, byte) in self.tables.iter().zip(bits.to_le_bytes()) {
            sum = add(&sum, &table[usize::from(byte)]);
        }
        sum
    }
}

/// The coefficients of an element of GF(2^8), that of `g^k` in bit `k`.
fn coefficients(element: F128) -> u8 {
    let table = subset_sums(&domain::basis());
    let byte = (0..=u8::MAX).find(|&byte| table[usize::from(byte)] == element);
    byte.expect("the Lagrange basis over a subfield's elements has its values there")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unslice(a: &Sliced, i: usize) -> F128 {
        let basis = domain::basis();
        (0..8).filter(|&k| a[k] >> i & 1 == 1).map(|k| basis[k]).sum()
    }

    #[test]
    fn sliced_arithmetic_is_that_of_the_subfield() {
        let a: Sliced =
            core::array::from_fn(|k| 0x9e37_79b9_7f4a_7c15u64.rotate_left(7 * k as u32));
        let b: Sliced =
            core::array::from_fn(|k| 0xd1b5_4a32_d192_ed03u64.rotate_left(11 * k as u32));
        for i in 0..64 {
            assert_eq!(unslice(&mul(&a, &b), i), unslice(&a, i) * unslice(&b, i));
            for shift in 0..8 {
                let expected = unslice(&a, i) * domain::basis()[shift];
                assert_eq!(unslice(&mul_power(&a, shift), i), expected);
            }
        }
    }

    #[test]
    fn extension_is_the_lagrange_interpolation() {
        let bits = 0x0123_4567_89ab_cdefu64;
        let extended = Extension::new().apply(bits);
        for (i, d) in domain::points().into_iter().enumerate() {
            let weights = domain::lagrange(d + domain::shift());
            let chosen = weights.iter().enumerate().filter(|(j, _)| bits >> j & 1 == 1);
            assert_eq!(unslice(&extended, i), chosen.map(|(_, &w)| w).sum());
        }
    }
}
