//! The opening's verifier.

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::panic,
        clippy::expect_used,
        clippy::arithmetic_side_effects
    )
)]

use binfer_field::{F128, kernels};
use binfer_hash::Digest;
use binfer_iop::channel::{Element, SoundnessTerm, VerifierChannel, VerifyError};
use binfer_iop::sumcheck::verify_round;

use crate::layout::{Layout, Piece, claim_weights, low_bits, powers};
use crate::packing::{SWITCH_VARS, Switches};
use crate::tensor::weight_tensor;
use crate::{ClaimGroup, Params, Shape, Width, code};

/// Verifies that the words behind `commitments` satisfy all claims.
///
/// The roots, the shapes, the points and the claimed values are the statement: the caller has them in
/// the transcript already. Work is `O(queries * rows)` and logarithmic in the length of a row, and
/// per group of claims logarithmic as well, plus 128 additions a claim and row.
///
/// # Errors
/// [`VerifyError`] on anything that is not a valid opening, including statements that make no sense:
/// rows of different lengths, claims on no oracle, misaligned or longer than their point.
pub fn verify<C: VerifierChannel>(
    params: &Params,
    commitments: &[(Digest, Shape)],
    groups: &[ClaimGroup<C::Elem>],
    channel: &mut C,
) -> Result<(), VerifyError> {
    let shapes: Vec<Shape> = commitments.iter().map(|&(_, shape)| shape).collect();
    let layout = Layout::new(params, &shapes)?;
    let n_claims = groups.iter().fold(0usize, |n, group| n.saturating_add(group.claims.len()));
    if layout.total_rows == 0 || n_claims == 0 {
        let mut claims = groups.iter().flat_map(|group| &group.claims);
        return claims
            .try_for_each(|claim| channel.assert_zero("claim on empty oracles", claim.value));
    }

    channel.soundness(SoundnessTerm::schwartz_zippel("claim batching", n_claims as f64));
    let (weights, claim) = switch_rings(&layout, groups, channel)?;
    let folding = fold(params, &layout, claim, channel)?;
    query(params, commitments, &folding, channel)?;

    let a = weights.at(groups, &folding);
    let t = kernels::inner_product(&folding.message, &kernels::eq_table(folding.last_challenges()));
    let difference = combination(a * t, [(folding.claim, F128::ONE)]);
    channel.assert_zero("opened value", difference)
}

/// `constant + sum element * weight`.
#[expect(clippy::arithmetic_side_effects, reason = "field operations cannot overflow")]
fn combination<E: Element>(constant: F128, terms: impl IntoIterator<Item = (E, F128)>) -> E {
    terms.into_iter().fold(E::from(constant), |sum, (element, weight)| sum + element * weight)
}

/// The batched weights: the claims say that `sum_{row, y} A(row, y) word(row, y)` has some value.
struct Weights {
    /// The pieces of each group.
    pieces: Vec<Vec<Piece>>,
    switches: Switches,
}

impl Weights {
    /// `A` at the point that the sumcheck ends in.
    fn at<E>(&self, groups: &[ClaimGroup<E>], folding: &Folding<E>) -> F128 {
        let parts = groups.iter().zip(&self.pieces).map(|(group, pieces)| {
            let tensor = weight_tensor(pieces, &folding.row_table, &folding.point, &group.point);
            tensor.apply(&self.switches.of(group.width).images)
        });
        parts.sum()
    }
}

/// Reduces claims on coefficients to one claim on words.
fn switch_rings<C: VerifierChannel>(
    layout: &Layout,
    groups: &[ClaimGroup<C::Elem>],
    channel: &mut C,
) -> Result<(Weights, C::Elem), VerifyError> {
    let alpha = channel.challenge("claim batching");
    let claim_weights = claim_weights(groups, alpha);
    let mut sums = Vec::with_capacity(groups.len());
    for (group, weights) in groups.iter().zip(&claim_weights) {
        let log_word = group.width.log_coefficients();
        let s = channel.receive_public("ring switching", 1 << log_word)?;
        if group.coefficients.len() == s.len() {
            let value = kernels::inner_product(&s, &group.coefficients);
            let claimed = group.claims.iter().map(|claim| claim.value);
            let difference = combination(value, claimed.zip(weights.iter().copied()));
            channel.assert_zero("ring switching", difference)?;
        } else if !group.claims.is_empty() {
            return Err(VerifyError::CheckFailed { label: "coefficient weights" });
        }
        sums.push(s);
    }

    let gamma = channel.challenge("group batching");
    let switches = Switches::new(channel.challenges("coordinate batching", SWITCH_VARS));
    let degree = groups.len().saturating_sub(1).saturating_add(SWITCH_VARS);
    channel.soundness(SoundnessTerm::schwartz_zippel("ring switching", degree as f64));
    let mut totals = Width::ALL.map(|width| (width, Vec::new()));
    let mut pieces = Vec::with_capacity(groups.len());
    for (((group, weights), s), power) in
        groups.iter().zip(&claim_weights).zip(&sums).zip(powers(gamma))
    {
        // The power weights words, so it multiplies before coordinates are taken.
        for (_, total) in totals.iter_mut().filter(|(width, _)| *width == group.width) {
            total.resize(s.len(), F128::ZERO);
            kernels::add_scaled(total, s, power);
        }
        let weights: Vec<F128> = weights.iter().map(|&weight| power * weight).collect();
        pieces.push(layout.pieces(group, &weights)?);
    }
    let used = totals.iter().filter(|(_, total)| !total.is_empty());
    let claim: F128 = used.map(|(width, total)| switches.of(*width).transpose(total)).sum();
    Ok((Weights { pieces, switches }, C::Elem::from(claim)))
}

