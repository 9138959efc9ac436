//! `open`: the mirror of [`verify`](crate::verify), message for message.

use binfer_field::{F128, kernels};
use binfer_iop::buffer::Buffer;
use binfer_iop::channel::ProverChannel;
use binfer_iop::sumcheck::send_round;
use rayon::prelude::*;

use super::Oracle;
use super::fold::FoldedCodeword;
use super::ntt::encode_rows;
use super::sumcheck::{
    Round, TASK, bind_halves, bind_neighbours, round_of_halves, round_of_neighbours,
};
use super::weights::{GroupWeights, batched_weights};
use crate::layout::{Layout, claim_weights, powers};
use crate::packing::{SWITCH_VARS, Switches};
use crate::{ClaimGroup, Params, Shape, code};

/// Proves all claims on `oracles` at once.
///
/// The roots, the shapes, the points and the claimed values are in the transcript already. False
/// claims give a proof that is rejected.
///
/// # Panics
/// Where the statement makes no sense: oracles with rows of different lengths or committed with other
/// parameters, claims on no oracle, misaligned or longer than their point.
pub fn open(
    params: &Params,
    oracles: &[&Oracle],
    groups: &[ClaimGroup<F128>],
    channel: &mut ProverChannel,
) {
    let shapes: Vec<Shape> = oracles.iter().map(|oracle| oracle.shape()).collect();
    let layout = match Layout::new(params, &shapes) {
        Ok(layout) => layout,
        Err(error) => panic!("{error}"),
    };
    if layout.total_rows == 0 || groups.iter().all(|group| group.claims.is_empty()) {
        return;
    }
    let rows: Vec<&[F128]> = oracles
        .iter()
        .flat_map(|oracle| (0..oracle.shape().n_rows).map(|row| oracle.row(row)))
        .collect();
    let shape = Shape { log_row: layout.log_row, n_rows: 1 };
    let encode = |row: &[F128]| encode_rows(row, shape, params.log_inv_rate);
    let codewords = reduce(params, &layout, &rows, groups, channel, encode);
    query(params, oracles, &codewords, channel);
}

/// Everything before the queries: returns the folded codewords, `encode` giving the symbols of the
/// first from the combined row.
fn reduce(
    params: &Params,
    layout: &Layout,
    rows: &[&[F128]],
    groups: &[ClaimGroup<F128>],
    channel: &mut ProverChannel,
    encode: impl FnOnce(&[F128]) -> Buffer,
) -> Vec<FoldedCodeword> {
    let alpha = channel.challenge("claim batching");
    let claim_weights = claim_weights(groups, alpha);
    let weigh =
        |(group, weights): (&ClaimGroup<F128>, &Vec<F128>)| match layout.pieces(group, weights) {
            Ok(pieces) => GroupWeights::new(group, pieces),
            Err(error) => panic!("{error}"),
        };
    let mut weights: Vec<GroupWeights> = groups.par_iter().zip(&claim_weights).map(weigh).collect();
    let sums = weights.par_iter().map(|group| group.coefficient_sums(rows));
    for sums in sums.collect::<Vec<_>>() {
        channel.send_public("ring switching", &sums);
    }

    let gamma = channel.challenge("group batching");
    let switches = Switches::new(channel.challenges("coordinate batching", SWITCH_VARS));
    for (group, power) in weights.iter_mut().zip(powers(gamma)) {
        group.scale(power);
    }
    let (a, round) = batched_weights(&weights, &switches, rows);
    let (t, a) = combine_rows(rows, a, round, channel);
    fold_rows(params, (t, a), channel, encode)
}

