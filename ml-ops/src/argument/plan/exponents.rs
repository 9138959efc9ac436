//! Exponents of products, of each product its own: the bits that they are made of, and what each stands for.
//!
//! The products `P_i` and what remains on either side, `O_i` and `Q_i`, are to satisfy `P_i^(e_i) O_i = Q_i`. The exponents are
//! factors of rows, which the verifier knows, or sums `sum_b 2^(k_b) (b_i - z_b)` of codes of other matrices. With an integer `Z`
//! such that `e_i + Z` is a sum of bits `b(i)`, each times its power of two `2^t`, it is
//!
//! `prod_b (1 + b(i) (P_i + 1)^(2^t)) O_i = Q_i prod_(bits t of Z) P_i^(2^t)`.

use binfer_field::F128;

use super::Factor;

/// What multiplies a power `(P_i + 1)^(2^t)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BitOf {
    /// This bit of the exponents that the verifier knows.
    Known(u32),
    /// This bit of an operand's codes.
    Code {
        /// The operand.
        operand: usize,
        /// The bit.
        bit: u32,
    },
    /// One, on the outputs' side.
    One,
}

/// One factor `1 + b(i) (P_i + 1)^(2^power)`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bit {
    /// The logarithm of the power of two.
    pub(crate) power: u32,
    /// What is a bit.
    pub(crate) of: BitOf,
}

/// An operand whose codes are a part of exponents.
#[derive(Debug)]
pub(crate) struct Weighted {
    /// One column, with an entry a product.
    pub(crate) factor: Factor,
    /// The logarithm of what a code weighs.
    pub(crate) log_weight: u32,
    /// The code that stands for zero.
    pub(crate) zero: u8,
}

/// The exponents of a tree's products.
#[derive(Debug)]
pub(crate) struct Exponent {
    /// Those that the verifier knows, plus `Z`, one a product, or none.
    known: Vec<u64>,
    /// The operands whose codes are exponents.
    pub(crate) operands: Vec<Factor>,
    /// All bits, those of the outputs' side last.
    pub(crate) bits: Vec<Bit>,
}

/// Bits of a code.
pub(crate) const CODE_BITS: u32 = 8;

impl Exponent {
    /// Factors of rows of a valid graph, at most `2^31` in size.
    pub(super) fn of_rows(factors: &[i64]) -> Self {
        let least = factors.iter().copied().min().unwrap_or(0);
        let shift = (least < 0).then(|| least.unsigned_abs().next_power_of_two().trailing_zeros());
        let more = shift.map_or(0, |shift| 1i64 << shift);
        let known: Vec<u64> =
            factors.iter().map(|factor| factor.saturating_add(more).unsigned_abs()).collect();
        let most = known.iter().copied().max().unwrap_or(0);
        let n = (u64::BITS - most.leading_zeros()).max(1);
        let mut bits: Vec<Bit> =
            (0..n).map(|power| Bit { power, of: BitOf::Known(power) }).collect();
        bits.extend(shift.map(|power| Bit { power, of: BitOf::One }));
        Self { known, operands: Vec::new(), bits }
    }

    /// Sums of codes.
    pub(super) fn of_codes(operands: Vec<Weighted>) -> Self {
        let mut bits = Vec::new();
        let mut zero = 0u128;
        for (operand, of) in operands.iter().enumerate() {
            let of_code = (0..CODE_BITS).map(|bit| {
                let power = of.log_weight.saturating_add(bit);
                Bit { power, of: BitOf::Code { operand, bit } }
            });
            bits.extend(of_code);
            zero = zero.saturating_add(u128::from(of.zero) << of.log_weight);
        }
        let set = (0..u128::BITS).filter(|power| zero >> power & 1 == 1);
        bits.extend(set.map(|power| Bit { power, of: BitOf::One }));
        let operands = operands.into_iter().map(|of| of.factor).collect();
        Self { known: Vec::new(), operands, bits }
    }

    /// How many powers `(P_i + 1)^(2^t)` the relation has, from `t = 0` on.
    pub(crate) fn powers(&self) -> u32 {
        self.bits.iter().map(|bit| bit.power.saturating_add(1)).max().unwrap_or(0)
    }

    /// How many factors there are on the exponents' side, and on the outputs'.
    pub(crate) fn sides(&self) -> [usize; 2] {
        let other = self.bits.iter().filter(|bit| bit.of == BitOf::One).count();
        [self.bits.len().saturating_sub(other), other]
    }

    /// The bits of codes, each a claim on what is committed or public.
    pub(crate) fn code_bits(&self) -> usize {
        self.operands.len().saturating_mul(CODE_BITS as usize)
    }

    /// Bit `s` of the exponents that the verifier knows.
    #[cfg(feature = "prover")]
    pub(crate) fn known(&self, s: u32) -> impl Iterator<Item = bool> {
        self.known.iter().map(move |exponent| exponent >> s & 1 == 1)
    }

    /// The extension of bit `s` of those, by the weights of products.
    pub(crate) fn known_at(&self, s: u32, eq: &[F128]) -> F128 {
        let set = self.known.iter().zip(eq).filter(|(exponent, _)| *exponent >> s & 1 == 1);
        set.map(|(_, &eq)| eq).sum()
    }
}

#[cfg(test)]
impl Exponent {
    /// Of codes with these logarithms of weights and zeros, of no matrix.
    pub(crate) fn of_weights(weights: &[(u32, u8)]) -> Self {
        let weighted = |&(log_weight, zero): &(u32, u8)| {
            let chunk = super::Chunk { view: 0, matrix: 0, first: 0, bits: 8, other: None };
            Weighted { factor: Factor::plain(chunk, false, 1), log_weight, zero }
        };
        Self::of_codes(weights.iter().map(weighted).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_the_factors_but_for_a_shift() {
        for (factors, n, shift) in [
            (&[0][..], 1, None),
            (&[1, 0, 6], 3, None),
            (&[-1, 1], 2, Some(0)),
            (&[-5, 3, 0], 4, Some(3)),
            (&[-(1 << 31), 1 << 31], 33, Some(31)),
        ] {
            let of = Exponent::of_rows(factors);
            assert_eq!(of.sides(), [n, usize::from(shift.is_some())], "{factors:?}");
            let mut sums = vec![0; factors.len()];
            for bit in &of.bits {
                for (i, sum) in sums.iter_mut().enumerate() {
                    *sum += match bit.of {
                        BitOf::Known(s) => (of.known[i] as i64 >> s & 1) << bit.power,
                        BitOf::One => {
                            assert_eq!(Some(bit.power), shift);
                            -(1i64 << bit.power)
                        }
                        BitOf::Code { .. } => panic!("no codes"),
                    };
                }
            }
            assert_eq!(sums, factors);
        }
    }

    #[test]
    fn bits_of_codes_add_up_to_their_sum() {
        let of = Exponent::of_weights(&[(0, 0), (2, 7), (31, 255)]);
        assert_eq!((of.code_bits(), of.sides()), (24, [24, 11]));
        assert_eq!(of.powers(), 39);
        let codes = [17i64, 200, 255];
        let sum = of.bits.iter().map(|bit| match bit.of {
            BitOf::Code { operand, bit: s } => (codes[operand] >> s & 1) << bit.power,
            BitOf::One => -(1i64 << bit.power),
            BitOf::Known(_) => panic!("no rows"),
        });
        assert_eq!(sum.sum::<i64>(), 17 + ((200 - 7) << 2));
    }
}