/// A finished sumcheck and what was sent along it.
struct Folding<E> {
    /// The value that `A * T` must have at the end.
    claim: E,
    /// `eq(row challenges, row)` for all rows.
    row_table: Vec<F128>,
    /// The challenges of a row's variables, lowest first.
    point: Vec<F128>,
    /// Each folded codeword's root with the number of variables that it binds.
    codewords: Vec<(Digest, u32)>,
    /// The folded message.
    message: Vec<F128>,
}

impl<E> Folding<E> {
    /// The challenges after the message was sent.
    fn last_challenges(&self) -> &[F128] {
        let n_vars = self.message.len().checked_ilog2().unwrap_or(0) as usize;
        let n_folded = self.point.len().saturating_sub(n_vars);
        self.point.get(n_folded..).unwrap_or(&[])
    }
}

/// The sumcheck: variables of the rows' indices, highest first, then those of a row, lowest first,
/// with the folded codewords between.
fn fold<C: VerifierChannel>(
    params: &Params,
    layout: &Layout,
    mut claim: C::Elem,
    channel: &mut C,
) -> Result<Folding<C::Elem>, VerifyError> {
    let mut row_point = Vec::new();
    for _ in 0..layout.row_vars() {
        let (r, next) = verify_round(channel, claim, 2)?;
        row_point.push(r);
        claim = next;
    }
    row_point.reverse();
    let log_length = layout.log_row.saturating_add(params.log_inv_rate);
    if layout.row_vars() > 0 {
        channel.soundness(SoundnessTerm {
            label: "proximity gap of the row combination",
            log2_error: f64::from(layout.row_vars()).log2() + f64::from(log_length) - 128.0,
        });
    }
    channel.soundness(SoundnessTerm {
        label: "proximity gaps of the folds",
        log2_error: f64::from(log_length) - 128.0,
    });

    let mut point = Vec::new();
    let mut codewords = Vec::new();
    for step in params.schedule(layout.log_row) {
        codewords.push((channel.receive_digest("folded codeword")?, step));
        for _ in 0..step {
            let (r, next) = verify_round(channel, claim, 2)?;
            point.push(r);
            claim = next;
        }
    }
    let n_left = (layout.log_row as usize).saturating_sub(point.len());
    let message = channel.receive_public("folded message", 1 << n_left)?;
    for _ in 0..n_left {
        let (r, next) = verify_round(channel, claim, 2)?;
        point.push(r);
        claim = next;
    }
    let row_table = kernels::eq_table(&row_point);
    Ok(Folding { claim, row_table, point, codewords, message })
}

/// Opens codewords at random positions and checks that each folds to the next.
fn query<C: VerifierChannel>(
    params: &Params,
    commitments: &[(Digest, Shape)],
    folding: &Folding<C::Elem>,
    channel: &mut C,
) -> Result<(), VerifyError> {
    channel.check_grinding(params.grinding_bits)?;
    let mut log_length = (folding.point.len() as u32).saturating_add(params.log_inv_rate);
    let positions = channel.positions("queries", log_length, params.queries());
    channel.soundness(SoundnessTerm {
        label: "queries",
        log2_error: params.log2_query_error() * params.queries() as f64
            - f64::from(params.grinding_bits),
    });

    // The row combination at each position.
    let mut symbols: Vec<(usize, F128)> = positions.iter().map(|&x| (x, F128::ZERO)).collect();
    let mut row_table = folding.row_table.as_slice();
    for &(root, Shape { n_rows, .. }) in commitments.iter().filter(|(_, s)| s.n_rows > 0) {
        let leaves = channel.receive_leaves(params.hash, &root, log_length, n_rows, &positions)?;
        let (weights, rest) = row_table.split_at_checked(n_rows).unwrap_or((&[], &[]));
        row_table = rest;
        for ((_, symbol), leaf) in symbols.iter_mut().zip(leaves.chunks_exact(n_rows)) {
            *symbol += kernels::inner_product(leaf, weights);
        }
    }

    let mut challenges = folding.point.as_slice();
    for &(root, step) in &folding.codewords {
        let (bound, rest) = challenges.split_at_checked(step as usize).unwrap_or((&[], &[]));
        challenges = rest;
        log_length = log_length.saturating_sub(step);
        let mut cosets: Vec<usize> = symbols.iter().map(|&(x, _)| x >> step).collect();
        cosets.dedup();
        let leaves = channel.receive_leaves(params.hash, &root, log_length, 1 << step, &cosets)?;
        let mut folded = Vec::with_capacity(cosets.len());
        let mut expected = symbols.iter().peekable();
        for (&coset, leaf) in cosets.iter().zip(leaves.chunks_exact(1 << step)) {
            while let Some(&(x, symbol)) = expected.next_if(|(x, _)| x >> step == coset) {
                let sent = leaf.get(low_bits(x, step)).copied().unwrap_or(F128::ZERO);
                channel.assert_equal_public("folded symbol", sent, symbol)?;
            }
            folded.push((coset, code::fold_coset(leaf.to_vec(), coset, bound)));
        }
        symbols = folded;
    }

    let codeword = code::encode(&folding.message, params.log_inv_rate);
    for (x, symbol) in symbols {
        let encoded = codeword.get(x).copied().unwrap_or(F128::ZERO);
        channel.assert_equal_public("folded message", encoded, symbol)?;
    }
    Ok(())
}
