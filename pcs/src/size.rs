//! The size of an opening of one multilinear, part by part, from public parameters alone.

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::panic,
        clippy::expect_used,
        clippy::arithmetic_side_effects
    )
)]

use binfer_field::F128;
use binfer_hash::Digest;
use binfer_iop::channel::{Blank, Estimator, SoundnessTerm, VerifyError, log2_sum};

use crate::{Claim, ClaimGroup, Params, Shape, Width, log_row_for, verify};

/// Bytes of an opening with one claim on all coefficients of one oracle.
///
/// Nothing frames the parts: their sum is the length of the proof.
#[derive(Clone, Debug, PartialEq)]
pub struct OpeningSize {
    /// The coordinates of the claim: one element a coefficient of a word.
    pub ring_switching: usize,
    /// Two elements a variable of words.
    pub sumcheck: usize,
    /// What the code's proximity takes: roots of folded codewords, the message in the clear, the
    /// nonce, leaves and pruned Merkle paths.
    ///
    /// Pruning depends on the positions: those of one draw, so a proof differs by some digests.
    pub fri: usize,
    /// The error's terms, as the verifier states them.
    pub soundness: Vec<SoundnessTerm>,
}

impl OpeningSize {
    /// Bytes of the whole proof.
    pub fn total(&self) -> usize {
        self.ring_switching.saturating_add(self.sumcheck).saturating_add(self.fri)
    }

    /// `-log2` of the sum of [`Self::soundness`].
    pub fn soundness_bits(&self) -> f64 {
        -log2_sum(self.soundness.iter().map(|term| term.log2_error))
    }
}

/// The size of an opening of the multilinear with `2^n_vars` coefficients of this width, which fill
/// whole words, in the rows that [`log_row_for`] gives.
///
/// It is the verifier's own account: [`verify`] run on a proof that is not there.
///
/// # Errors
/// [`VerifyError`] where the parameters are invalid, the coefficients do not fill a word or there
/// are too many of them.
pub fn opening_size(
    params: &Params,
    width: Width,
    n_vars: u32,
) -> Result<OpeningSize, VerifyError> {
    let too_short = VerifyError::CheckFailed { label: "claim below a word" };
    let word_vars = n_vars.checked_sub(width.log_coefficients()).ok_or(too_short)?;
    let too_long = VerifyError::CheckFailed { label: "row length" };
    let n_words = 1usize.checked_shl(word_vars).ok_or(too_long)?;
    let shape = Shape::for_words(log_row_for(params, n_words), n_words);
    let claims = vec![Claim::on(0, 0, n_vars, Blank)];
    let point = vec![F128::ZERO; n_vars as usize];
    let mut channel = Estimator::new();
    let groups = [ClaimGroup::at(width, &point, claims)];
    verify(params, &[(Digest::default(), shape)], &groups, &mut channel)?;

    let ring_switching = 16usize << width.log_coefficients();
    // A row of padding has its variables too.
    let row_vars = shape.n_rows.next_power_of_two().ilog2();
    let rounds = shape.log_row.saturating_add(row_vars) as usize;
    let sumcheck = rounds.saturating_mul(32);
    let fri = channel.bytes().saturating_sub(ring_switching).saturating_sub(sumcheck);
    Ok(OpeningSize { ring_switching, sumcheck, fri, soundness: channel.terms().to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(security_bits: u32, log_inv_rate: u32, n_vars: u32) -> OpeningSize {
        let params = Params { security_bits, log_inv_rate, ..Params::fast() };
        opening_size(&params, Width::Bit, n_vars).unwrap()
    }

    #[test]
    fn openings_are_smaller_than_dp24s() {
        for (security_bits, log_inv_rate) in [(96, 1), (96, 2), (100, 1), (100, 2)] {
            for n_vars in [20, 24, 28] {
                let theirs = crate::dp24::Opening::new(n_vars, 7, security_bits, log_inv_rate);
                let ours = size(security_bits, log_inv_rate, n_vars);
                assert!((ours.fri as u64) < theirs.fri_bytes());
                assert_eq!(ours.ring_switching as u64, theirs.ring_switching_bytes());
                assert_eq!(ours.sumcheck as u64, theirs.sumcheck_bytes());
            }
        }
    }

    #[test]
    fn terms_sum_to_the_level_asked_for() {
        let size = size(103, 1, 28);
        let bits = size.soundness_bits();
        assert!((102.0..103.4).contains(&bits), "{bits}");
        assert_eq!(size.total(), size.fri + 2048 + 21 * 32);
    }

    #[cfg(feature = "prover")]
    #[test]
    fn proofs_have_the_size_computed() {
        use binfer_hash::Transcript;
        use binfer_iop::channel::ProverChannel;

        for (width, n_vars) in [(Width::Bit, 18), (Width::B8, 15), (Width::B128, 12)] {
            let params = Params::fast();
            let computed = opening_size(&params, width, n_vars).unwrap();
            let n_words = 1usize << (n_vars - width.log_coefficients());
            let words: Vec<F128> = (1..).map(F128::new).take(n_words).collect();
            let oracle = crate::commit(&params, log_row_for(&params, n_words), words);
            let claim = Claim::on(0, 0, n_vars, F128::ZERO);
            let point: Vec<F128> = (2..).map(F128::new).take(n_vars as usize).collect();
            let groups = [ClaimGroup::at(width, &point, vec![claim])];
            let mut channel = ProverChannel::new(Transcript::new("size"));
            crate::open(&params, &[&oracle], &groups, &mut channel);
            let got = channel.finish().len();
            let slack = computed.total() / 20;
            assert!(got.abs_diff(computed.total()) < slack, "{computed:?}, not {got}");
        }
    }

    #[test]
    fn sizes_without_sense_are_errors() {
        let params = Params::fast();
        assert!(opening_size(&params, Width::Bit, 6).is_err());
        assert!(opening_size(&params, Width::Bit, 80).is_err());
        assert!(opening_size(&params, Width::B128, 60).is_err());
        assert!(opening_size(&Params { log_arity: 0, ..params }, Width::Bit, 20).is_err());
    }
}
