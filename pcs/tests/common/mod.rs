//! Random statements about random data, and both ends of the channel for them.

use binfer_field::{F128, Tower128, kernels};
use binfer_hash::{Digest, Transcript};
use binfer_iop::channel::{Estimator, ProofReader, ProverChannel, VerifyError};
use binfer_pcs::{Claim, ClaimGroup, Oracle, Params, Part, Shape, Width, commit, open, verify};
use rand::{Rng, SeedableRng, rngs::StdRng};

/// Everything that a proof is about, and the proof.
pub(crate) struct Case {
    pub(crate) params: Params,
    pub(crate) commitments: Vec<(Digest, Shape)>,
    pub(crate) groups: Vec<ClaimGroup<F128>>,
    pub(crate) proof: Vec<u8>,
}

pub(crate) fn transcript(
    commitments: &[(Digest, Shape)],
    groups: &[ClaimGroup<F128>],
) -> Transcript {
    let mut transcript = Transcript::new("binfer pcs test");
    for (root, shape) in commitments {
        transcript.absorb_bytes("root", root);
        transcript.absorb_bytes("rows", &(shape.n_rows as u64).to_le_bytes());
    }
    for group in groups {
        transcript.absorb("coefficient weights", &group.coefficients);
        transcript.absorb("point", &group.point);
        let values: Vec<F128> = group.claims.iter().map(|claim| claim.value).collect();
        transcript.absorb("values", &values);
    }
    transcript
}

impl Case {
    pub(crate) fn prove(
        params: Params,
        oracles: &[&Oracle],
        groups: Vec<ClaimGroup<F128>>,
    ) -> Self {
        let commitments: Vec<_> = oracles.iter().map(|o| (o.root(), o.shape())).collect();
        let mut channel = ProverChannel::new(transcript(&commitments, &groups));
        open(&params, oracles, &groups, &mut channel);
        Self { params, commitments, groups, proof: channel.finish() }
    }

    pub(crate) fn verify(&self) -> Result<(), VerifyError> {
        self.verify_bytes(&self.proof)
    }

    pub(crate) fn verify_bytes(&self, proof: &[u8]) -> Result<(), VerifyError> {
        let transcript = transcript(&self.commitments, &self.groups);
        let mut channel = ProofReader::new(transcript, proof);
        verify(&self.params, &self.commitments, &self.groups, &mut channel)?;
        channel.finish()
    }

    pub(crate) fn estimate(&self) -> Result<Estimator, VerifyError> {
        let groups: Vec<_> = self
            .groups
            .iter()
            .map(|group| ClaimGroup {
                width: group.width,
                coefficients: group.coefficients.clone(),
                point: group.point.clone(),
                claims: group
                    .claims
                    .iter()
                    .map(|c| Claim { parts: c.parts.clone(), value: F128::ZERO.into() })
                    .collect(),
            })
            .collect();
        let mut channel = Estimator::new();
        verify(&self.params, &self.commitments, &groups, &mut channel)?;
        Ok(channel)
    }
}

pub(crate) fn random_words(rng: &mut StdRng, n: usize) -> Vec<F128> {
    (0..n).map(|_| F128::random(rng)).collect()
}

/// The multilinear with the coefficients in `words` at `point`, from the definition.
pub(crate) fn evaluate(width: Width, words: &[F128], point: &[F128]) -> F128 {
    let eq = kernels::eq_table(point);
    let per_word = 1 << width.log_coefficients();
    let coefficients = words.iter().flat_map(|word| coefficients(width, *word));
    assert_eq!(words.len() * per_word, eq.len());
    coefficients.zip(&eq).map(|(c, &e)| c * e).sum()
}

fn coefficients(width: Width, word: F128) -> Vec<F128> {
    match width {
        Width::Bit => (0..128).map(|i| F128::new(word.to_bits() >> i & 1)).collect(),
        Width::B8 | Width::B32 => {
            let n_bits = 128 >> width.log_coefficients();
            let bits = Tower128::from(word).to_bits();
            let mask = (1 << n_bits) - 1;
            let coefficients = (0..128 / n_bits).map(|i| bits >> (i * n_bits) & mask);
            coefficients.map(|bits| Tower128::new(bits).into()).collect()
        }
        _ => vec![word],
    }
}

/// A case of random data: `sizes[i]` words in oracle `i`.
pub(crate) fn random_case(
    params: Params,
    seed: u64,
    log_row: u32,
    sizes: &[usize],
    groups: usize,
) -> Case {
    let mut rng = StdRng::seed_from_u64(seed);
    let oracles: Vec<Oracle> =
        sizes.iter().map(|&n| commit(&params, log_row, random_words(&mut rng, n))).collect();
    let oracles: Vec<&Oracle> = oracles.iter().collect();
    let groups = (0..groups).map(|_| random_group(&mut rng, &oracles)).collect();
    Case::prove(params, &oracles, groups)
}

fn random_group(rng: &mut StdRng, oracles: &[&Oracle]) -> ClaimGroup<F128> {
    let width = Width::ALL[rng.random_range(0..Width::ALL.len())];
    let log_word = width.log_coefficients();
    let mut claims: Vec<Claim<F128>> = Vec::new();
    let longest = oracles.iter().map(|o| o.words().len()).fold(1, usize::max);
    let point = random_words(rng, longest.ilog2() as usize + 2 + log_word as usize);
    for _ in 0..rng.random_range(0..5) {
        let oracle = rng.random_range(0..oracles.len());
        let mut words = oracles[oracle].words().to_vec();
        // Claims may reach beyond the last row.
        let padded = words.len().max(1).next_power_of_two();
        words.resize(padded, F128::ZERO);
        let n_vars = rng.random_range(0..=padded.ilog2());
        let offset = rng.random_range(0..padded >> n_vars) << n_vars;
        let n_coefficient_vars = n_vars + log_word;
        let value =
            evaluate(width, &words[offset..][..1 << n_vars], &point[..n_coefficient_vars as usize]);
        // On a multilinear of its own, or a weighted sum of several.
        match claims.last_mut() {
            Some(sum) if rng.random() => {
                let (n_vars, weight) = (n_coefficient_vars, F128::random(rng));
                sum.parts.push(Part { oracle, offset, n_vars, weight });
                sum.value += weight * value;
            }
            _ => claims.push(Claim::on(oracle, offset, n_coefficient_vars, value)),
        }
    }
    ClaimGroup::at(width, &point, claims)
}
