//! The Reed-Solomon code: polynomials in the novel basis, evaluated on a subspace with a Cantor basis.
//!
//! The basis is `b_0 = 1`, `b_i = b_{i+1}^2 + b_{i+1}` (D. Cantor, "On arithmetical algorithms over
//! finite fields", 1989). With `s(X) = X^2 + X`, the subspace polynomial of `b_0, .., b_{i-1}` is the
//! `i`-fold composition of `s`, and its normalisation in the novel basis (Lin, Chung, Han, FOCS
//! 2014; DP24, section 2.3) is itself, since it maps `b_i` to `b_0 = 1`. So a message `a` becomes
//!
//! `codeword[x] = sum_j a_j prod_{i in j} s^i(v)`, `v = sum_m x_m b_m`,
//!
//! and the butterfly of layer `i`, block `k`, has the factor `s^i(sum_m k_m b_{m+i+1}) =
//! sum_m k_m b_{m+1}`: one table of twiddles serves all layers, all folded codes and all rates.

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::panic,
        clippy::expect_used,
        clippy::arithmetic_side_effects
    )
)]

use std::sync::OnceLock;

use binfer_field::{F128, kernels};

/// Dimensions of the largest domain.
pub(crate) const MAX_LOG_LENGTH: u32 = 48;

/// `b_1, b_2, ..`: entry `m` is what bit `m` of a block's index adds to its twiddle.
pub(crate) fn basis() -> &'static [F128] {
    static BASIS: OnceLock<Vec<F128>> = OnceLock::new();
    BASIS.get_or_init(|| {
        // x^121 has trace one, and the 127-fold composition of s is the trace.
        let mut chain = vec![F128::new(1 << 121)];
        let mut last = F128::new(1 << 121);
        for _ in 1..127 {
            last = last.square() + last;
            chain.push(last);
        }
        chain.reverse();
        chain.truncate(MAX_LOG_LENGTH as usize);
        chain
    })
}

/// The twiddle of block `k`: `sum_m k_m b_{m+1}`.
pub(crate) fn twiddle(k: usize) -> F128 {
    let mut rest = k;
    let mut sum = F128::ZERO;
    for &b in basis() {
        if rest == 0 {
            break;
        }
        if rest & 1 == 1 {
            sum += b;
        }
        rest >>= 1;
    }
    sum
}

/// The twiddles of the blocks `0..2^log_n`.
pub(crate) fn twiddles(log_n: u32) -> Vec<F128> {
    let mut table = vec![F128::ZERO];
    for &b in basis().iter().take(log_n as usize) {
        table.extend_from_within(..);
        let half = table.len() / 2;
        for t in table.iter_mut().skip(half) {
            *t += b;
        }
    }
    table
}

/// The codeword of a short message; its length is a power of two.
///
/// Layers are applied one after another over the whole codeword, all scalars of a block at once.
pub(crate) fn encode(message: &[F128], log_inv_rate: u32) -> Vec<F128> {
    // The top `log_inv_rate` layers meet zeros and copy.
    let mut codeword = message.repeat(1 << log_inv_rate);
    let table = twiddles(codeword.len().ilog2().saturating_sub(1));
    let mut half = message.len() / 2;
    let mut n_blocks = 1usize << log_inv_rate;
    while half > 0 {
        kernels::butterflies(
            &mut codeword,
            half,
            table.get(..n_blocks).unwrap_or(&table),
            F128::ZERO,
        );
        half >>= 1;
        n_blocks <<= 1;
    }
    codeword
}

/// Folds the coset of `2^n` symbols with index `coset` at `n` challenges, that of the lowest variable
/// first: one symbol of the code that is `n` times shorter.
///
/// Each step inverts a butterfly of the last layer and interpolates: `lo + r (lo + hi)`.
pub(crate) fn fold_coset(mut symbols: Vec<F128>, coset: usize, challenges: &[F128]) -> F128 {
    for (done, &r) in challenges.iter().enumerate() {
        let left = challenges.len().saturating_sub(done).saturating_sub(1);
        let base = twiddle(coset << left);
        symbols = symbols
            .chunks_exact(2)
            .enumerate()
            .map(|(j, pair)| match *pair {
                [a, b] => {
                    let hi = a + b;
                    let lo = a + (base + twiddle(j)) * hi;
                    lo + r * (lo + hi)
                }
                _ => F128::ZERO,
            })
            .collect();
    }
    symbols.first().copied().unwrap_or(F128::ZERO)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    fn random(seed: u64, n: usize) -> Vec<F128> {
        let mut rng = StdRng::seed_from_u64(seed);
        (0..n).map(|_| F128::random(&mut rng)).collect()
    }

    /// The definition in the module's documentation, literally.
    fn encode_naively(message: &[F128], log_inv_rate: u32) -> Vec<F128> {
        let length = message.len() << log_inv_rate;
        (0..length)
            .map(|x| {
                let mut point = F128::ZERO;
                for (m, b) in core::iter::once(F128::ONE).chain(basis().iter().copied()).enumerate()
                {
                    if x.checked_shr(m as u32).unwrap_or(0) & 1 == 1 {
                        point += b;
                    }
                }
                message
                    .iter()
                    .enumerate()
                    .map(|(j, &a)| {
                        let mut term = a;
                        let mut w = point;
                        for i in 0..message.len().ilog2() {
                            if j >> i & 1 == 1 {
                                term *= w;
                            }
                            w = w.square() + w;
                        }
                        term
                    })
                    .sum()
            })
            .collect()
    }

    #[test]
    fn the_chain_is_a_cantor_basis() {
        let first = basis()[0];
        assert_eq!(first.square() + first, F128::ONE);
        for pair in basis().windows(2) {
            assert_eq!(pair[1].square() + pair[1], pair[0]);
        }
        for (k, t) in twiddles(9).into_iter().enumerate() {
            assert_eq!(t, twiddle(k));
        }
    }

    proptest! {
        #[test]
        fn encoding_evaluates(log in 0u32..6, rate in 1u32..4, seed: u64) {
            let message = random(seed, 1 << log);
            prop_assert_eq!(encode(&message, rate), encode_naively(&message, rate));
        }

        #[test]
        fn encoding_is_linear(log in 0u32..9, seed: u64) {
            let (a, b) = (random(seed, 1 << log), random(seed ^ 1, 1 << log));
            let c = random(seed ^ 2, 1)[0];
            let mix = |a: &[F128], b: &[F128]| -> Vec<F128> {
                a.iter().zip(b).map(|(&a, &b)| a + c * b).collect()
            };
            prop_assert_eq!(encode(&mix(&a, &b), 1), mix(&encode(&a, 1), &encode(&b, 1)));
        }

        #[test]
        fn folding_commutes_with_encoding(log in 0u32..8, steps in 0u32..5, seed: u64) {
            let steps = steps.min(log);
            let challenges = random(seed ^ 1, steps as usize);
            let mut message = random(seed, 1 << log);
            let codeword = encode(&message, 2);
            for &r in &challenges {
                message = message.chunks(2).map(|p| p[0] + r * (p[0] + p[1])).collect();
            }
            let folded: Vec<F128> = codeword
                .chunks(1 << steps)
                .enumerate()
                .map(|(coset, symbols)| fold_coset(symbols.to_vec(), coset, &challenges))
                .collect();
            prop_assert_eq!(folded, encode(&message, 2));
        }
    }
}