/// Opens all codewords at random positions.
fn query(
    params: &Params,
    oracles: &[&Oracle],
    codewords: &[FoldedCodeword],
    channel: &mut ProverChannel,
) {
    channel.grind(params.grinding_bits);
    let log_length = oracles[0].shape().log_row + params.log_inv_rate;
    let mut positions = channel.positions("queries", log_length, params.queries());
    for oracle in oracles {
        if let Some(tree) = oracle.tree() {
            let leaves: Vec<F128> =
                positions.iter().flat_map(|&x| oracle.leaf(x)).copied().collect();
            channel.send_leaves(tree, &positions, &leaves);
        }
    }
    for codeword in codewords {
        positions.iter_mut().for_each(|x| *x >>= codeword.step());
        positions.dedup();
        channel.send_leaves(codeword.tree(), &positions, &codeword.cosets(&positions));
    }
}

/// The rounds of the rows' variables, highest first, of which the caller has the first
/// polynomial: returns the combined row and weights.
fn combine_rows(
    rows: &[&[F128]],
    mut a: Buffer,
    first_round: Round,
    channel: &mut ProverChannel,
) -> (Vec<F128>, Vec<F128>) {
    let length = rows[0].len();
    let n_vars = rows.len().next_power_of_two().ilog2();
    if n_vars == 0 {
        return (rows[0].to_vec(), a.to_vec());
    }
    // The first round leaves the rows where they are.
    let r = send_round(channel, &first_round, 2);
    let half = 1 << (n_vars - 1);
    let (lower, upper) = rows.split_at(half);
    let (a_lo, a_hi) = a.split_at_mut(half * length);
    let mut t = Buffer::unspecified(half * length);
    let task = TASK.min(length);
    t.par_chunks_mut(task).enumerate().for_each(|(i, bound)| {
        let (row, start) = (i * task / length, i * task % length);
        let low = &lower[row][start..][..task];
        match upper.get(row) {
            Some(high) => kernels::fold_into(bound, low, &high[start..][..task], r),
            None => kernels::scale_into(bound, low, F128::ONE + r),
        }
    });
    let (present, absent) = a_lo.split_at_mut(a_hi.len());
    bind_halves(present, a_hi, r);
    absent.par_chunks_mut(TASK).for_each(|row| kernels::scale(row, F128::ONE + r));

    let (mut t, mut a) = (&mut t[..], &mut a[..half * length]);
    while t.len() > length {
        let (t_lo, t_hi) = t.split_at_mut(t.len() / 2);
        let (a_lo, a_hi) = a.split_at_mut(a.len() / 2);
        let r = send_round(channel, &round_of_halves((t_lo, t_hi), (a_lo, a_hi)), 2);
        bind_halves(t_lo, t_hi, r);
        bind_halves(a_lo, a_hi, r);
        (t, a) = (t_lo, a_lo);
    }
    (t.to_vec(), a.to_vec())
}

/// The rounds of a row's variables, lowest first, with the folded codewords between.
fn fold_rows(
    params: &Params,
    (mut t, mut a): (Vec<F128>, Vec<F128>),
    channel: &mut ProverChannel,
    encode: impl FnOnce(&[F128]) -> Buffer,
) -> Vec<FoldedCodeword> {
    let log_row = t.len().ilog2();
    let schedule = params.schedule(log_row);
    let round = |t: &mut Vec<F128>, a: &mut Vec<F128>, channel: &mut ProverChannel| {
        let r = send_round(channel, &round_of_neighbours(t, a), 2);
        *t = bind_neighbours(t, r);
        *a = bind_neighbours(a, r);
        r
    };
    let mut codewords = Vec::with_capacity(schedule.len());
    if !schedule.is_empty() {
        let twiddles = code::twiddles(log_row + params.log_inv_rate - 1);
        let mut symbols = encode(&t);
        for (i, &step) in schedule.iter().enumerate() {
            let codeword = FoldedCodeword::new(params.hash, symbols, step);
            channel.send_digest("folded codeword", &codeword.tree().root());
            let challenges: Vec<F128> = (0..step).map(|_| round(&mut t, &mut a, channel)).collect();
            // The last folded codeword is that of the message sent in the clear.
            symbols = if i + 1 < schedule.len() {
                codeword.fold(&twiddles, &challenges).into()
            } else {
                Vec::new().into()
            };
            codewords.push(codeword);
        }
    }
    channel.send_public("folded message", &t);
    while t.len() > 1 {
        round(&mut t, &mut a, channel);
    }
    codewords
}

#[cfg(test)]
mod tests {
    use binfer_hash::Transcript;
    use binfer_iop::channel::{ProofReader, VerifyError};
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::{Claim, Width, commit, verify};

    const LOG_ROW: u32 = 14;

    fn random_words(rng: &mut StdRng, n_rows: usize) -> Vec<F128> {
        (0..n_rows << LOG_ROW).map(|_| F128::random(rng)).collect()
    }

    /// A true claim on the first row.
    fn groups(rng: &mut StdRng, words: &[F128]) -> Vec<ClaimGroup<F128>> {
        let point: Vec<F128> = (0..LOG_ROW).map(|_| F128::random(rng)).collect();
        let row = &words[..1 << LOG_ROW];
        let value = kernels::inner_product(row, &kernels::eq_table(&point));
        let claims = vec![Claim::on(0, 0, LOG_ROW, value)];
        vec![ClaimGroup::at(Width::B128, &point, claims)]
    }

    fn check(
        oracle: &Oracle,
        groups: &[ClaimGroup<F128>],
        channel: ProverChannel,
    ) -> Result<(), VerifyError> {
        let proof = channel.finish();
        let mut reader = ProofReader::new(Transcript::new("cheats"), &proof);
        verify(&Params::default(), &[(oracle.root(), oracle.shape())], groups, &mut reader)
    }

    #[test]
    fn other_words_than_committed_are_rejected() {
        let mut rng = StdRng::seed_from_u64(1);
        let honest = commit(&Params::default(), LOG_ROW, random_words(&mut rng, 3));
        let words = random_words(&mut rng, 3);
        let groups = groups(&mut rng, &words);
        let cheat = honest.with_words(words);
        let mut channel = ProverChannel::new(Transcript::new("cheats"));
        open(&Params::default(), &[&cheat], &groups, &mut channel);
        let label = "folded symbol";
        assert_eq!(check(&cheat, &groups, channel), Err(VerifyError::CheckFailed { label }));
    }

    #[test]
    fn words_far_from_the_code_are_rejected() {
        let params = Params::default();
        let mut rng = StdRng::seed_from_u64(2);
        let words = random_words(&mut rng, 3);
        let groups = groups(&mut rng, &words);
        // A quarter of the positions of one row is the unique-decoding radius at rate 1/2.
        let noise: Vec<F128> = (0..2 << LOG_ROW)
            .map(|x| if x % 4 == 0 { F128::random(&mut rng) } else { F128::ZERO })
            .collect();
        let cheat = commit(&params, LOG_ROW, words).with_noise(&params, &noise);
        let mut channel = ProverChannel::new(Transcript::new("cheats"));
        open(&params, &[&cheat], &groups, &mut channel);
        let label = "folded symbol";
        assert_eq!(check(&cheat, &groups, channel), Err(VerifyError::CheckFailed { label }));
    }

    #[test]
    fn a_message_other_than_the_folded_codeword_is_rejected() {
        let params = Params::default();
        let mut rng = StdRng::seed_from_u64(3);
        let honest = commit(&params, LOG_ROW, random_words(&mut rng, 1));
        let words = random_words(&mut rng, 1);
        let groups = groups(&mut rng, &words);

        // The sumcheck runs on other words, the codewords are those of the committed ones.
        let shape = honest.shape();
        let layout = Layout::new(&params, &[shape]).unwrap();
        let mut channel = ProverChannel::new(Transcript::new("cheats"));
        let codewords = reduce(&params, &layout, &[&words], &groups, &mut channel, |_| {
            encode_rows(honest.words(), shape, params.log_inv_rate)
        });
        query(&params, &[&honest], &codewords, &mut channel);
        let label = "folded message";
        assert_eq!(check(&honest, &groups, channel), Err(VerifyError::CheckFailed { label }));
    }
}
